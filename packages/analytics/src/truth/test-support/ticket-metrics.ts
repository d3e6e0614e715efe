import { formatTime, OUTBOUND_EMAIL, STATUSES } from '@freshet/freshdesk-simulator/lifecycle';
import { type BusinessCalendar, type GroupPeriod, listGroupPeriods } from './business-calendar.ts';
import type { LocalDays } from './local-days.ts';
import { toMinutes } from './minutes.ts';
import type { Message, Snapshot, TicketHistory } from './ticket-histories.ts';

/** A row of a model, as text or JSON values by column. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

const RESOLVED_STATUSES: ReadonlySet<number> = new Set(STATUSES.filter((s) => s.isResolved).map(({ id }) => id));
/** A resolved status does not stop the clock, because there is no clock. */
const STOPPING_STATUSES: ReadonlySet<number> = new Set(
  STATUSES.filter((s) => s.stopsSlaTimer && !s.isResolved).map(({ id }) => id),
);
/** Code of a rating → score. */
const SCORES: Readonly<Record<number, number>> = {
  [103]: 3,
  [102]: 2,
  [101]: 1,
  [100]: 0,
  [-101]: -1,
  [-102]: -2,
  [-103]: -3,
};

export const isResolved = (status: number): boolean => RESOLVED_STATUSES.has(status);
export const stopsSlaTimer = (status: number): boolean => STOPPING_STATUSES.has(status);
export const toScore = (rating: number): number => SCORES[rating] as number;

/** Whether a message counts as a response of an agent. */
export const isResponse = ({ event }: Message): boolean => event.type === 'reply' || event.type === 'public_note';

/** A change of the status into or out of the resolved statuses. */
export interface Transition {
  readonly at: number;
  readonly kind: 'resolved' | 'reopened';
  /** The snapshot that begins with the change. */
  readonly snapshot: Snapshot;
}

/** Lists the resolutions and reopenings of a ticket. The creation of a resolved ticket is one. */
function listTransitions({ snapshots }: TicketHistory): Transition[] {
  return snapshots.flatMap((snapshot, n): Transition[] => {
    const wasResolved = n > 0 && isResolved((snapshots[n - 1] as Snapshot).status);
    if (isResolved(snapshot.status) === wasResolved) return [];
    return [{ at: snapshot.from, kind: wasResolved ? 'reopened' : 'resolved', snapshot }];
  });
}

/** Computes the metrics of one ticket from its history. */
export class TicketMetrics {
  readonly history: TicketHistory;
  readonly transitions: readonly Transition[];
  readonly responses: readonly Message[];
  readonly groups: readonly GroupPeriod[];
  readonly days: LocalDays;
  readonly #calendar: BusinessCalendar;

  constructor(history: TicketHistory, calendar: BusinessCalendar, days: LocalDays) {
    this.history = history;
    this.days = days;
    this.#calendar = calendar;
    this.transitions = listTransitions(history);
    this.responses = history.messages.filter(isResponse);
    this.groups = listGroupPeriods(history.snapshots);
  }

  get isOutbound(): boolean {
    return this.history.created.source === OUTBOUND_EMAIL;
  }

  /** Whether the ticket counts in aggregates. */
  get isCounted(): boolean {
    return !this.history.isMerged && this.history.view === 'live';
  }

  get firstResponseAt(): number | null {
    return this.isOutbound ? null : (this.responses[0]?.createdAt ?? null);
  }

  /** The time of the response to the latest customer message; null without such a response. */
  get lastAnsweredAt(): number | null {
    const { messages } = this.history;
    const last = messages.findLastIndex(({ event }) => event.type === 'customer_message');
    // The creation is a customer message, except for outbound tickets.
    if (last < 0 && this.isOutbound) return null;
    return messages.slice(last + 1).find(isResponse)?.createdAt ?? null;
  }

  get firstResolvedAt(): number | null {
    return this.transitions.find(({ kind }) => kind === 'resolved')?.at ?? null;
  }

  /** The time of the last resolution; null if the ticket is not resolved. */
  get resolvedAt(): number | null {
    const last = this.transitions.at(-1);
    return last?.kind === 'resolved' ? last.at : null;
  }

  get reopens(): number {
    return this.transitions.filter(({ kind }) => kind === 'reopened').length;
  }

  /** The score of the latest rating; null if the ticket has none. */
  get score(): number | null {
    const latest = this.history.ratings.toSorted((a, b) => a.at - b.at || a.id - b.id).at(-1);
    return latest === undefined ? null : toScore(latest.event.rating);
  }

  /** Returns the calendar minutes between two times; zero if `to` precedes `from`. */
  measureMinutes(from: number, to: number): string {
    return toMinutes(Math.max(0, to - from));
  }

  measureBusinessMinutes(from: number, to: number): string {
    return toMinutes(this.measureBusinessTime(from, to));
  }

