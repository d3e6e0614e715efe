import { getObject, toTable } from '@freshet/freshdesk-extractor';
import { createDatabase, type TestDatabase, waitFor } from '@freshet/testing';
import type { Warehouse } from '@freshet/warehouse-loader';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadLines, openWarehouse } from '../truth/test-support/load-account.ts';
import { refreshAnalytics } from './refresh.ts';

const TARGET = { schema: 'acme', tablePrefix: '', timeZone: null };
const CREATED_AT = Date.parse('2025-02-03T08:00:00Z');

let database: TestDatabase;
let warehouse: Warehouse;
beforeAll(async () => {
  database = await createDatabase();
  warehouse = openWarehouse(database.warehouseUrl);
});
afterAll(async () => {
  await warehouse.close();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await database.sql.unsafe(`
    drop schema if exists acme cascade; drop schema if exists acme_analytics cascade;
    drop schema if exists reporting cascade; create schema reporting`);
  await loadBoxes([5]);
  expect((await refresh()).kind).toBe('built');
});

let nextId = 1;
/** Loads a new ticket for each value of the custom field `cf_boxes`. */
async function loadBoxes(values: readonly unknown[]): Promise<void> {
  const lines = values.map((cf_boxes) => {
    const id = nextId++;
    const at = new Date(CREATED_AT + id * 1000).toISOString();
    const fields = { status: 2, priority: 1, source: 1, created_at: at, updated_at: at };
    return JSON.stringify({ record: { id, ...fields, custom_fields: { cf_boxes } } });
  });
  const load = { schema: 'acme', extractedAt: CREATED_AT + nextId * 1000, hasHistory: true };
  await loadLines(warehouse, toTable(getObject('tickets')), lines, load);
}
const refresh = () => refreshAnalytics(database.sql, TARGET);
const query = async (text: string) => [...(await database.sql.unsafe<Record<string, unknown>[]>(text))];
const readType = async () =>
  (
    await query(`select data_type from information_schema.columns
    where table_schema = 'acme_analytics' and table_name = 'tickets' and column_name = 'cf_boxes'`)
  )[0]?.['data_type'];
/** Describes the models: their relations, columns, comments and recorded definitions. */
const describeModels = () =>
  query(`
    select c.oid, c.relfilenode, c.relname, pg_get_viewdef(c.oid) as definition, obj_description(c.oid) as comment,
      array(select a.attname || ' ' || format_type(a.atttypid, null) || coalesce(col_description(c.oid, a.attnum), '')
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 order by a.attnum) as columns,
      m.definition as hash
    from pg_class c left join acme_analytics._freshet_models m on m.model = c.relname
    where c.relnamespace = 'acme_analytics'::regnamespace and c.relkind in ('v', 'r') order by c.relname`);

describe('a custom field whose type changes', () => {
  test('is widened while the models exist, and a refresh then recomputes only the loaded tickets (T15)', async () => {
    await database.sql.unsafe(`
      create view reporting.boxes as select id, cf_boxes from acme_analytics.tickets;
      create materialized view reporting.stored as select count(cf_boxes) as n from reporting.boxes`);
    for (const [type, values] of [
      ['numeric', [5.5, 6.5]],
      ['text', ['many', 'some', 'few', 'none']],
    ] as const) {
      const hashes = (await describeModels()).map((model) => model['hash']);
      await loadBoxes(values);
      expect(await readType()).toBe(type);
      const widened = await describeModels();
      expect(widened.map((model) => model['hash'])).toEqual(hashes);
      expect(await refresh()).toMatchObject({ kind: 'refreshed', tickets: values.length });
      // The refresh keeps the views that the load has created again.
      const describeViews = (models: typeof widened) => models.filter((model) => model['definition'] !== null);
      expect(describeViews(await describeModels())).toEqual(describeViews(widened));
      expect((await refresh()).kind).toBe('unchanged');
    }
    const rows = await query('select cf_boxes from reporting.boxes order by id');
    expect(rows.map((row) => row['cf_boxes'])).toEqual(['5', '5.5', '6.5', 'many', 'some', 'few', 'none']);
    expect(await query('select n::int from reporting.stored')).toEqual([{ n: 3 }]);
    // The models equal those of a new installation.
    const columns = (await describeModels()).map((model) => model['columns']);
    const read = () => query('select t.* from acme_analytics.tickets t order by id');
    const tickets = await read();
    await database.sql.unsafe('drop schema acme_analytics cascade');
    expect((await refresh()).kind).toBe('built');
    expect((await describeModels()).map((model) => model['columns'])).toEqual(columns);
    expect(await read()).toEqual(tickets);
  });

  test('keeps its type if a view over a model does not work with the new type, and no model changes', async () => {
    await database.sql.unsafe(
      'create view reporting.twice as select cf_boxes * 2 as twice from acme_analytics.tickets',
    );
    const models = await describeModels();
    await loadBoxes(['many', 'some']);
    expect(await readType()).toBe('bigint');
    expect(await describeModels()).toEqual(models);
    expect(await query('select twice::int from reporting.twice where twice is not null')).toEqual([{ twice: 10 }]);
    expect(await query(`select count(*)::int as n from acme.tickets where _freshet_notes ? 'kept_in_extra'`)).toEqual([
      { n: 2 },
    ]);
    await database.sql.unsafe('drop view reporting.twice');
    await loadBoxes(['few']);
    expect(await readType()).toBe('text');
    expect((await refresh()).kind).toBe('refreshed');
  });

  test('keeps its type during a refresh, and is widened by a later load', async () => {
    const blocker = await database.sql.reserve();
    await blocker.unsafe('begin; lock table acme_analytics.analytics_warnings in access exclusive mode');
    const refreshing = refresh();
    await waitFor(
      async () =>
        (
          await query(
            `select from pg_locks where not granted and relation = 'acme_analytics.analytics_warnings'::regclass`,
          )
        ).length > 0,
      'the refresh waits for a lock',
    );
    await loadBoxes(['many', 'some']);
    expect(await readType()).toBe('bigint');
    await blocker.unsafe('commit');
    blocker.release();
    await refreshing;
    await loadBoxes(['few']);
    expect(await readType()).toBe('text');
    expect(await refresh()).toMatchObject({ kind: 'refreshed', tickets: 3 });
  });
});
