import { createDatabase, type TestDatabase } from '@freshet/testing';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSources } from '../models/sources.ts';
import { getAnalyticsSchema, quote } from '../sql.ts';
import { TestWarehouse } from '../test-support/warehouse.ts';
import { refreshAnalytics, removeChangeTracking } from './refresh.ts';

const TICKET = {
  id: 1,
  status: 2,
  priority: 1,
  source: 1,
  created_at: '2025-02-03T08:00:00Z',
  updated_at: '2025-02-03T08:00:00Z',
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const refresh = (warehouse: TestWarehouse) => refreshAnalytics(database.sql, warehouse.target);
const listTables = () => [...loadSources().values()].filter(({ kind }) => kind === 'freshdesk').map(({ name }) => name);

describe('refreshAnalytics', () => {
  test('works without any table of the pipeline', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'empty', missing: listTables() });
    const { kind, warnings } = await refresh(warehouse);
    expect(kind).toBe('built');
    expect(warnings.map((warning) => warning.kind)).toContain('missing_table');
    expect(await warehouse.query(`select * from ${warehouse.model('tickets')}`)).toEqual([]);
  });

  test('adopts each table that is created later', async () => {
    const others = listTables().filter((name) => name !== 'tickets');
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'missing', missing: others });
    await warehouse.insert('tickets', [TICKET]);
    expect((await refresh(warehouse)).kind).toBe('built');
    for (const table of others) {
      await warehouse.createTable(table);
      expect(['rebuilt', 'refreshed']).toContain((await refresh(warehouse)).kind);
    }
    const { kind, warnings } = await refresh(warehouse);
    expect({ kind, warnings: warnings.map((warning) => warning.kind) }).toEqual({
      kind: 'unchanged',
      warnings: ['unknown_time_zone'],
    });
    expect(await warehouse.query(`select ticket_id from ${warehouse.model('ticket_metrics')}`)).toHaveLength(1);
  });

  test('returns null for counts of messages without the table conversations, and uses stats for the first response', async () => {
    const warehouse = await TestWarehouse.create(database.sql, {
      schema: 'silent',
      missing: ['conversations', 'business_hours'],
    });
    await warehouse.insert('tickets', [{ ...TICKET, stats: { first_responded_at: '2025-02-03T08:30:00Z' } }]);
    await refresh(warehouse);
    const [row] = await warehouse.query(`select * from ${warehouse.model('ticket_metrics')}`);
    expect(row).toMatchObject({
      first_response_minutes: '30.0000',
      first_response_minutes_business: null,
      agent_responses: null,
      customer_messages: null,
      is_one_touch: null,
      is_exact: false,
    });
  });

  test('treats a column that does not exist, or that has another type, as empty', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'columns' });
    await database.sql.unsafe(`
      alter table columns.tickets drop column due_by, drop column tags, alter column group_id type text;
      alter table columns.tickets rename column status to state;
      comment on column columns.tickets.state is 'Renamed. {"path":["status"]}'`);
    await database.sql.unsafe(
      `insert into columns.tickets (id, state, group_id, created_at) values (1, 4, 'abc', now())`,
    );
    const { warnings } = await refresh(warehouse);
    expect(warnings.map((warning) => warning.kind)).toContain('unusable_column');
    expect(await warehouse.query(`select status, group_id, due_by, tags from columns_analytics.tickets`)).toEqual([
      { status: '4', group_id: null, due_by: null, tags: [] },
    ]);
  });

  test('shows custom fields with their types, and adopts new ones', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'custom' });
    await database.sql.unsafe('alter table custom.tickets add column "cf_boxes" bigint');
    await refresh(warehouse);
    await database.sql.unsafe('create view custom.mine as select cf_boxes from custom_analytics.tickets');
    await database.sql.unsafe(
      `alter table custom.tickets add column "cf_a""b" text; insert into custom.tickets (id, cf_boxes, "cf_a""b") values (1, 3, 'x')`,
    );
    await refresh(warehouse);
    expect(await warehouse.query(`select cf_boxes, "cf_a""b" as quoted from custom_analytics.tickets`)).toEqual([
      { cf_boxes: '3', quoted: 'x' },
    ]);
    expect(await warehouse.query('select cf_boxes from custom.mine')).toEqual([{ cf_boxes: '3' }]);
  });

  test.each([
    ['quotes and upper case', { schema: `It's "My" Schema` }],
    ['a table prefix', { schema: 'prefixed', tablePrefix: 'fd_' }],
    ['a long name', { schema: `${'ü'.repeat(25)}_long_schema` }],
  ])('works with a schema with %s', async (_, options) => {
    await database.sql.unsafe(`drop schema if exists ${quote(getAnalyticsSchema(options.schema))} cascade`);
    const warehouse = await TestWarehouse.create(database.sql, options);
    await warehouse.insert('tickets', [TICKET]);
    expect((await refresh(warehouse)).kind).toBe('built');
    await warehouse.insert('tickets', [{ ...TICKET, id: 2 }]);
    expect(await refresh(warehouse)).toMatchObject({ kind: 'refreshed', tickets: 1 });
    expect(Buffer.byteLength(getAnalyticsSchema(options.schema))).toBeLessThanOrEqual(63);
  });

  test('builds separate models when the table prefix is removed', async () => {
    const prefixed = await TestWarehouse.create(database.sql, { schema: 'renamed', tablePrefix: 'fd_' });
    await refresh(prefixed);
    await database.sql.unsafe(
      listTables()
        .map((name) => `alter table renamed."fd_${name}" rename to "${name}"`)
        .join('; '),
    );
    const target = { ...prefixed.target, tablePrefix: '' };
    expect((await refreshAnalytics(database.sql, target)).kind).toBe('built');
    await database.sql.unsafe('insert into renamed.tickets (id, created_at) values (1, now())');
    expect(await refreshAnalytics(database.sql, target)).toMatchObject({ kind: 'refreshed', tickets: 1 });
  });

  test('falls back to the time zone of the account, with a warning, if the server does not know a time zone', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'zones' });
    await warehouse.insert('business_hours', [
      { id: 1, name: 'Main', is_default: true, time_zone: 'Magadan', business_hours: {} },
      { id: 2, name: 'Other', is_default: false, time_zone: 'Atlantis', business_hours: {} },
    ]);
    const { warnings } = await refresh(warehouse);
    expect(warnings.filter((warning) => warning.kind === 'unknown_time_zone').map(({ message }) => message)).toEqual([
      expect.stringContaining('"Atlantis" of the calendar "Other"'),
    ]);
    expect(
      await warehouse.query('select schedule_id, time_zone from zones_analytics.schedule_versions order by 1'),
    ).toEqual([
      { schedule_id: '1', time_zone: 'Asia/Magadan' },
      { schedule_id: '2', time_zone: 'Asia/Magadan' },
    ]);
    const unknown = await refreshAnalytics(database.sql, { ...warehouse.target, timeZone: 'Nowhere' });
    expect(unknown.warnings.map(({ message }) => message)).toEqual(
      expect.arrayContaining([expect.stringContaining('"Nowhere" of the account. Days begin in Asia/Magadan.')]),
    );
    await refreshAnalytics(database.sql, { ...warehouse.target, timeZone: 'europe/berlin' });
    expect(await warehouse.query('select time_zone from zones_analytics.account')).toEqual([
      { time_zone: 'Europe/Berlin' },
    ]);
  });

  test('knows all time zones of Rails', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'rails' });
    await refresh(warehouse);
    const zones = await warehouse.query(`
      select z.name, z.time_zone from ${warehouse.model('time_zones')} z
      join pg_timezone_names n on n.name = z.time_zone order by z.name`);
    expect(zones).toHaveLength(152);
    expect(zones).toEqual(
      expect.arrayContaining([
        { name: 'Magadan', time_zone: 'Asia/Magadan' },
        { name: 'Eastern Time (US & Canada)', time_zone: 'America/New_York' },
        { name: "Nuku'alofa", time_zone: 'Pacific/Tongatapu' },
      ]),
    );
  });

  test('recomputes all tickets when the hours of a calendar change', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'edited' });
    const hours = { monday: { start_time: '9:00 am', end_time: '5:00 pm' } };
    await warehouse.insert('business_hours', [
      { id: 1, name: 'Main', is_default: true, time_zone: 'UTC', business_hours: hours },
    ]);
    await warehouse.insert('tickets', [TICKET]);
    await warehouse.insert('conversations', [
      {
        id: 1,
        ticket_id: 1,
        incoming: false,
        private: false,
        source: 0,
        user_id: 1,
        created_at: '2025-02-03T10:00:00Z',
      },
    ]);
    const read = () =>
      warehouse.query('select first_response_minutes_business as m from edited_analytics.ticket_metrics');
    await refresh(warehouse);
    expect(await read()).toEqual([{ m: '60.0000' }]);
    await database.sql.unsafe(
      `update edited.business_hours set business_hours = jsonb_set(business_hours, '{monday,start_time}', '"8:30 am"')`,
    );
    expect((await refresh(warehouse)).kind).toBe('rebuilt');
    expect(await read()).toEqual([{ m: '90.0000' }]);
    await database.sql.unsafe(`insert into edited_analytics.business_holidays (day) values ('2025-02-03')`);
    expect((await refresh(warehouse)).kind).toBe('rebuilt');
    expect(await read()).toEqual([{ m: '0.0000' }]);
  });

  test('names the statements that grant missing privileges', async () => {
    await database.sql.unsafe(`drop role if exists "loader-role"; create role "loader-role" login password 'x'`);
    const url = Object.assign(new URL(database.url), { username: 'loader-role', password: 'x' }).href;
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    try {
      const warehouse = await TestWarehouse.create(database.sql, { schema: 'granted' });
      await database.sql.unsafe(`
        grant usage on schema granted to "loader-role"; grant select on all tables in schema granted to "loader-role";
        drop schema if exists granted_analytics cascade; revoke create on database ${database.name} from public`);
      const fail = () =>
        refreshAnalytics(sql, warehouse.target).catch((error: unknown) => error as Error & { code: string });
      expect(await fail()).toMatchObject({
        code: 'warehouse_permission',
        message: expect.stringContaining('CREATE SCHEMA "granted_analytics" AUTHORIZATION "loader-role";'),
      });
      await database.sql.unsafe('create schema granted_analytics');
      expect(await fail()).toMatchObject({
        message: expect.stringContaining('GRANT USAGE, CREATE ON SCHEMA "granted_analytics" TO "loader-role";'),
      });
      await database.sql.unsafe('grant usage, create on schema granted_analytics to "loader-role"');
      expect(await fail()).toMatchObject({
        message: expect.stringContaining('GRANT SELECT, TRIGGER ON "granted"."tickets" TO "loader-role";'),
      });
      await database.sql.unsafe('grant trigger on all tables in schema granted to "loader-role"');
      expect((await refreshAnalytics(sql, warehouse.target)).kind).toBe('built');
    } finally {
      await sql.end();
      await database.sql.unsafe('drop owned by "loader-role" cascade; drop role "loader-role"');
    }
  });
});

describe('removeChangeTracking', () => {
  test('drops the triggers and keeps the rows, and a later refresh recomputes what was missed', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'untracked' });
    await warehouse.insert('tickets', [TICKET]);
    await refresh(warehouse);
    await removeChangeTracking(database.sql, warehouse.target);
    expect(await warehouse.query(`select from pg_trigger where tgrelid = 'untracked.tickets'::regclass`)).toEqual([]);
    await warehouse.insert('tickets', [{ ...TICKET, id: 2 }]);
    expect(await warehouse.query('select ticket_id from untracked_analytics.ticket_metrics')).toHaveLength(1);
    expect((await refresh(warehouse)).kind).toBe('rebuilt');
    expect(await warehouse.query('select ticket_id from untracked_analytics.ticket_metrics')).toHaveLength(2);
  });

  test('does nothing for a schema that does not exist', async () => {
    await removeChangeTracking(database.sql, { schema: 'nowhere', tablePrefix: '', timeZone: null });
  });
});
