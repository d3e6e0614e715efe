import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CASE_CALENDARS } from '../cases/account.ts';
import { loadModels } from '../models/model.ts';
import { TestWarehouse } from '../test-support/warehouse.ts';
import { refreshAnalytics } from './refresh.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

describe('refreshAnalytics', () => {
  test('installs every model with the declared columns and comments', async () => {
    const warehouse = await TestWarehouse.create(database.sql);
    const result = await refreshAnalytics(database.sql, warehouse.target);
    expect(result.kind).toBe('built');
    const rows = await warehouse.query(
      `select c.relname as model, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
         col_description(c.oid, a.attnum) as description
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'acme_analytics'::regnamespace and c.relkind in ('r', 'v') order by a.attnum`,
    );
    for (const { name, columns } of loadModels())
      expect(
        rows
          .filter(({ model }) => model === name)
          .map((row) => ({ name: row['name'], type: row['type'], description: row['description'] })),
      ).toEqual(columns.map((c) => ({ ...c, type: c.type.replace('timestamptz', 'timestamp with time zone') })));
  });

  test('recomputes the days of calendars only if the business hours, the day or the server version has changed', async () => {
    const warehouse = await TestWarehouse.create(database.sql);
    const [hours] = CASE_CALENDARS;
    await warehouse.insert('business_hours', [{ ...hours, is_default: true }]);
    await refreshAnalytics(database.sql, warehouse.target);
    const days = warehouse.model('business_days');
    const countDays = async () => Number((await warehouse.query(`select count(*) as n from ${days}`))[0]?.['n']);
    const built = await countDays();
    expect(built).toBeGreaterThan(365);
    // Without rows, the table shows whether a refresh computes them.
    const refreshWithoutDays = async () => {
      await database.sql.unsafe(`delete from ${days}`);
      await refreshAnalytics(database.sql, warehouse.target);
      return await countDays();
    };
    expect(await refreshWithoutDays()).toBe(0);
    await database.sql.unsafe(
      `update ${warehouse.table('business_hours')} set time_zone = 'Asia/Kolkata' where id = ${hours?.id}`,
    );
    expect(await refreshWithoutDays()).toBe(built);
    expect(await refreshWithoutDays()).toBe(0);
    await database.sql.unsafe(`update ${warehouse.model('_freshet_state')} set value = 'x' where key = 'calendar'`);
    expect(await refreshWithoutDays()).toBe(built);
  });
});
