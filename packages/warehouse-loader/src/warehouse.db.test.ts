import type { AppError } from '@freshet/contracts';
import { DedicatedServer } from '@freshet/testing';
import { describe, expect, test } from 'vitest';
import { prepareBatches, Warehouse, type WarehouseAddress } from './index.ts';
import { buildBatch, buildThing, DEFAULT_REQUEST, TEST_TABLE, toAddress } from './test-support/test-loader.ts';
import { useTestLoader } from './test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();

describe('Warehouse', () => {
  test('returns the server version of a usable warehouse without changing the warehouse', async () => {
    const [server] = await database.sql<{ version: string }[]>`select current_setting('server_version') as version`;
    expect(await loader.warehouse.test('acme')).toEqual({
      isUsable: true,
      missingGrants: [],
      serverVersion: server?.version,
    });
    expect(await database.sql`select count(*)::int from pg_namespace where nspname = 'acme'`).toEqual([{ count: 0 }]);
  });

  test('lists the statements that the first load would run, without running them', async () => {
    const plan = () => loader.warehouse.plan('acme', '', [TEST_TABLE]);
    const { statements, tables } = await plan();
    const [tablePlan] = tables;
    expect(tablePlan).toMatchObject({
      table: 'things',
      exists: false,
      statements: expect.arrayContaining([expect.stringContaining('create table "acme"."things"')]),
    });
    expect(await database.sql`select count(*)::int from pg_namespace where nspname = 'acme'`).toEqual([{ count: 0 }]);
    await loader.load([buildBatch([buildThing(1, 0)])]);
    const upToDate = { statements: [], tables: [{ table: 'things', exists: true, statements: [] }] };
    expect(await plan()).toEqual(upToDate);
    await database.sql`alter table acme.things drop column amount`;
    expect((await plan()).tables[0]?.statements).toEqual([
      'alter table "acme"."things" add column if not exists "amount" numeric;alter table if exists "acme"."things_history" add column if not exists "amount" numeric;comment on column "acme"."things"."amount" is \'amount. {"path":["amount"]}\';',
    ]);
    // The listed statements create the planned schema.
    await database.sql`drop schema acme cascade`;
    await database.sql.unsafe([...statements, ...(tablePlan?.statements ?? [])].join(''));
    expect(await plan()).toEqual(upToDate);
  });

  test('lists the statements that grant the missing privileges, and can load after a user has run them', async () => {
    const role = `r_${database.name}`;
    await database.sql.unsafe(`create role ${role} login password 'secret'`);
    const limited = new Warehouse({ ...toAddress(database.warehouseUrl), username: role, password: 'secret' });
    try {
      const access = await limited.test('acme');
      expect(access.isUsable).toBe(false);
      expect(access.missingGrants).toEqual([`CREATE SCHEMA "acme" AUTHORIZATION "${role}";`]);
      const request = {
        ...DEFAULT_REQUEST,
        table: TEST_TABLE,
        prepared: await prepareBatches([buildBatch([buildThing(1, 0)])], TEST_TABLE),
      };
      await expect(limited.load(request)).rejects.toMatchObject({ code: 'warehouse_permission' });
      for (const grant of access.missingGrants) await database.sql.unsafe(grant);
      expect((await limited.test('acme')).isUsable).toBe(true);
      await limited.load(request);
      expect(await loader.rows('id')).toEqual([{ id: '1' }]);
    } finally {
      await limited.close();
      await database.sql.unsafe(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });

  test('accepts only certificates of the given CA with `verify-full`, and any certificate with `require`', async () => {
    await using server = await DedicatedServer.start();
    const sslCa = await server.enableTls();
    const address = toAddress(server.url);
    const testTls = async (tls: Pick<WarehouseAddress, 'sslMode' | 'sslCa'>) => {
      const warehouse = new Warehouse({ ...address, ...tls });
      try {
        return (await warehouse.test('acme')).isUsable;
      } catch (error) {
        return (error as AppError).code;
      } finally {
        await warehouse.close();
      }
    };
    expect(await testTls({ sslMode: 'verify-full', sslCa })).toBe(true);
    expect(await testTls({ sslMode: 'verify-full' })).toBe('warehouse_unavailable');
    expect(await testTls({ sslMode: 'require' })).toBe(true);
  });

  test.each([
    ['a wrong password', { password: 'wrong' }, 'warehouse_auth'],
    ['a database that does not exist', { database: 'nowhere' }, 'warehouse_unavailable'],
    ['a port without a server', { port: 1 }, 'warehouse_unavailable'],
    ['a host name that does not resolve', { host: 'nowhere.invalid' }, 'warehouse_unavailable'],
  ])('fails with the matching error code for %s', async (_name, wrong, code) => {
    const warehouse = new Warehouse({ ...toAddress(database.warehouseUrl), ...wrong });
    try {
      await expect(warehouse.test('acme')).rejects.toMatchObject({ code });
    } finally {
      await warehouse.close();
    }
  });
});
