import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
});
