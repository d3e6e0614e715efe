import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateControlDatabase } from '@freshet/control-store';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CheckResult } from './check.ts';
import { compareClocks } from './clock.ts';
import { diagnose } from './doctor.ts';
import { checkDiskSpace, checkNode } from './machine.ts';
import { formatReport } from './report.ts';
import { readDoctorSettings } from './settings.ts';

const KEYS = `k1:${Buffer.alloc(32, 7).toString('base64')}`;

let folder: string;
let database: TestDatabase;
let simulator: FreshdeskSimulator;
let account: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'freshet-doctor-'));
  database = await createDatabase();
  await migrateControlDatabase(database.url);
  simulator = new FreshdeskSimulator({ counts: { tickets: 20 } });
  account = {
    FRESHDESK_SUBDOMAIN: 'acme',
    FRESHDESK_API_KEY: 'demo-admin-key',
    FRESHDESK_ORIGIN: await simulator.listen(),
  };
});
afterAll(async () => {
  await simulator.close();
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs all checks with only these variables. */
async function check(environment: Readonly<Record<string, string>>): Promise<Map<string, CheckResult>> {
  const results = await diagnose(environment, folder);
  return new Map(results.map((result) => [result.check, result]));
}

describe('freshet doctor', () => {
  test('finds no problem with a valid account, a valid warehouse and a migrated control database', async () => {
    const results = await check({
      ...account,
      DATABASE_URL: database.url,
      WAREHOUSE_URL: database.warehouseUrl,
      FRESHET_SECRET_KEYS: KEYS,
    });
    const problems = [...results.values()].filter(({ status }) => status === 'failed' || status === 'warning');
    // The disk of the machine that runs the test may be almost full.
    expect(problems.filter(({ check: name }) => name !== 'disk_space')).toEqual([]);
    expect(results.get('freshdesk_key')?.message).toMatch(/can read \d+ objects of acme/);
    expect(results.get('freshdesk_clock')?.status).toBe('ok');
    expect(results.get('control_database')?.message).toContain('The schema belongs to this release');
    expect(results.get('database_clock')?.status).toBe('ok');
    expect(results.get('warehouse')?.message).toContain('can load into the schema freshdesk_acme');
    expect(results.get('dns')?.message).toContain('127.0.0.1');
  });

  test('reports a rejected API key, its remedy, and never the key', async () => {
    const results = await check({ ...account, FRESHDESK_API_KEY: 'wrong-secret-key' });
    expect(results.get('freshdesk_key')).toMatchObject({
      status: 'failed',
      remedy: expect.stringContaining('set FRESHDESK_API_KEY'),
    });
    expect(JSON.stringify([...results.values()])).not.toContain('wrong-secret-key');
  });

  test('warns about a key that cannot read some objects', async () => {
    const results = await check({ ...account, FRESHDESK_API_KEY: 'demo-agent-key' });
    expect(results.get('freshdesk_key')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('cannot read'),
    });
  });

  test('reports an account whose clock is ten minutes ahead', async () => {
    const now = () => Date.now() + 600_000;
    const fast = new FreshdeskSimulator({ counts: { tickets: 5 }, now });
    const results = await check({ ...account, FRESHDESK_ORIGIN: await fast.listen() });
    await fast.close();
    expect(results.get('freshdesk_clock')).toMatchObject({
      status: 'failed',
      message: expect.stringMatching(/seconds ahead of the clock of this machine/),
      remedy: expect.stringContaining('NTP'),
    });
  });

  test('lists the statements that grant the missing privileges of the databases', async () => {
    const role = `r_${database.name}`;
    await database.sql.unsafe(`create role ${role} login password 'role-secret'`);
    await database.sql.unsafe(`revoke create, temporary on database ${database.name} from public`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'role-secret';
    const results = await check({ ...account, DATABASE_URL: url.href, WAREHOUSE_URL: url.href });
    await database.sql.unsafe(`drop role ${role}`);
    expect(results.get('control_database')).toMatchObject({
      status: 'failed',
      remedy: expect.stringContaining(`GRANT USAGE, CREATE ON SCHEMA freshet TO ${role};`),
    });
    expect(results.get('warehouse')).toMatchObject({
      status: 'failed',
      remedy: expect.stringContaining(`CREATE SCHEMA "freshdesk_acme" AUTHORIZATION "${role}";`),
    });
    expect(JSON.stringify([...results.values()])).not.toContain('role-secret');
  });

  test('reports unreachable servers, unknown names and blocked addresses', async () => {
    const results = await check({
      ...account,
      DATABASE_URL: 'postgres://freshet:secret@127.0.0.1:1/freshet',
      WAREHOUSE_URL: 'postgres://freshet:secret@warehouse.invalid/warehouse',
    });
    expect(results.get('control_database')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('no server is listening'),
    });
    expect(results.get('database_clock')?.status).toBe('skipped');
    expect(results.get('dns')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('warehouse.invalid does not resolve'),
    });
    expect(results.get('warehouse')?.status).toBe('failed');
    const blocked = await check({ ...account, WAREHOUSE_URL: 'postgres://freshet:secret@169.254.169.254/warehouse' });
    expect(blocked.get('dns')).toMatchObject({
      status: 'failed',
      remedy: expect.stringContaining('FRESHET_ALLOWED_ADDRESSES'),
    });
  });

  test('reports malformed settings and still checks Node.js', async () => {
    const results = await check({ FRESHDESK_SUBDOMAIN: 'acme', PORT: 'x' });
    expect([...results.keys()]).toEqual(['node', 'settings']);
    expect(results.get('settings')).toMatchObject({ status: 'failed', message: expect.stringContaining('PORT') });
    const keys = await check({ DATABASE_URL: database.url, FRESHET_SECRET_KEYS: 'k1:short-secret' });
    expect(keys.get('secret_keys')).toMatchObject({ status: 'failed', message: expect.stringContaining('entry 1') });
    expect(JSON.stringify([...keys.values()])).not.toContain('short-secret');
  });

  test('warns about a port in use and about keys that other users can read', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    writeFileSync(join(folder, 'standalone.json'), '{}');
    chmodSync(join(folder, 'standalone.json'), 0o644);
    const results = await check({ PORT: String((server.address() as AddressInfo).port) });
    server.close();
    rmSync(join(folder, 'standalone.json'));
    expect(results.get('port')).toMatchObject({ status: 'warning', message: expect.stringContaining('is in use') });
    expect(results.get('data_folder')).toMatchObject({
      status: 'warning',
      remedy: expect.stringContaining('chmod 600'),
    });
  });

  test('reports an API that does not respond', async () => {
    const results = await check({
      DATABASE_URL: database.url,
      FRESHET_SECRET_KEYS: KEYS,
      FRESHET_URL: 'http://127.0.0.1:1',
      FRESHET_TOKEN: 'frt_secret',
    });
    expect(results.get('api')).toMatchObject({ status: 'failed', remedy: expect.stringContaining('FRESHET_URL') });
    expect(results.get('data_folder')?.status).toBe('skipped');
  });
});

