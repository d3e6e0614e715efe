/// <reference lib="esnext.temporal" />
import { toMean, toPercent, toPercentile } from './averages.ts';
import { formatUnits } from './minutes.ts';
import type { Snapshot } from './ticket-histories.ts';
import { isResolved, type Row, type TicketMetrics, toScore } from './ticket-metrics.ts';
import { listResponses } from './ticket-rows.ts';

/** Something that counts in a row of a model: the key of the row, and what counts. */
interface Fact {
  readonly key: Row;
  readonly kind: string;
  /** Minutes, or minutes and business minutes. */
  readonly minutes?: string;
  readonly businessMinutes?: string | null;
}

/** The facts that belong to one row. */
class FactGroup {
  readonly #facts: readonly Fact[];

  constructor(facts: readonly Fact[]) {
    this.#facts = facts;
  }

  count(kind: string): number {
    return this.#facts.filter((fact) => fact.kind === kind).length;
  }

  listMinutes(kind: string): string[] {
    return this.#facts.flatMap((fact) => (fact.kind === kind && fact.minutes !== undefined ? [fact.minutes] : []));
  }

  listBusinessMinutes(kind: string): string[] {
    return this.#facts.flatMap((fact) => (fact.kind === kind ? [fact.businessMinutes as string] : []));
  }

  get csat(): Row {
    const ratings = this.count('positive') + this.count('not_positive');
    return {
      csat_ratings: ratings,
      csat_positive: this.count('positive'),
      csat_percent: toPercent(this.count('positive'), ratings),
    };
  }
}

function groupFacts(facts: readonly Fact[]): { readonly key: Row; readonly group: FactGroup }[] {
  const groups = Map.groupBy(facts, ({ key }) => JSON.stringify(key));
  return [...groups.values()].map((members) => ({ key: (members[0] as Fact).key, group: new FactGroup(members) }));
}

/** A ticket that is not resolved at the end of a day. */
interface Unresolved {
  readonly ticket: TicketMetrics;
  readonly day: string;
  /** The properties of the ticket at the end of the day. */
  readonly snapshot: Snapshot;
  /** The number of days since the day of the creation. */
  readonly age: number;
}

/**
 * Lists the tickets that are not resolved at the end of each day.
 * @param lastDay the last day of the models, as `YYYY-MM-DD`.
 */
export function listUnresolved(tickets: readonly TicketMetrics[], lastDay: string): Unresolved[] {
  const { days } = tickets[0] as TicketMetrics;
  const counted = tickets
    .filter(({ isCounted }) => isCounted)
    .map((ticket) => ({ ticket, createdDay: days.toDate(ticket.history.createdAt) }));
  const first = days.toDate(Math.min(...counted.map(({ ticket }) => ticket.history.createdAt)));
  const unresolved: Unresolved[] = [];
  for (let date = first; date.toString() <= lastDay; date = date.add({ days: 1 })) {
    const end = days.toEnd(date);
    const day = date.toString();
    for (const { ticket, createdDay } of counted) {
      const snapshot = ticket.history.snapshots.findLast(({ from }) => from < end);
      if (snapshot !== undefined && !isResolved(snapshot.status))
        unresolved.push({ ticket, day, snapshot, age: createdDay.until(date).days });
    }
  }
  return unresolved;
}

export function listBacklogRows(unresolved: readonly Unresolved[]): Row[] {
  const groups = Map.groupBy(unresolved, ({ day, snapshot }) =>
    JSON.stringify([day, snapshot.groupId, snapshot.priority, snapshot.status]),
  );
  return [...groups.values()].map((members) => {
    const { day, snapshot } = members[0] as (typeof members)[number];
    const countOlder = (days: number) => members.filter(({ age }) => age > days).length;
    const sum = members.reduce((total, { age }) => total + age, 0);
    return {
      day,
      group_id: snapshot.groupId,
      priority: snapshot.priority,
      status: snapshot.status,
      open_tickets: members.length,
      age_days_mean: Math.floor((sum * 200 + members.length) / (members.length * 2)) / 100,
      older_than_1_day: countOlder(1),
      older_than_7_days: countOlder(7),
      older_than_30_days: countOlder(30),
    };
  });
}

export function listSummaryRows(tickets: readonly TicketMetrics[], unresolved: readonly Unresolved[]): Row[] {
  const facts = tickets.filter(({ isCounted }) => isCounted).flatMap(listSummaryFacts);
  for (const { ticket, day, snapshot } of unresolved)
    facts.push({
      key: { day, group_id: snapshot.groupId, source: ticket.history.created.source },
      kind: 'unresolved',
    });
  return groupFacts(facts).map(({ key, group }) => {
    const slaMet = group.count('first_response_met') + group.count('resolution_met');
    const slaMissed = group.count('first_response_missed') + group.count('resolution_missed');
    return {
      ...key,
      created: group.count('created'),
      resolved: group.count('resolved'),
      reopened: group.count('reopened'),
      unresolved: group.count('unresolved'),
      first_responses: group.count('first_response'),
      ...summarize('first_response_minutes', group.listMinutes('first_response'), true),
      ...summarize('first_response_minutes_business', group.listBusinessMinutes('first_response'), true),
      resolutions: group.count('resolution'),
      ...summarize('resolution_minutes', group.listMinutes('resolution'), true),
      ...summarize('resolution_minutes_business', group.listBusinessMinutes('resolution'), true),
      first_response_sla_met: group.count('first_response_met'),
      first_response_sla_missed: group.count('first_response_missed'),
      resolution_sla_met: group.count('resolution_met'),
      resolution_sla_missed: group.count('resolution_missed'),
      sla_met_percent: toPercent(slaMet, slaMet + slaMissed),
      ...group.csat,
    };
  });
}