  /** Returns the business time between two times, in milliseconds. */
  measureBusinessTime(from: number, to: number): number {
    return this.#calendar.measure(this.groups, from, to);
  }

  findSchedule(groupId: number | null): number {
    return this.#calendar.findSchedule(groupId);
  }

  /** Finds the group of the ticket at a time. */
  findGroup(at: number): number | null {
    return this.groups.find(({ from, to }) => from <= at && at < to)?.groupId ?? null;
  }

  buildRow(): Row {
    const { createdAt } = this.history;
    const sinceCreation = (name: string, to: number | null) => ({
      [`${name}_minutes`]: to === null ? null : this.measureMinutes(createdAt, to),
      [`${name}_minutes_business`]: to === null ? null : this.measureBusinessMinutes(createdAt, to),
    });
    return {
      ticket_id: this.history.id,
      ...sinceCreation('first_response', this.firstResponseAt),
      ...sinceCreation('first_resolution', this.firstResolvedAt),
      ...sinceCreation('full_resolution', this.resolvedAt),
      ...this.#measureWaits(),
      ...this.#countMessages(),
      ...this.#describeTimes(),
      ...this.#describeTicket(),
      groups_involved: new Set(this.groups.map(({ groupId }) => groupId).filter((id) => id !== null)).size,
      reopens: this.reopens,
      minutes_tracked: this.history.timeEntries.reduce((sum, { event }) => sum + event.minutes, 0),
      csat_score: this.score,
      is_exact: true,
    };
  }

  #countMessages(): Row {
    const { messages, createdAt } = this.history;
    const count = (type: string) => messages.filter(({ event }) => event.type === type).length;
    const notes = messages.filter(({ event }) => event.type === 'private_note');
    const isOneTouch = this.resolvedAt !== null && this.responses.length === 1;
    const wasAnsweredFirst = (this.responses[0]?.createdAt ?? 0) <= (this.resolvedAt ?? 0);
    return {
      agent_responses: this.responses.length,
      customer_messages: count('customer_message') + (this.isOutbound ? 0 : 1),
      private_notes: notes.length,
      agents_involved: new Set([...this.responses, ...notes].map(({ event }) => event.authorId)).size,
      is_one_touch: isOneTouch,
      is_first_contact_resolution: isOneTouch && this.reopens === 0 && wasAnsweredFirst,
      skewed_times: this.responses.filter((response) => response.createdAt < createdAt).length,
    };
  }

  #describeTimes(): Row {
    const { created, createdAt } = this.history;
    const isInTime = (at: number | null, dueAt: number | null) => (at === null || dueAt === null ? null : at <= dueAt);
    return {
      created_at: formatTime(createdAt),
      first_responded_at: formatTime(this.firstResponseAt),
      first_resolved_at: formatTime(this.firstResolvedAt),
      resolved_at: formatTime(this.resolvedAt),
      last_answered_at: formatTime(this.lastAnsweredAt),
      is_first_response_in_time: isInTime(this.firstResponseAt, created.firstResponseDueAt),
      is_resolution_in_time: isInTime(this.resolvedAt, created.resolutionDueAt),
      created_day: this.days.toDay(createdAt),
      first_response_day: this.firstResponseAt === null ? null : this.days.toDay(this.firstResponseAt),
      resolved_day: this.resolvedAt === null ? null : this.days.toDay(this.resolvedAt),
      first_response_group_id: this.firstResponseAt === null ? null : this.findGroup(this.firstResponseAt),
    };
  }

  #describeTicket(): Row {
    const { created, snapshots, isMerged, view } = this.history;
    const { status, priority, groupId, agentId } = snapshots.at(-1) as Snapshot;
    return {
      status,
      priority,
      source: created.source,
      group_id: groupId,
      agent_id: agentId,
      company_id: created.companyId,
      is_resolved: isResolved(status),
      is_merged: isMerged,
      is_spam: view === 'spam',
      is_deleted: view === 'trash',
      is_outbound: this.isOutbound,
      is_counted: this.isCounted,
    };
  }

  /** Sums the time of the ended periods by status. */
  #measureWaits(): Row {
    const sums = { requester_wait: { calendar: 0, business: 0 }, agent_wait: { calendar: 0, business: 0 } };
    const { snapshots } = this.history;
    snapshots.forEach(({ from, status }, n) => {
      const to = snapshots[n + 1]?.from;
      if (to === undefined || isResolved(status)) return;
      const wait = stopsSlaTimer(status) ? sums.agent_wait : sums.requester_wait;
      wait.calendar += to - from;
      wait.business += this.#calendar.measure(this.groups, from, to);
    });
    return Object.fromEntries(
      Object.entries(sums).flatMap(([name, { calendar, business }]) => [
        [`${name}_minutes`, toMinutes(calendar)],
        [`${name}_minutes_business`, toMinutes(business)],
      ]),
    );
  }
}