test('checkNode reports an old Node.js, and checkDiskSpace reports little free space', () => {
  expect(checkNode('20.11.0')).toMatchObject({ status: 'failed', remedy: expect.stringContaining('nvm install 24') });
  expect(checkNode('26.10.0').status).toBe('ok');
  const settings = readDoctorSettings({}, folder);
  expect(checkDiskSpace(settings, () => 2 ** 29).status).toBe('failed');
  expect(checkDiskSpace(settings, () => 2 * 2 ** 30).status).toBe('warning');
  expect(checkDiskSpace(settings, () => 9 * 2 ** 30).status).toBe('ok');
});

test('compareClocks accepts small differences, and reports large differences', () => {
  expect(compareClocks('the server', -20_000).status).toBe('ok');
  expect(compareClocks('the server', -60_000)).toMatchObject({
    status: 'warning',
    message: expect.stringContaining('60 seconds behind'),
  });
  expect(compareClocks('the server', 600_000).status).toBe('failed');
});

test('formatReport prints the remedy below each problem, and a summary', () => {
  const text = formatReport(
    {
      version: '1.2.3',
      status: 'failed',
      checks: [
        { check: 'node', status: 'ok', message: 'Node.js 26', remedy: null },
        { check: 'port', status: 'failed', message: 'Port 80 is not allowed.', remedy: 'Use port 8080.' },
      ],
    },
    process.stdout,
  );
  expect(text).toMatch(
    /Node\.js {2}Node\.js 26\n.*Port {5}Port 80 is not allowed\.\n +→ Use port 8080\.\n\n1 problem found\./,
  );
});
