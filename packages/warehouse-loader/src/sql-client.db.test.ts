import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { AppError } from '@freshet/contracts';
import { createDatabase, DedicatedServer, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AddressPolicy, WarehouseAddress } from './address.ts';
import { toAddress } from './test-support/test-loader.ts';
import { Warehouse } from './warehouse.ts';

const TIMEOUT_MS = 30_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** Runs a query with the client of a warehouse. Returns its result, or the code of the error. */
async function query(
  address: WarehouseAddress,
  {
    policy = null,
    timeoutMs = TIMEOUT_MS,
  }: { readonly policy?: AddressPolicy | null; readonly timeoutMs?: number } = {},
): Promise<unknown> {
  const warehouse = new Warehouse(address, 1, policy);
  try {
    const [row] = await warehouse.useSql(timeoutMs, (sql) => sql`select 42 as answer`);
    return row?.['answer'];
  } catch (error) {
    return (error as AppError).code;
  } finally {
    await warehouse.close();
  }
}

describe('Warehouse.useSql', () => {
  test('runs transactions, and closes all connections when the work has ended', async () => {
    const warehouse = new Warehouse(toAddress(database.warehouseUrl));
    const pid = await warehouse.useSql(TIMEOUT_MS, (sql) =>
      sql.begin(async (tx) => {
        await tx`create table t as select 1 as a`;
        // A statement beside the transaction uses a second connection.
        expect(await sql`select to_regclass('t') as t`).toEqual([{ t: null }]);
        return (await tx<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid;
      }),
    );
    expect(await database.sql`select a from t`).toEqual([{ a: 1 }]);
    await expect
      .poll(async () => (await database.sql`select from pg_stat_activity where pid = ${pid as number}`).length)
      .toBe(0);
    await warehouse.close();
  });

  test('converts the errors of the server, and rolls back the transaction', async () => {
    const warehouse = new Warehouse(toAddress(database.warehouseUrl));
    const work = warehouse.useSql(TIMEOUT_MS, (sql) =>
      sql.begin(async (tx) => {
        await tx`create table u as select 1 as a`;
        await tx`set local statement_timeout = 1`;
        await tx`select pg_sleep(10)`;
      }),
    );
    await expect(work).rejects.toMatchObject({ code: 'warehouse_busy' });
    expect(await database.sql`select to_regclass('u') as u`).toEqual([{ u: null }]);
    const rejected = new AppError('conflict', 'No.');
    await expect(warehouse.useSql(TIMEOUT_MS, () => Promise.reject(rejected))).rejects.toBe(rejected);
    await warehouse.close();
  });

  test.each([
    ['a wrong password', { password: 'wrong' }, 'warehouse_auth'],
    ['a database that does not exist', { database: 'nowhere' }, 'warehouse_unavailable'],
    ['a port without a server', { port: 1 }, 'warehouse_unavailable'],
    ['a host name that does not resolve', { host: 'nowhere.invalid' }, 'warehouse_unavailable'],
    ['a path of a socket as the host', { host: '/tmp' }, 'address_refused'],
  ])('fails with the matching error code for %s', async (_name, wrong, code) => {
    expect(await query({ ...toAddress(database.warehouseUrl), ...wrong })).toBe(code);
  });

  test('connects only to the addresses that the policy allows', async () => {
    const refuse = (): never => {
      throw new AppError('address_refused', 'This address is blocked.');
    };
    const lookup: AddressPolicy['lookup'] = (_host, _options, done) =>
      done(new AppError('address_refused', 'This address is blocked.') as NodeJS.ErrnoException, '', 0);
    const address = toAddress(database.warehouseUrl);
    expect(await query(address, { policy: { check: refuse, lookup } })).toBe('address_refused');
    // The name resolves to a blocked address.
    expect(await query({ ...address, host: 'localhost' }, { policy: { check: () => {}, lookup } })).toBe(
      'address_refused',
    );
  });

  test('accepts only certificates of the given CA with `verify-full`, and never falls back to plaintext', async () => {
    await using server = await DedicatedServer.start();
    const address = toAddress(server.url);
    expect(await query({ ...address, sslMode: 'require' })).toBe('warehouse_unavailable');
    const sslCa = await server.enableTls();
    expect(await query({ ...address, sslMode: 'verify-full', sslCa })).toBe(42);
    expect(await query({ ...address, sslMode: 'verify-full' })).toBe('warehouse_unavailable');
    expect(await query({ ...address, sslMode: 'require' })).toBe(42);
  });

  test('fails when the work exceeds the time limit, even if the server does not respond', async () => {
    const silentServer = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    await once(silentServer, 'listening');
    const { port } = silentServer.address() as AddressInfo;
    const address = { ...toAddress(database.warehouseUrl), host: '127.0.0.1', port };
    expect(await query(address, { timeoutMs: 100 })).toBe('warehouse_unavailable');
    silentServer.close();
  });
});
