import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStepProxy } from './test-support/step-proxy.ts';
import { buildBatch, openTestLoader, TEST_TABLE, toAddress } from './test-support/test-loader.ts';
import { Warehouse } from './warehouse.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

describe('WarehouseConnections with an unresponsive server', () => {
  test('fails a load with `warehouse_unavailable` when the server stops responding during any statement or COPY', async () => {
    const batches = [
      buildBatch(Array.from({ length: 50 }, (_, id) => ({ id, name: `n ${id}`, updated_at: '2026-01-01T00:00:00Z' }))),
    ];
    let failures = 0;
    for (let stopAfter = 1, hasLoaded = false; !hasLoaded; stopAfter++) {
      await using proxy = await startStepProxy(database.warehouseUrl, stopAfter, () => {});
      const warehouse = new Warehouse(toAddress(proxy.url), 1, null, { inactivityMs: 500 });
      await using loader = openTestLoader(database, TEST_TABLE, warehouse);
      const outcome = await loader.load(batches).then(
        () => 'loaded',
        (error: unknown) => error,
      );
      hasLoaded = outcome === 'loaded';
      if (hasLoaded) continue;
      failures++;
      expect(outcome, `step ${stopAfter}`).toMatchObject({ code: 'warehouse_unavailable' });
    }
    expect(failures).toBeGreaterThan(10);
    await using loader = openTestLoader(database);
    expect(await loader.rows('id')).toHaveLength(50);
  });

  test('fails a connection test within its time limit', async () => {
    await using proxy = await startStepProxy(database.warehouseUrl, 1, () => {});
    const warehouse = new Warehouse(toAddress(proxy.url), 1, null, { checkMs: 500 });
    await expect(warehouse.test('acme')).rejects.toMatchObject({ code: 'warehouse_unavailable' });
    await warehouse.close();
  });
});
