import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  listAgentRows,
  listBacklogRows,
  listCompanyRows,
  listSummaryRows,
  listUnresolved,
} from './test-support/aggregates.ts';
import { compareRows } from './test-support/compare-rows.ts';
import { LocalDays } from './test-support/local-days.ts';
import { joinIntervals } from './test-support/open-intervals.ts';
import {
  describeRating,
  describeTimeEntry,
  listStatusRows,
  listTicketRows,
  RecordNames,
  toIntervalRows,
} from './test-support/record-rows.ts';
import type { Row, TicketMetrics } from './test-support/ticket-metrics.ts';
import {
  listRatings,
  listResponses,
  listSlaTargets,
  listStatusPeriods,
  listTags,
  listTimeEntries,
} from './test-support/ticket-rows.ts';
import { TrueAccount } from './test-support/true-account.ts';
import { type ModelRow, OPTIONAL_OBJECTS, TrueWarehouse } from './test-support/true-warehouse.ts';

const SEED = 1;
const DAY_MS = 86_400_000;
const SPAN_DAYS = 440;
/** The time to load 3,000 tickets and to build the models three times on a busy machine. */
const HOOK_TIMEOUT_MS = 300_000;
const TO = Date.parse('2026-11-01T12:00:00Z');

let database: TestDatabase;
let account: TrueAccount;
let warehouse: TrueWarehouse;
let tickets: TicketMetrics[];
let names: RecordNames;

