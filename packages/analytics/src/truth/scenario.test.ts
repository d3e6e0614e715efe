import { OUTBOUND_EMAIL } from '@freshet/freshdesk-simulator/lifecycle';
import { describe, expect, test } from 'vitest';
import { isResponse, type TicketMetrics } from './test-support/ticket-metrics.ts';
import { TrueAccount } from './test-support/true-account.ts';

const YEAR_MINUTES = 365 * 1440;

/** The cases that the comparison with the models must contain, and how a ticket shows them. */
const CASES: Readonly<Record<string, (ticket: TicketMetrics) => boolean>> = {
  'reopened at least twice': ({ reopens }) => reopens >= 2,
  'group changed while unresolved': ({ groups, resolvedAt }) =>
    new Set(groups.map(({ groupId }) => groupId)).size > 1 && resolvedAt === null,
  'without a group': ({ groups }) => groups.some(({ groupId }) => groupId === null),
  merged: ({ history }) => history.isMerged,
  'received messages from a merged ticket': ({ history }) =>
    history.messages.some(({ createdAt }) => createdAt < history.createdAt),
  spam: ({ history }) => history.view === 'spam',
  'in the trash': ({ history }) => history.view === 'trash',
  'outbound, with a customer message': ({ history }) =>
    history.created.source === OUTBOUND_EMAIL &&
    history.messages.some(({ event }) => event.type === 'customer_message'),
  'created as resolved': ({ firstResolvedAt, history }) => firstResolvedAt === history.createdAt,
  'custom status that stops the clock': ({ history }) => history.snapshots.some(({ status }) => status === 8),
  'custom status that counts as resolved': ({ history }) => history.snapshots.some(({ status }) => status === 9),
  'response before the creation': ({ responses, history }) =>
    responses.some(({ createdAt }) => createdAt < history.createdAt),
  'customer message and response in the same millisecond': ({ history }) =>
    history.messages.some((message, n) => {
      const next = history.messages[n + 1];
      return next?.createdAt === message.createdAt && isResponse(message) !== isResponse(next);
    }),
  'creation with milliseconds': ({ history }) => history.createdAt % 1000 !== 0,
  'several changes of one property in one second': ({ history }) => history.repeatedChanges > 0,
  'longer than a year': (ticket) => Number(ticket.buildRow()['full_resolution_minutes']) > YEAR_MINUTES,
  'first response outside business hours': (ticket) => {
    const row = ticket.buildRow();
    return row['first_response_minutes_business'] === '0' && Number(row['first_response_minutes']) > 60;
  },
  'rated twice': ({ history }) => history.ratings.length >= 2,
  'only automatic replies': ({ history, responses }) =>
    responses.length === 0 && history.messages.some(({ event }) => event.type === 'automatic_reply'),
};

describe('the scenario of the comparison with the models', () => {
  const to = Date.parse('2026-11-01T12:00:00Z');
  const account = new TrueAccount({ seed: 1, tickets: 3000, to, spanDays: 440 });
  account.advanceTo(to);
  const tickets = account.computeMetrics();

  test.each(Object.keys(CASES))('contains tickets: %s', (name) => {
    expect(tickets.filter(CASES[name] as (ticket: TicketMetrics) => boolean).length).toBeGreaterThanOrEqual(3);
  });

  test('contains unresolved periods during each change of the clock of each schedule', () => {
    // The changes in Berlin, New York, Santiago and Adelaide during the log.
    const changes = ['2025-10-26', '2026-03-29', '2025-11-02', '2026-03-08', '2025-09-07', '2026-04-05', '2025-10-05'];
    for (const day of changes) {
      const noon = Date.parse(`${day}T12:00:00Z`);
      const groups = tickets.flatMap(({ history }) =>
        history.snapshots.flatMap(({ from, groupId }, n) => {
          const end = history.snapshots[n + 1]?.from ?? to;
          return from < noon - 43_200_000 && end > noon + 43_200_000 ? [groupId] : [];
        }),
      );
      expect(new Set(groups).size, day).toBeGreaterThanOrEqual(7);
    }
  });
});
