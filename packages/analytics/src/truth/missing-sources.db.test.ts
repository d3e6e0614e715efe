import { createDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listBacklogRows, listCompanyRows, listSummaryRows, listUnresolved } from './test-support/aggregates.ts';
import { compareRows } from './test-support/compare-rows.ts';
import { KnownMetrics } from './test-support/known-histories.ts';
import type { Row, TicketMetrics } from './test-support/ticket-metrics.ts';
import { listResponses, listSlaTargets, listStatusPeriods } from './test-support/ticket-rows.ts';
import { ACCOUNT_DAYS, TrueAccount } from './test-support/true-account.ts';
import { OPTIONAL_OBJECTS, TrueWarehouse, type WarehouseContent } from './test-support/true-warehouse.ts';

const SEED = 7;
const DAY_MS = 86_400_000;
const SPAN_DAYS = 200;
const TO = Date.parse('2026-11-01T12:00:00Z');

/** Loads an account into an empty warehouse, and builds the models. */
async function buildWarehouse(content: WarehouseContent, count = 600) {
  const database = await createDatabase();
  const options = { seed: SEED, tickets: count, to: TO, spanDays: SPAN_DAYS, hasCustomResolvedStatus: false };
  const account = new TrueAccount(options);
  const warehouse = new TrueWarehouse(database, account, content);
  if (content.hasTicketHistory === true) await loadVersions(account, warehouse, account.editedAt);
  account.advanceTo(account.editedAt);
  await warehouse.loadSchedules();
  if (content.hasTicketHistory === true) await loadVersions(account, warehouse, TO);
  account.advanceTo(TO);
  await warehouse.loadAll();
  await warehouse.refresh();
  await warehouse.insertSettings();
  const { warnings } = await warehouse.refresh();
  return {
    account,
    warehouse,
    warnings,
    close: async () => {
      await warehouse[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Loads a version of each ticket after each event that changes the ticket, up to a time. */
async function loadVersions(account: TrueAccount, warehouse: TrueWarehouse, to: number): Promise<void> {
  const changes = account.log.filter(({ event }) => ['created', 'updated', 'merged', 'moved'].includes(event.kind));
  for (const { at, ticketId } of changes) {
    if (at <= account.now || at > to) continue;
    account.advanceTo(at);
    await warehouse.loadTicketVersion(ticketId);
  }
}

type Built = Awaited<ReturnType<typeof buildWarehouse>>;

async function expectRows(
  { warehouse }: Built,
  model: string,
  key: readonly string[],
  calculate: (now: bigint) => readonly Row[],
  isCompared: (row: Readonly<Record<string, unknown>>) => boolean = () => true,
): Promise<void> {
  const { rows, now } = await warehouse.readModel(model);
  const differences = compareRows({
    model,
    key,
    expected: calculate(now).filter(isCompared),
    actual: rows.filter(isCompared),
    ignored: ['evidence'],
  });
  expect(differences.length === 0 ? '' : [`The seed is ${SEED}.`, ...differences].join('\n')).toBe('');
}

describe('without activities and history', () => {
  let built: Built;
  let tickets: TicketMetrics[];
  beforeAll(async () => {
    built = await buildWarehouse({ objects: OPTIONAL_OBJECTS, activitiesFrom: null, hasSchedules: true });
    const calendar = built.account.buildCalendar();
    tickets = built.account.computeMetrics().map(({ history }) => new KnownMetrics(history, calendar, ACCOUNT_DAYS));
  });
  afterAll(() => built.close());

  test('ticket_metrics contains what the present records prove', async () => {
    await expectRows(built, 'ticket_metrics', ['ticket_id'], () => tickets.map((ticket) => ticket.buildRow()));
  });

  test('responses use the present group of the ticket', async () => {
    await expectRows(built, 'responses', ['response_id'], () => tickets.flatMap(listResponses));
  });

  test('sla_targets depend only on the present records', async () => {
    await expectRows(built, 'sla_targets', ['ticket_id', 'kind'], (now) =>
      tickets.flatMap((ticket) => listSlaTargets(ticket, now)),
    );
  });

  test('daily_summary counts only the last resolution of a ticket', async () => {
    const { rows } = await built.warehouse.readModel('daily_backlog');
    const lastDay = rows.map(({ day }) => String(day)).reduce((last, day) => (day > last ? day : last), '');
    const unresolved = listUnresolved(tickets, lastDay);
    await expectRows(built, 'daily_summary', ['day', 'group_id', 'source'], () => listSummaryRows(tickets, unresolved));
    const countByDay = (list: readonly Readonly<Record<string, unknown>>[]) =>
      [...Map.groupBy(list, ({ day }) => String(day))]
        .map(([day, members]) => `${day} ${members.reduce((sum, row) => sum + Number(row['open_tickets']), 0)}`)
        .sort();
    expect(countByDay(rows)).toEqual(countByDay(listBacklogRows(unresolved)));
  });

  test('company_monthly counts only the last resolution of a ticket', async () => {
    await expectRows(built, 'company_monthly', ['month', 'company_id'], () => listCompanyRows(tickets));
  });
});

describe('with activities from a later day on', () => {
  const from = TO - 100 * DAY_MS;
  const firstDay = Math.floor(from / DAY_MS) * DAY_MS;
  let built: Built;
  let tickets: TicketMetrics[];
  beforeAll(async () => {
    built = await buildWarehouse({ objects: OPTIONAL_OBJECTS, activitiesFrom: from, hasSchedules: true });
    tickets = built.account.computeMetrics();
  });
  afterAll(() => built.close());

  const isCovered = (ticket: TicketMetrics) => ticket.history.createdAt >= firstDay;

  test('only tickets that were created since that day are exact', async () => {
    const { rows } = await built.warehouse.readModel('ticket_metrics');
    const exact = rows.filter((row) => row['is_exact'] === true).map((row) => row['ticket_id'] as number);
    expect(exact.sort((a, b) => a - b)).toEqual(tickets.filter(isCovered).map(({ history }) => history.id));
  });

  test('the rows of exact tickets equal the log of events', async () => {
    const covered = new Set(tickets.filter(isCovered).map(({ history }) => history.id));
    const isCompared = (row: Readonly<Record<string, unknown>>) => covered.has(row['ticket_id'] as number);
    const listByTicket = (list: (ticket: TicketMetrics) => readonly Row[]) => () => tickets.flatMap(list);
    const rows = listByTicket((ticket) => [ticket.buildRow()]);
    await expectRows(built, 'ticket_metrics', ['ticket_id'], rows, isCompared);
    const periods = listByTicket(listStatusPeriods);
    await expectRows(built, 'ticket_status_periods', ['ticket_id', 'period'], periods, isCompared);
  });
});

describe('with a history of tickets that contains every change, and without activities', () => {
  let built: Built;
  beforeAll(async () => {
    const content = { objects: OPTIONAL_OBJECTS, activitiesFrom: null, hasSchedules: true, hasTicketHistory: true };
    built = await buildWarehouse(content, 40);
  });
  afterAll(() => built.close());

  test('the rows equal the log of events, but are not exact', async () => {
    const tickets = built.account.computeMetrics();
    await expectRows(built, 'ticket_metrics', ['ticket_id'], () =>
      tickets.map((ticket) => ({ ...ticket.buildRow(), is_exact: false })),
    );
    await expectRows(built, 'ticket_status_periods', ['ticket_id', 'period'], () => tickets.flatMap(listStatusPeriods));
  });
});

describe('without optional tables', () => {
  let built: Built;
  beforeAll(async () => {
    built = await buildWarehouse({ objects: [], activitiesFrom: null, hasSchedules: false });
  });
  afterAll(() => built.close());

  test('the columns that depend on them are null, and nothing fails', async () => {
    const { rows } = await built.warehouse.readModel('ticket_metrics');
    expect(rows).toHaveLength(600);
    const dependent = [
      'agent_responses',
      'customer_messages',
      'private_notes',
      'agents_involved',
      'minutes_tracked',
      'csat_score',
      'is_one_touch',
      'is_first_contact_resolution',
      'skewed_times',
      'last_answered_at',
      'first_response_minutes_business',
      'first_resolution_minutes_business',
      'full_resolution_minutes_business',
    ];
    for (const row of rows)
      expect(Object.fromEntries(dependent.map((name) => [name, row[name]]))).toEqual(
        Object.fromEntries(dependent.map((name) => [name, null])),
      );
    for (const model of ['responses', 'csat_responses', 'time_tracked', 'business_intervals'])
      expect((await built.warehouse.readModel(model)).rows, model).toEqual([]);
  });

  test('durations come from the times that Freshdesk stores in tickets', async () => {
    const { rows } = await built.warehouse.readModel('ticket_metrics');
    const toMinutes = (from: string, to: string | null) =>
      to === null ? null : Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 6) / 10_000);
    const records = [...built.account.account.listAllRecords('tickets')].map(
      ({ text }) =>
        JSON.parse(text) as { id: number; source: number; created_at: string; stats: Record<string, string> },
    );
    const expected = records.map(({ id, source, created_at, stats }) => ({
      ticket_id: id,
      first_response_minutes: source === 10 ? null : toMinutes(created_at, stats['first_responded_at'] ?? null),
      full_resolution_minutes: toMinutes(created_at, stats['resolved_at'] ?? null),
      first_resolution_minutes:
        stats['reopened_at'] === null ? toMinutes(created_at, stats['resolved_at'] ?? null) : null,
      is_exact: false,
    }));
    const compared = Object.keys(expected[0] ?? {});
    const actual = rows.map((row) => Object.fromEntries(compared.map((name) => [name, row[name]])));
    expect(compareRows({ model: 'ticket_metrics', key: ['ticket_id'], expected, actual })).toEqual([]);
  });

  test('warnings name the missing tables', () => {
    const subjects = built.warnings.filter(({ kind }) => kind === 'missing_table').map(({ message }) => message);
    for (const name of ['conversations', 'business_hours', 'groups', 'ticket_activities'])
      expect(
        subjects.some((message) => message.includes(name)),
        name,
      ).toBe(true);
  });
});
