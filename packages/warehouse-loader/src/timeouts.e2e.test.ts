import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressOf, batch, loaderFor, THINGS } from './test-support/loading.ts';
import { stepProxy } from './test-support/step-proxy.ts';
import { Warehouse } from './warehouse.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

describe('a warehouse that stops responding', () => {
  test('fails a load with a typed error, whichever statement is under way, and COPY too', async () => {
    const batches = [
      batch(Array.from({ length: 50 }, (_, id) => ({ id, name: `n ${id}`, updated_at: '2026-01-01T00:00:00Z' }))),
    ];
    let failures = 0;
    for (let last = 1, isThrough = false; !isThrough; last++) {
      await using proxy = await stepProxy(database.warehouseUrl, last, () => {});
      const warehouse = new Warehouse(addressOf(proxy.url), 1, null, { silenceMs: 500 });
      await using loader = loaderFor(database, THINGS, warehouse);
      const outcome = await loader.load(batches).then(
        () => 'loaded',
        (error: unknown) => error,
      );
      isThrough = outcome === 'loaded';
      if (isThrough) continue;
      failures++;
      expect(outcome, `step ${last}`).toMatchObject({ code: 'warehouse_unavailable' });
    }
    expect(failures).toBeGreaterThan(10);
    await using loader = loaderFor(database);
    expect(await loader.rows('id')).toHaveLength(50);
  });

  test('fails a connection test within its total time', async () => {
    await using proxy = await stepProxy(database.warehouseUrl, 1, () => {});
    const warehouse = new Warehouse(addressOf(proxy.url), 1, null, { checkMs: 500 });
    await expect(warehouse.test('acme')).rejects.toMatchObject({ code: 'warehouse_unavailable' });
    await warehouse.close();
  });
});
