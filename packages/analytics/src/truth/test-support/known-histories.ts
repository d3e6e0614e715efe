import { CLOSED, OPEN, RESOLVED } from '@freshet/freshdesk-simulator/lifecycle';
import type { BusinessCalendar } from './business-calendar.ts';
import type { LocalDays } from './local-days.ts';
import type { Snapshot, TicketHistory } from './ticket-histories.ts';
import { type Row, TicketMetrics } from './ticket-metrics.ts';

/**
 * Reduces the history of a ticket to the facts that are known without activities and history: the
 * present properties, and the time at which the ticket was last resolved.
 */
function forgetChanges(history: TicketHistory): TicketHistory {
  const { createdAt, snapshots } = history;
  const present = snapshots.at(-1) as Snapshot;
  const resolvedAt = findLastResolution(snapshots);
  const isUnresolvedAtFirst = resolvedAt !== null && resolvedAt > createdAt;
  return {
    ...history,
    snapshots: isUnresolvedAtFirst
      ? [
          { ...present, status: OPEN, from: createdAt },
          { ...present, from: resolvedAt },
        ]
      : [{ ...present, from: createdAt }],
  };
}

/** Computes the metrics of a ticket from the facts that `forgetChanges` keeps. */
export class KnownMetrics extends TicketMetrics {
  readonly #wasReopened: boolean;

  constructor(history: TicketHistory, calendar: BusinessCalendar, days: LocalDays) {
    super(forgetChanges(history), calendar, days);
    this.#wasReopened = history.snapshots.some(
      ({ status }, n) => !isResolved(status) && n > 0 && isResolved((history.snapshots[n - 1] as Snapshot).status),
    );
  }

  /** Freshdesk keeps the time of the last reopening, so at least one reopening is known. */
  override get reopens(): number {
    return this.#wasReopened ? 1 : 0;
  }

  override get firstResolvedAt(): number | null {
    return this.#wasReopened ? null : super.firstResolvedAt;
  }

  override buildRow(): Row {
    return {
      ...super.buildRow(),
      requester_wait_minutes: null,
      requester_wait_minutes_business: null,
      agent_wait_minutes: null,
      agent_wait_minutes_business: null,
      is_exact: false,
    };
  }
}

function isResolved(status: number): boolean {
  return status === RESOLVED || status === CLOSED;
}

/** Finds when a ticket became resolved; null if the ticket is not resolved. */
function findLastResolution(snapshots: readonly Snapshot[]): number | null {
  const last = snapshots.findLastIndex(({ status }) => !isResolved(status));
  return snapshots[last + 1]?.from ?? null;
}
