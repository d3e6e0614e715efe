import { createDatabase, type TestDatabase } from '@freshet/testing';
import { runReadOnly } from '@freshet/warehouse-loader';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HAND_CASES } from '../cases/index.ts';
import type { ReportArguments } from '../interface.ts';
import { buildCaseWarehouse } from '../test-support/case-warehouse.ts';
import { TestWarehouse } from '../test-support/warehouse.ts';
import { listReports } from './report.ts';
import { runReport } from './run-report.ts';

const TIMEOUT_MS = 60_000;
const OPTIONS = { limit: 1000 };
const YEAR: ReportArguments = { from: '2025-01-01', to: '2026-01-01', groupBy: null, timeZone: null };

let database: TestDatabase;
let warehouse: TestWarehouse;
beforeAll(async () => {
  database = await createDatabase();
  const cases = HAND_CASES.flatMap(({ cases: list }) => list).filter(({ account }) => account === 'activities');
  warehouse = await buildCaseWarehouse(database.sql, 'activities', cases);
});
afterAll(() => database[Symbol.asyncDispose]());

const run = (name: string, parameters: Partial<ReportArguments> = {}, options = OPTIONS) =>
  runIn(warehouse, name, { ...YEAR, ...parameters }, options);
const runIn = ({ target }: TestWarehouse, name: string, reportArguments: ReportArguments, options = OPTIONS) =>
  runReadOnly(database.sql, TIMEOUT_MS, (transaction) =>
    runReport(transaction, target, name, reportArguments, options),
  );

describe('runReport', () => {
  const combinations = listReports().flatMap(({ name, groupBy }) =>
    [null, ...groupBy].map((group) => ({ name, groupBy: group })),
  );
  test.each(combinations)('returns the declared columns of $name by $groupBy', async ({ name, groupBy }) => {
    const { columns, rows, truncated } = await run(name, { groupBy });
    expect(truncated).toBe(false);
    for (const row of rows) expect(Object.keys(row)).toEqual(columns.map((column) => column.name));
    const isEmpty = ['csat', 'sla'].includes(name) || groupBy === 'tag';
    expect(rows.length > 0).toBe(!isEmpty);
  });

  test('groups by days of the requested time zone', async () => {
    const inBerlin = await run('tickets_created_resolved', { from: '2025-02-03', to: '2025-02-04' });
    const inAuckland = await run('tickets_created_resolved', {
      from: '2025-02-03',
      to: '2025-02-04',
      timeZone: 'Auckland',
    });
    // The day ends at 23:00 UTC in Berlin, and at 11:00 UTC in Auckland.
    for (const name of ['created', 'resolved'])
      expect(Number(inAuckland.rows[0]?.[name])).toBeLessThan(Number(inBerlin.rows[0]?.[name]));
    expect([inBerlin.rows, inAuckland.rows].map((rows) => rows.map((row) => row['group']))).toEqual([
      ['2025-02-03'],
      ['2025-02-03'],
    ]);
  });

  test('returns names and ids of groups', async () => {
    const { rows } = await run('tickets_created_resolved', { groupBy: 'group' });
    expect(rows.find((row) => row['group_id'] === '10')?.['group']).toBe('Berlin');
  });

  test('returns at most `limit` rows and states that there are more', async () => {
    const { rows, truncated } = await run('busiest_hours', {}, { ...OPTIONS, limit: 1 });
    expect([rows.length, truncated]).toEqual([1, true]);
  });

  test('the backlog report equals the model daily_backlog', async () => {
    const { rows } = await run('backlog', { from: '2025-02-01', to: '2025-02-10' });
    const expected = await warehouse.query(
      `select day::text as "group", sum(open_tickets)::int as open from ${warehouse.model('daily_backlog')}
       where day >= '2025-02-01' and day < '2025-02-10' group by 1 order by 1`,
    );
    expect(rows.map((row) => [row['group'], row['open_tickets']])).toEqual(
      expected.map((row) => [row['group'], row['open']]),
    );
  });

  test.each([
    ['an unknown report', 'nothing', {}, 'not_found'],
    ['an unknown group', 'csat', { groupBy: 'planet' }, 'invalid_input'],
    ['a group of a report without groups', 'busiest_hours', { groupBy: 'day' }, 'invalid_input'],
    ['an impossible day', 'csat', { from: '2025-02-30' }, 'invalid_input'],
    ['an empty range', 'csat', { from: '2025-02-03', to: '2025-02-03' }, 'invalid_input'],
    ['an unknown time zone', 'csat', { timeZone: "Mars'" }, 'invalid_input'],
  ] as const)('rejects %s', async (_, name, parameters, code) => {
    await expect(run(name, parameters)).rejects.toMatchObject({ code });
  });

  test('rejects a schema without models', async () => {
    const other = await TestWarehouse.create(database.sql, { schema: 'other' });
    await expect(runIn(other, 'csat', YEAR)).rejects.toMatchObject({ code: 'conflict' });
  });
});
