import { isDeepStrictEqual } from 'node:util';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadModels } from '../models/model.ts';
import { chooseSeed, Random } from '../test-support/random.ts';
import { RandomAccount } from '../test-support/random-account.ts';
import type { TestWarehouse } from '../test-support/warehouse.ts';
import { refreshAnalytics } from './refresh.ts';

const TABLES = loadModels().filter(({ materialized }) => materialized !== 'view');

let database: TestDatabase;
let random: Random;
beforeAll(async () => {
  database = await createDatabase();
});
beforeEach(() => {
  random = new Random(chooseSeed());
});
afterAll(() => database[Symbol.asyncDispose]());

/** Returns the rows of all tables of models, sorted. */
async function readTables(warehouse: TestWarehouse): Promise<Map<string, unknown[]>> {
  const tables = new Map<string, unknown[]>();
  for (const { name } of TABLES) {
    const rows = await warehouse.query(`select to_jsonb(m)::text as row from ${warehouse.model(name)} m order by 1`);
    tables.set(
      name,
      rows.map((row) => row['row']),
    );
  }
  return tables;
}

/** Computes all rows again, as if changes had not been recorded. */
async function recomputeEverything(warehouse: TestWarehouse): Promise<void> {
  await database.sql.unsafe(
    `update ${warehouse.model('_freshet_state')} set value = 'true' where key = 'rebuild_needed'`,
  );
  expect((await refreshAnalytics(database.sql, warehouse.target)).kind).toBe('rebuilt');
}

function expectEqualTables(actual: ReadonlyMap<string, unknown[]>, expected: ReadonlyMap<string, unknown[]>): void {
  for (const { name } of TABLES) expect({ name, rows: actual.get(name) }).toEqual({ name, rows: expected.get(name) });
}

describe('refreshAnalytics', () => {
  test('refreshes after random changes equal a complete build', async () => {
    const { warehouse, account } = await createAccount(60);
    const built = await refreshAnalytics(database.sql, warehouse.target);
    expect(built).toMatchObject({ kind: 'built', tickets: 60 });
    // Compare after each change, because a later refresh would repair days that a refresh missed.
    let before = await readTables(warehouse);
    for (let round = 0; round < 15; round++) {
      await account.change(1);
      const { kind } = await refreshAnalytics(database.sql, warehouse.target);
      const refreshed = await readTables(warehouse);
      // All tickets depend on the time of the oldest activity, which an erasure can remove.
      expect(kind).toBe(isDeepStrictEqual(refreshed.get('account'), before.get('account')) ? 'refreshed' : 'rebuilt');
      before = refreshed;
      await recomputeEverything(warehouse);
      expectEqualTables(refreshed, await readTables(warehouse));
    }
    expect((await refreshAnalytics(database.sql, warehouse.target)).kind).toBe('unchanged');
    const refreshed = await readTables(warehouse);
    await database.sql.unsafe(`drop schema "${warehouse.schema}_analytics" cascade`);
    expect((await refreshAnalytics(database.sql, warehouse.target)).kind).toBe('built');
    expectEqualTables(refreshed, await readTables(warehouse));
  });

  test('the backlog of a day is that of the previous day, plus created, plus reopened, minus resolved', async () => {
    const { warehouse } = await createAccount(80);
    await refreshAnalytics(database.sql, warehouse.target);
    const days = await warehouse.query(`
      select d.day::text as day, coalesce(b.backlog, 0)::int as backlog,
        (coalesce(lag(b.backlog) over (order by d.day), 0) + coalesce(s.change, 0))::int as expected,
        coalesce(s.unresolved, 0)::int as unresolved
      from ${warehouse.model('account_days')} d
      left join (
        select day, sum(open_tickets) as backlog from ${warehouse.model('daily_backlog')} group by 1
      ) b on b.day = d.day
      left join (
        select day, sum(created + reopened - resolved) as change, sum(unresolved) as unresolved
        from ${warehouse.model('daily_summary')} group by 1
      ) s on s.day = d.day
      order by 1`);
    expect(days.filter(({ backlog, expected, unresolved }) => backlog !== expected || backlog !== unresolved)).toEqual(
      [],
    );
    expect(days.some(({ backlog }) => Number(backlog) > 0)).toBe(true);
  });

  test('business time is monotonic, and splitting an interval does not change it', async () => {
    const { warehouse } = await createAccount(5);
    await refreshAnalytics(database.sql, warehouse.target);
    const times = Array.from({ length: 300 }, () => Date.UTC(2026, 0, 1) + Math.floor(random.next() * 3e10)).sort(
      (a, b) => a - b,
    );
    const schedules = [1, 2, 3, 4, 5, 6, 7, 8];
    const rows = await warehouse.query(`
      with points as (
        select s.id as schedule_id, t.at, ${buildOpenTime(warehouse, 's.id', 't.at')} as f
        from unnest(array[${schedules.join(',')}]::bigint[]) s (id)
        cross join unnest('{${times.map((ms) => new Date(ms).toISOString()).join(',')}}'::timestamptz[]) t (at)
      )
      select schedule_id, at, f, lag(f) over w as previous, extract(epoch from f - lag(f) over w) as open_seconds,
        extract(epoch from at - lag(at) over w) as seconds,
        (
          select coalesce(sum(extract(epoch from least(i.closes_at, p.at) - greatest(i.opens_at, p.since))), 0)
          from ${warehouse.model('business_intervals')} i
          where i.schedule_id = p.schedule_id and i.opens_at < p.at and i.closes_at > p.since
        ) as overlap
      from (select p.*, lag(at) over (partition by schedule_id order by at) as since from points p) p
      window w as (partition by schedule_id order by at)`);
    for (const row of rows.filter(({ previous }) => previous !== null)) {
      const open = Number(row['open_seconds']);
      expect(open).toBeGreaterThanOrEqual(0);
      expect(open).toBeLessThanOrEqual(Number(row['seconds']));
      // F(b) - F(a) is the sum of the parts of all intervals between a and b.
      expect(open).toBeCloseTo(Number(row['overlap']), 6);
    }
    expect(rows.some((row) => Number(row['open_seconds']) > 0)).toBe(true);
  });
});

async function createAccount(tickets: number): Promise<{ warehouse: TestWarehouse; account: RandomAccount }> {
  const account = await RandomAccount.create(database.sql, random, tickets);
  return { warehouse: account.warehouse, account };
}

/** F(schedule, at), from the rows of business_days. */
function buildOpenTime(warehouse: TestWarehouse, schedule: string, at: string): string {
  return `(
    select d.open_time_before + (least(greatest(${at}, d.opens_1), d.closes_1) - d.opens_1)
      + (least(greatest(${at}, d.opens_2), d.closes_2) - d.opens_2)
    from ${warehouse.model('business_days')} d
    where d.schedule_id = ${schedule} and d.day = (${at} at time zone 'UTC')::date
  )`;
}