function summarize(name: string, minutes: readonly string[], hasP90 = false): Row {
  return {
    [`${name}_median`]: toPercentile(minutes, 50),
    ...(hasP90 ? { [`${name}_p90`]: toPercentile(minutes, 90) } : {}),
    [`${name}_mean`]: toMean(minutes),
  };
}

function listSummaryFacts(ticket: TicketMetrics): Fact[] {
  const { history, transitions } = ticket;
  const { createdAt, created, snapshots, ratings } = history;
  const toKey = (at: number, groupId: number | null) => ({
    day: ticket.days.toDay(at),
    group_id: groupId,
    source: created.source,
  });
  const facts: Fact[] = [{ key: toKey(createdAt, (snapshots[0] as Snapshot).groupId), kind: 'created' }];
  for (const { at, kind, snapshot } of transitions) facts.push({ key: toKey(at, snapshot.groupId), kind });
  const add = (name: string, at: number | null, dueAt: number | null) => {
    if (at === null) return;
    const key = toKey(at, ticket.findGroup(at));
    const minutes = ticket.measureMinutes(createdAt, at);
    facts.push({ key, kind: name, minutes, businessMinutes: ticket.measureBusinessMinutes(createdAt, at) });
    if (dueAt !== null) facts.push({ key, kind: `${name}_${at <= dueAt ? 'met' : 'missed'}` });
  };
  add('first_response', ticket.firstResponseAt, created.firstResponseDueAt);
  add('resolution', ticket.resolvedAt, created.resolutionDueAt);
  for (const { at, event } of ratings)
    facts.push({ key: toKey(at, event.groupId), kind: toScore(event.rating) > 0 ? 'positive' : 'not_positive' });
  return facts;
}

export function listAgentRows(tickets: readonly TicketMetrics[]): Row[] {
  const facts = tickets.filter(({ isCounted }) => isCounted).flatMap(listAgentFacts);
  return groupFacts(facts).map(({ key, group }) => ({
    ...key,
    assigned: group.count('assigned'),
    responses: group.count('response'),
    notes: group.count('note'),
    resolved: group.count('resolved'),
    reopened: group.count('reopened'),
    first_responses: group.count('first_response'),
    first_response_minutes_mean: toMean(group.listMinutes('first_response')),
    ...summarize('response_minutes', group.listMinutes('answer')),
    ...summarize('response_minutes_business', group.listBusinessMinutes('answer')),
    minutes_tracked: formatUnits(
      group.listMinutes('tracked').reduce((sum, minutes) => sum + Number(minutes), 0) * 10_000,
    ),
    ...group.csat,
  }));
}

function listAgentFacts(ticket: TicketMetrics): Fact[] {
  const { history, transitions } = ticket;
  const facts: Fact[] = [];
  const add = (at: number, agentId: number | null, fact: Omit<Fact, 'key'>) => {
    if (agentId !== null) facts.push({ key: { day: ticket.days.toDay(at), agent_id: agentId }, ...fact });
  };
  history.snapshots.forEach(({ from, agentId }, n) => {
    if (agentId !== history.snapshots[n - 1]?.agentId) add(from, agentId, { kind: 'assigned' });
  });
  for (const { at, kind, snapshot } of transitions) add(at, snapshot.agentId, { kind });
  listResponses(ticket).forEach(({ minutes, business_minutes: businessMinutes, is_first: isFirst }, n) => {
    const message = ticket.responses[n] as (typeof ticket.responses)[number];
    add(message.createdAt, message.event.authorId, { kind: 'response' });
    const durations = { minutes: minutes as string, businessMinutes: businessMinutes as string };
    if (minutes !== null) add(message.createdAt, message.event.authorId, { kind: 'answer', ...durations });
    if (isFirst === true && !ticket.isOutbound)
      add(message.createdAt, message.event.authorId, { kind: 'first_response', ...durations });
  });
  for (const { event, createdAt } of history.messages)
    if (event.type === 'private_note') add(createdAt, event.authorId, { kind: 'note' });
  for (const { event } of history.timeEntries)
    add(event.executedAt, event.agentId, { kind: 'tracked', minutes: String(event.minutes) });
  for (const { at, event } of history.ratings)
    add(at, event.agentId, { kind: toScore(event.rating) > 0 ? 'positive' : 'not_positive' });
  return facts;
}

export function listCompanyRows(tickets: readonly TicketMetrics[]): Row[] {
  const facts = tickets
    .filter(({ isCounted, history }) => isCounted && history.created.companyId !== null)
    .flatMap((ticket) =>
      listSummaryFacts(ticket).map(({ key, ...fact }) => ({
        ...fact,
        key: { month: `${String(key['day']).slice(0, 7)}-01`, company_id: ticket.history.created.companyId },
      })),
    )
    .filter(({ kind }) => ['created', 'resolved', 'first_response', 'positive', 'not_positive'].includes(kind));
  return groupFacts(facts).map(({ key, group }) => ({
    ...key,
    created: group.count('created'),
    resolved: group.count('resolved'),
    first_responses: group.count('first_response'),
    ...summarize('first_response_minutes', group.listMinutes('first_response')),
    ...summarize('first_response_minutes_business', group.listBusinessMinutes('first_response')),
    ...group.csat,
  }));
}