beforeAll(async () => {
  database = await createDatabase();
  account = new TrueAccount({ seed: SEED, tickets: 3000, to: TO, spanDays: SPAN_DAYS, hasStatusDetails: true });
  warehouse = new TrueWarehouse(database, account, {
    objects: OPTIONAL_OBJECTS,
    activitiesFrom: TO - (SPAN_DAYS + 20) * DAY_MS,
    hasSchedules: true,
  });
  account.advanceTo(account.editedAt);
  await warehouse.loadSchedules();
  const firstSync = TO - 15 * DAY_MS;
  account.advanceTo(firstSync);
  await warehouse.loadAll();
  expect(await warehouse.refresh()).toMatchObject({ kind: 'built', warnings: [] });
  await warehouse.insertSettings();
  expect(await warehouse.refresh()).toMatchObject({ kind: 'rebuilt' });
  account.advanceTo(TO);
  await warehouse.loadAll(firstSync);
  // The last refresh recomputes only the tickets that have changed.
  const { kind, tickets: changedTickets } = await warehouse.refresh();
  expect(kind).toBe('refreshed');
  expect(changedTickets).toBeLessThan(500);
  tickets = account.computeMetrics();
  names = new RecordNames(account.account);
}, HOOK_TIMEOUT_MS);
afterAll(async () => {
  await warehouse[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

interface Expectation {
  readonly key: readonly string[];
  /** @param now the present time of the database, in microseconds. */
  readonly rows: (now: bigint) => readonly Row[];
  readonly ignored?: readonly string[];
}

/** Expects that a model has exactly the rows that are calculated from the log. */
async function expectRows(model: string, { key, rows: calculate, ignored = [] }: Expectation): Promise<void> {
  const { rows, now } = await warehouse.readModel(model);
  const differences = compareRows({ model, key, expected: calculate(now), actual: rows, ignored });
  expect(differences.length === 0 ? '' : [`The seed is ${SEED}.`, ...differences].join('\n')).toBe('');
}

/** Returns the last day of the aggregates, which is the day of the refresh. */
async function readLastDay(): Promise<string> {
  const { rows } = await warehouse.readModel('daily_backlog');
  return rows.map(({ day }) => String(day)).reduce((last, day) => (day > last ? day : last), '');
}

describe('the rows of each ticket equal a calculation from the log of events', () => {
  const listByTicket = (list: (ticket: TicketMetrics) => readonly Row[]) => () => tickets.flatMap(list);

  test('ticket_metrics', async () => {
    await expectRows('ticket_metrics', { key: ['ticket_id'], rows: listByTicket((ticket) => [ticket.buildRow()]) });
  });

  test('ticket_status_periods', async () => {
    const rows = listByTicket((ticket) => listStatusPeriods(ticket).map((row) => ({ ...row, evidence: 'activities' })));
    await expectRows('ticket_status_periods', { key: ['ticket_id', 'period'], rows });
  });

  test('responses', async () => {
    await expectRows('responses', { key: ['response_id'], rows: listByTicket(listResponses) });
  });

  test('sla_targets', async () => {
    const rows = (now: bigint) => tickets.flatMap((ticket) => listSlaTargets(ticket, now));
    await expectRows('sla_targets', { key: ['ticket_id', 'kind'], rows });
  });

  test('csat_responses', async () => {
    const rows = listByTicket((ticket) => listRatings(ticket).map((row) => describeRating(row, names, ticket)));
    await expectRows('csat_responses', { key: ['rating_id'], rows });
  });

  test('time_tracked', async () => {
    const rows = listByTicket((ticket) => listTimeEntries(ticket).map((row) => describeTimeEntry(row, names, ticket)));
    await expectRows('time_tracked', { key: ['time_entry_id'], rows });
  });

  test('ticket_tags', async () => {
    await expectRows('ticket_tags', { key: ['ticket_id', 'tag'], rows: listByTicket(listTags) });
  });

  test('tickets', async () => {
    const { rows } = await warehouse.readModel('tickets');
    const customFields = Object.keys(rows[0] ?? {}).filter((column) => column.startsWith('cf_'));
    // The labels of sources are partly in the account and partly in the documentation.
    const ignored = ['source_label', ...customFields];
    await expectRows('tickets', { key: ['id'], rows: () => listTicketRows(account.account, tickets), ignored });
  });

  test('ticket_statuses', async () => {
    await expectRows('ticket_statuses', { key: ['status'], rows: listStatusRows });
  });
});

describe('the aggregates equal a calculation from the log of events', () => {
  let unresolved: ReturnType<typeof listUnresolved>;
  beforeAll(async () => {
    unresolved = listUnresolved(tickets, await readLastDay());
  });

  test('daily_backlog', async () => {
    const rows = () => listBacklogRows(unresolved);
    await expectRows('daily_backlog', { key: ['day', 'group_id', 'priority', 'status'], rows });
  });

  test('daily_summary', async () => {
    const rows = () => listSummaryRows(tickets, unresolved);
    await expectRows('daily_summary', { key: ['day', 'group_id', 'source'], rows });
  });

  test('agent_daily', async () => {
    await expectRows('agent_daily', { key: ['day', 'agent_id'], rows: () => listAgentRows(tickets) });
  });

  test('company_monthly', async () => {
    await expectRows('company_monthly', { key: ['month', 'company_id'], rows: () => listCompanyRows(tickets) });
  });
});

describe('the report summary', () => {
  /** Columns of the summary by report: the name in the report, and the name in the summary. */
  const COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    tickets_created_resolved: { created: 'created', resolved: 'resolved' },
    first_response_time: Object.fromEntries(listStatistics('first_response_')),
    resolution_time: Object.fromEntries(listStatistics('resolution_')),
    sla: {
      first_response_percent: 'first_response_sla_percent',
      resolution_percent: 'resolution_sla_percent',
    },
    csat: { ratings: 'csat_ratings', positive_percent: 'csat_percent' },
  };
  const range = { from: '2026-05-01', to: '2026-08-01', timeZone: null };
  const read = async (name: string, groupBy: string): Promise<Map<unknown, ModelRow>> => {
    const { rows } = await warehouse.runReport(name, { ...range, groupBy });
    return new Map(rows.map((row) => [row['group_id'] ?? row['group'], row]));
  };

  test.each(['total', 'week', 'group', 'agent', 'source', 'company', 'priority', 'tag'])(
    'has the values of the single reports by %s',
    async (groupBy) => {
      const summary = await read('summary', groupBy);
      expect(summary.size).toBeGreaterThan(0);
      for (const [name, columns] of Object.entries(COLUMNS)) {
        const report = await read(name, groupBy);
        for (const key of new Set([...summary.keys(), ...report.keys()])) {
          for (const [column, summaryColumn] of Object.entries(columns)) {
            const isCount = ['created', 'resolved', 'ratings'].includes(column);
            const value = report.get(key)?.[column] ?? (isCount ? 0 : null);
            expect(summary.get(key)?.[summaryColumn], `${name} ${column} ${String(key)}`).toEqual(value);
          }
        }
      }
    },
  );

  test('has the tracked minutes of the time entries in the range', async () => {
    const summary = await read('summary', 'agent');
    const work = await read('agent_performance', 'agent');
    const minutes = [...work].filter(([, row]) => row['minutes_tracked'] !== 0);
    expect(minutes.length).toBeGreaterThan(0);
    for (const [agent, row] of minutes) expect(summary.get(agent)?.['minutes_tracked']).toBe(row['minutes_tracked']);
  });

  test('a report by `total` has one row, whose counts are the sums of the days', async () => {
    for (const name of ['tickets_created_resolved', 'summary']) {
      const [total, ...others] = [...(await read(name, 'total')).values()];
      expect(others).toEqual([]);
      expect(total?.['group']).toBe(range.from);
      const days = [...(await read(name, 'day')).values()];
      expect(days.reduce((sum, row) => sum + Number(row['created']), 0)).toBe(total?.['created']);
    }
    const days = [...(await read('backlog', 'day')).values()];
    const [backlog] = [...(await read('backlog', 'total')).values()];
    expect({ ...backlog, group: null }).toEqual({ ...days.at(-1), group: null });
  });

  function* listStatistics(prefix: string): Generator<[string, string]> {
    for (const unit of ['minutes', 'business_minutes'])
      for (const statistic of ['median', 'p90']) yield [`${unit}_${statistic}`, `${prefix}${unit}_${statistic}`];
  }
});

describe('business_intervals', () => {
  const listIntervals = async (): Promise<Map<number, ModelRow[]>> => {
    const { rows } = await warehouse.readModel('business_intervals');
    const sorted = rows.toSorted((a, b) => Date.parse(String(a['opens_at'])) - Date.parse(String(b['opens_at'])));
    return Map.groupBy(sorted, (row) => row['schedule_id'] as number);
  };

  test('equals the intervals of a walk over the local days of each schedule', async () => {
    // Intervals at the limits of the calculated range are incomplete.
    const from = TO - SPAN_DAYS * DAY_MS;
    const to = TO + 300 * DAY_MS;
    const clip = (opensAt: number, closesAt: number) => ({
      opensAt: Math.max(opensAt, from),
      closesAt: Math.min(closesAt, to),
    });
    const byId = await listIntervals();
    for (const { id } of account.listSchedules()) {
      const expected = joinIntervals(account.buildCalendar().getIntervals(id))
        .map(({ opensAt, closesAt }) => clip(opensAt, closesAt))
        .filter(({ opensAt, closesAt }) => opensAt < closesAt);
      const actual = (byId.get(id) ?? [])
        .map((row) => clip(Date.parse(String(row['opens_at'])), Date.parse(String(row['closes_at']))))
        .filter(({ opensAt, closesAt }) => opensAt < closesAt);
      const key = ['schedule_id', 'opens_at'];
      const rows = { expected: toIntervalRows(id, expected), actual: toIntervalRows(id, actual) };
      expect(compareRows({ model: 'business_intervals', key, ...rows })).toEqual([]);
    }
  });

  test('minutes_before of an interval is the sum of all earlier intervals, so open time only grows', async () => {
    for (const intervals of (await listIntervals()).values()) {
      let minutes = 0;
      let closedUntil = 0;
      for (const row of intervals) {
        const opensAt = Date.parse(String(row['opens_at']));
        const closesAt = Date.parse(String(row['closes_at']));
        expect(opensAt).toBeGreaterThan(closedUntil);
        expect(closesAt).toBeGreaterThan(opensAt);
        expect(row['minutes_before']).toBe(minutes);
        expect(row['open_time_before']).toBe(minutes * 60);
        minutes += (closesAt - opensAt) / 60_000;
        closedUntil = closesAt;
      }
    }
  });
});

test('the backlog of each day is that of the previous day plus created and reopened minus resolved tickets', async () => {
  const { rows } = await warehouse.readModel('daily_summary');
  const byDay = Map.groupBy(rows, ({ day }) => String(day));
  let backlog = 0;
  for (const [day, members] of [...byDay].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const sum = (column: string) => members.reduce((total, row) => total + (row[column] as number), 0);
    backlog += sum('created') + sum('reopened') - sum('resolved');
    expect(sum('unresolved'), day).toBe(backlog);
  }
});

test('the days of all models begin in the time zone that is set for the pipeline', async () => {
  expect(await warehouse.refresh('Chatham Is.')).toMatchObject({ kind: 'rebuilt', warnings: [] });
  const moved = account.computeMetrics(new LocalDays('Pacific/Chatham'));
  const rows = () => moved.map((ticket) => ticket.buildRow());
  await expectRows('ticket_metrics', { key: ['ticket_id'], rows });
  const unresolved = listUnresolved(moved, await readLastDay());
  await expectRows('daily_summary', {
    key: ['day', 'group_id', 'source'],
    rows: () => listSummaryRows(moved, unresolved),
  });
  await expectRows('agent_daily', { key: ['day', 'agent_id'], rows: () => listAgentRows(moved) });
  await expectRows('company_monthly', { key: ['month', 'company_id'], rows: () => listCompanyRows(moved) });
});
