import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadModels, type Model } from '../models/model.ts';
import { refreshAnalytics } from '../refresh/refresh.ts';
import { TestWarehouse } from '../test-support/warehouse.ts';

let database: TestDatabase;
let warehouse: TestWarehouse;
beforeAll(async () => {
  database = await createDatabase();
  await database.sql.unsafe('create role reader_of_models');
});
afterAll(async () => {
  await database.sql.unsafe('drop owned by reader_of_models; drop role reader_of_models');
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await database.sql.unsafe('drop schema if exists reporting cascade');
  warehouse = await TestWarehouse.create(database.sql);
  await warehouse.insert('tickets', [
    {
      id: 1,
      status: 2,
      priority: 1,
      source: 1,
      created_at: '2025-02-03T08:00:00Z',
      updated_at: '2025-02-03T08:00:00Z',
    },
  ]);
  await refreshAnalytics(database.sql, warehouse.target);
  await database.sql.unsafe('create schema reporting');
});

/** Returns the models with changes to one of them. */
function changeModel(name: string, change: (model: Model) => Partial<Model>): Model[] {
  return loadModels().map((model) => (model.name === name ? { ...model, ...change(model) } : model));
}

/** Removes a column of a model's final SELECT. The column must be on a separate line. */
const removeColumn = (column: string) => (model: Model) => ({
  columns: model.columns.filter(({ name }) => name !== column),
  sql: model.sql.replace(new RegExp(`,\\n +[^\\n]+ as ${column}(?=\\n)`), ''),
});

const addColumn = (model: Model) => ({
  columns: [...model.columns, { name: 'extra', type: 'integer', description: 'Extra.' }],
  sql: model.sql.replace(
    /\nfrom \{\{ ref\('backlog_days'\) \}\} b/,
    ",\n  7::integer as extra\nfrom {{ ref('backlog_days') }} b",
  ),
});

const upgrade = (models: readonly Model[]) => refreshAnalytics(database.sql, warehouse.target, models);

describe('an upgrade of the models', () => {
  test('does not touch unchanged models', async () => {
    const read = () =>
      warehouse.query(
        `select relname, oid, relfilenode from pg_class where relnamespace = 'acme_analytics'::regnamespace order by 1`,
      );
    const before = await read();
    expect((await refreshAnalytics(database.sql, warehouse.target)).kind).toBe('unchanged');
    expect(await read()).toEqual(before);
  });

  test('adds a column to a view in place, so that views of users stay', async () => {
    await database.sql.unsafe(
      `create view reporting.mine as select day, open_tickets from acme_analytics.daily_backlog`,
    );
    const before = await warehouse.query(`select 'reporting.mine'::regclass::oid as oid`);
    await upgrade(changeModel('daily_backlog', addColumn));
    expect(await warehouse.query('select extra from acme_analytics.daily_backlog limit 1')).toEqual([{ extra: 7 }]);
    expect(await warehouse.query(`select 'reporting.mine'::regclass::oid as oid`)).toEqual(before);
  });

  test('recreates views of users that use unchanged columns, with owner, privileges, comment and indexes', async () => {
    await database.sql.unsafe(`
      create view reporting.mine with (security_barrier) as
        select ticket_id, minutes from acme_analytics.ticket_status_periods;
      create view reporting.above as select ticket_id as ticket from reporting.mine;
      create materialized view reporting.stored as select ticket from reporting.above;
      create unique index stored_ticket on reporting.stored (ticket);
      grant usage on schema reporting to reader_of_models;
      alter view reporting.above owner to reader_of_models;
      grant select on reporting.mine to reader_of_models, public;
      comment on view reporting.mine is 'It''s mine';
      grant select on acme_analytics.ticket_status_periods to reader_of_models`);
    const describeViews = () =>
      warehouse.query(`
        select c.relname, c.relkind, pg_get_viewdef(c.oid) as definition, pg_get_userbyid(c.relowner) as owner,
          array(select a::text from unnest(c.relacl) a order by 1) as privileges, c.reloptions,
          obj_description(c.oid, 'pg_class') as comment,
          (select indexdef from pg_indexes i where i.schemaname = 'reporting' and i.tablename = c.relname) as index
        from pg_class c where c.relnamespace = 'reporting'::regnamespace and c.relkind in ('v', 'm') order by 1`);
    const before = await describeViews();
    const { kind } = await upgrade(changeModel('ticket_status_periods', removeColumn('evidence')).map(dropEvidence));
    expect(kind).toBe('rebuilt');
    expect(await describeViews()).toEqual(before);
    expect(await warehouse.query('select ticket from reporting.stored')).toEqual([{ ticket: '1' }]);
    expect(
      await warehouse.query(
        `select has_table_privilege('reader_of_models', 'acme_analytics.ticket_status_periods', 'select')
           as allowed`,
      ),
    ).toEqual([{ allowed: true }]);
  });

  test('refuses to remove a column that a view of a user needs, and changes nothing', async () => {
    await database.sql.unsafe(
      `create view reporting.mine as select evidence from acme_analytics.ticket_status_periods`,
    );
    const error = await upgrade(changeModel('ticket_status_periods', removeColumn('evidence')).map(dropEvidence)).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'conflict' });
    expect((error as Error).message).toContain('"reporting"."mine" uses the column "evidence"');
    expect(await warehouse.query('select evidence from reporting.mine')).toEqual([{ evidence: 'stats' }]);
    expect((await refreshAnalytics(database.sql, warehouse.target)).kind).toBe('unchanged');
  });

  test('drops models that no longer exist, but refuses if a view of a user needs one', async () => {
    const without = loadModels().filter(({ name }) => name !== 'ticket_tags');
    await database.sql.unsafe(`create view reporting.mine as select tag from acme_analytics.ticket_tags`);
    await expect(upgrade(without)).rejects.toMatchObject({ code: 'conflict' });
    await database.sql.unsafe('drop view reporting.mine');
    await upgrade(without);
    expect(await warehouse.query(`select to_regclass('acme_analytics.ticket_tags') as t`)).toEqual([{ t: null }]);
  });

  test('never changes the tables of the user', async () => {
    await database.sql.unsafe(`
      insert into acme_analytics.business_holidays (day, name) values ('2025-05-01', 'Labor Day');
      alter table acme_analytics.business_holidays add column note text default 'mine'`);
    await upgrade(changeModel('daily_backlog', addColumn));
    expect(await warehouse.query('select name, note from acme_analytics.business_holidays')).toEqual([
      { name: 'Labor Day', note: 'mine' },
    ]);
  });
});

/** Adapts the models that read the removed column. */
function dropEvidence(model: Model): Model {
  return model.name === 'ticket_metrics'
    ? { ...model, sql: model.sql.replaceAll(/p\.evidence (<>|=) '\w+'/g, 'false') }
    : model;
}
