import { formatTime } from '@freshet/freshdesk-simulator/lifecycle';
import type { GroupPeriod } from './business-calendar.ts';
import { toMinutes, toMinutesSince } from './minutes.ts';
import type { Message, Snapshot } from './ticket-histories.ts';
import { isResolved, isResponse, type Row, stopsSlaTimer, type TicketMetrics, toScore } from './ticket-metrics.ts';

/** The rows of the models whose rows belong to one ticket. */

/** Lists the periods in which status, group, agent and priority of a ticket stay the same. */
export function listStatusPeriods(metrics: TicketMetrics): Row[] {
  const { history, groups, isCounted } = metrics;
  return history.snapshots.map((snapshot, n) => {
    const { from, status, groupId, agentId, priority } = snapshot;
    const previous = history.snapshots[n - 1];
    const to = history.snapshots[n + 1]?.from ?? null;
    const transition = metrics.transitions.find((t) => t.snapshot === snapshot)?.kind;
    const open = to === null ? null : metrics.measureBusinessTime(from, to);
    return {
      ticket_id: history.id,
      period: n + 1,
      status,
      group_id: groupId,
      agent_id: agentId,
      priority,
      started_at: formatTime(from),
      ended_at: formatTime(to),
      minutes: to === null ? null : metrics.measureMinutes(from, to),
      business_minutes: open === null ? null : toMinutes(open),
      business_time: open === null ? null : open / 1000,
      schedule_id: metrics.findSchedule((groups[n] as GroupPeriod).groupId),
      is_resolved: isResolved(status),
      stops_sla_timer: stopsSlaTimer(status),
      is_creation: n === 0,
      is_resolution: transition === 'resolved',
      is_reopening: transition === 'reopened',
      is_assignment: agentId !== null && agentId !== previous?.agentId,
      is_group_change: groupId !== previous?.groupId,
      source: history.created.source,
      created_day: metrics.days.toDay(history.createdAt),
      started_day: metrics.days.toDay(from),
      ended_day: to === null ? 'infinity' : metrics.days.toDay(to),
      is_counted: isCounted,
    };
  });
}

/** Lists the responses of agents, with the customer message that each response answers. */
export function listResponses(metrics: TicketMetrics): Row[] {
  const { history, isOutbound } = metrics;
  let waitedSince = isOutbound ? null : history.createdAt;
  let isFirst = true;
  const rows: Row[] = [];
  for (const message of history.messages) {
    if (isResponse(message)) {
      rows.push(buildResponse(metrics, message, waitedSince, isFirst));
      waitedSince = null;
      isFirst = false;
    } else if (message.event.type === 'customer_message') waitedSince ??= message.createdAt;
  }
  return rows;
}

function buildResponse(metrics: TicketMetrics, message: Message, waitedSince: number | null, isFirst: boolean): Row {
  const { createdAt, event, id } = message;
  return {
    response_id: id,
    ticket_id: metrics.history.id,
    agent_id: event.authorId,
    group_id: metrics.findGroup(createdAt),
    waited_since: formatTime(waitedSince),
    responded_at: formatTime(createdAt),
    minutes: waitedSince === null ? null : metrics.measureMinutes(waitedSince, createdAt),
    business_minutes: waitedSince === null ? null : metrics.measureBusinessMinutes(waitedSince, createdAt),
    is_first: isFirst && !metrics.isOutbound,
    is_skewed: createdAt < metrics.history.createdAt,
    day: metrics.days.toDay(createdAt),
    is_counted: metrics.isCounted,
  };
}

/** Lists the SLA targets of a ticket. @param now the present time, in microseconds. */
export function listSlaTargets(metrics: TicketMetrics, now: bigint): Row[] {
  const { created, nextResponseDueAt } = metrics.history;
  const answeredAt = metrics.lastAnsweredAt;
  return [
    buildTarget(metrics, 'first_response', created.firstResponseDueAt, metrics.firstResponseAt, now),
    buildTarget(metrics, 'next_response', nextResponseDueAt, answeredAt, now),
    buildTarget(metrics, 'resolution', created.resolutionDueAt, metrics.resolvedAt, now),
  ];
}

function buildTarget(
  metrics: TicketMetrics,
  kind: string,
  dueAt: number | null,
  achievedAt: number | null,
  now: bigint,
): Row {
  const { history } = metrics;
  const last = history.snapshots.at(-1) as Snapshot;
  // Without a response, the resolution decides.
  const endedAt = achievedAt ?? metrics.resolvedAt;
  const getState = () => {
    if (dueAt === null || !metrics.isCounted || (kind === 'first_response' && metrics.isOutbound))
      return 'not_applicable';
    if (endedAt !== null && endedAt > dueAt) return 'missed';
    if (achievedAt !== null) return 'met';
    if (endedAt !== null) return 'not_applicable';
    return stopsSlaTimer(last.status) || now < BigInt(dueAt) * 1000n ? 'open' : 'overdue';
  };
  const state = getState();
  const over = {
    missed: () => toMinutes((endedAt as number) - (dueAt as number)),
    overdue: () => toMinutesSince(now - BigInt(dueAt as number) * 1000n),
  };
  return {
    ticket_id: history.id,
    kind,
    due_at: formatTime(dueAt),
    achieved_at: formatTime(achievedAt),
    state,
    minutes_over: state === 'missed' || state === 'overdue' ? over[state]() : null,
    group_id: last.groupId,
    agent_id: last.agentId,
  };
}

/** Lists the ratings of a ticket. The API returns their times without milliseconds. */
export function listRatings(metrics: TicketMetrics): Row[] {
  const { history, isCounted } = metrics;
  return history.ratings.map(({ event, id, at }) => ({
    rating_id: id,
    ticket_id: history.id,
    score: toScore(event.rating),
    is_positive: toScore(event.rating) > 0,
    agent_id: event.agentId,
    group_id: event.groupId,
    comment: event.feedback,
    rated_at: formatTime(Math.floor(at / 1000) * 1000),
    rated_day: metrics.days.toDay(at),
    is_counted: isCounted,
  }));
}

export function listTimeEntries(metrics: TicketMetrics): Row[] {
  const { history } = metrics;
  return history.timeEntries.map(({ event, id }) => ({
    time_entry_id: id,
    ticket_id: history.id,
    agent_id: event.agentId,
    minutes: event.minutes,
    billable: event.isBillable,
    executed_at: formatTime(event.executedAt),
    executed_day: metrics.days.toDay(event.executedAt),
  }));
}

export function listTags({ history }: TicketMetrics): Row[] {
  return history.created.tags.map((tag) => ({ ticket_id: history.id, tag }));
}
