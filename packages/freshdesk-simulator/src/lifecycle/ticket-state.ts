import { CLOSED, RESOLVED } from './directory.ts';
import type { MessageAdded, TicketCreated } from './event-log.ts';
import { formatTime } from './times.ts';

/** The times of a ticket that the API returns as `stats`, in milliseconds. */
interface Stats {
  agentRespondedAt: number | null;
  requesterRespondedAt: number | null;
  firstRespondedAt: number | null;
  statusUpdatedAt: number;
  reopenedAt: number | null;
  resolvedAt: number | null;
  closedAt: number | null;
  pendingSince: number | null;
}

/** The state of a ticket that Freshdesk derives from the events of the ticket. */
export class TicketState {
  readonly created: TicketCreated;
  readonly #stats: Stats;
  #status: number;
  #nextResponseDueAt: number | null = null;
  #firstResponseIsLate = false;
  #nextResponseIsLate = false;

  constructor(created: TicketCreated, at: number) {
    this.created = created;
    this.#status = created.status;
    this.#stats = {
      agentRespondedAt: null,
      requesterRespondedAt: null,
      firstRespondedAt: null,
      statusUpdatedAt: at,
      reopenedAt: null,
      resolvedAt: null,
      closedAt: null,
      pendingSince: null,
    };
    this.#enterStatus(created.status, at);
  }

  setStatus(status: number, at: number): void {
    if (status === this.#status) return;
    if (isResolved(this.#status) && !isResolved(status)) {
      Object.assign(this.#stats, { reopenedAt: at, resolvedAt: null, closedAt: null });
    }
    this.#status = status;
    this.#enterStatus(status, at);
  }

  #enterStatus(status: number, at: number): void {
    const stats = this.#stats;
    stats.statusUpdatedAt = at;
    stats.pendingSince = status === 3 ? at : null;
    if (isResolved(status)) stats.resolvedAt ??= at;
    stats.closedAt = status === CLOSED ? at : null;
  }

  addMessage({ type, createdAt, nextResponseDueAt }: MessageAdded): void {
    const stats = this.#stats;
    if (type === 'reply' || type === 'public_note') {
      if (stats.firstRespondedAt === null) {
        stats.firstRespondedAt = createdAt;
        this.#firstResponseIsLate = createdAt > (this.created.firstResponseDueAt ?? Number.POSITIVE_INFINITY);
      }
      this.#nextResponseIsLate = createdAt > (this.#nextResponseDueAt ?? Number.POSITIVE_INFINITY);
      stats.agentRespondedAt = createdAt;
      this.#nextResponseDueAt = null;
    } else if (type === 'customer_message') {
      stats.requesterRespondedAt = createdAt;
      this.#nextResponseDueAt ??= nextResponseDueAt;
    }
  }

  /** Returns the fields of the ticket's record that are derived from its events. */
  getFields(): Record<string, unknown> {
    const stats = this.#stats;
    return {
      nr_due_by: formatTime(this.#nextResponseDueAt),
      fr_escalated: this.#firstResponseIsLate,
      nr_escalated: this.#nextResponseIsLate,
      is_escalated: (stats.resolvedAt ?? 0) > (this.created.resolutionDueAt ?? Number.POSITIVE_INFINITY),
      stats: {
        agent_responded_at: formatTime(stats.agentRespondedAt),
        requester_responded_at: formatTime(stats.requesterRespondedAt),
        first_responded_at: formatTime(stats.firstRespondedAt),
        status_updated_at: formatTime(stats.statusUpdatedAt),
        reopened_at: formatTime(stats.reopenedAt),
        resolved_at: formatTime(stats.resolvedAt),
        closed_at: formatTime(stats.closedAt),
        pending_since: formatTime(stats.pendingSince),
      },
    };
  }
}

function isResolved(status: number): boolean {
  return status === RESOLVED || status === CLOSED;
}
