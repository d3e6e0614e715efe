import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { objectsToRead } from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { createDatabase, eventually, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { isRunning, Standalone } from '../test-support/standalone.ts';

test('--once: the simulated account lands in an embedded PostgreSQL, the last line says where, and nothing stays behind', async () => {
  using first = new Standalone(['--once']);
  const family = await eventually(
    () => (first.output.includes('The API answers') ? first.family() : null),
    'everything runs',
  );
  expect(family.length).toBeGreaterThanOrEqual(8);
  expect(await first.exited, first.output).toBe(0);
  const last = JSON.parse(first.lastLine);
  expect(last).toMatchObject({
    run: { status: 'succeeded' },
    schema: 'freshdesk_demo',
    warehouse_url: expect.stringMatching(/^postgres:/),
  });
  expect(last.run.objects).toHaveLength(objectsToRead({}).length);
  expect(last.run.objects.find((o: { object: string }) => o.object === 'tickets').records_loaded).toBe(2000);
  await eventually(() => !family.some(isRunning), 'no process is left');

  // A second start finds everything as it was, and reads only what has changed.
  const second = new Standalone(['--once'], {}, first.dataDir);
  expect(await second.exited, second.output).toBe(0);
  const { run, warehouse_url } = JSON.parse(second.lastLine);
  expect(run.objects.find((o: { object: string }) => o.object === 'conversations')).toMatchObject({
    mode: 'incremental',
    credits_used: 0,
  });
  expect(warehouse_url).toBe(last.warehouse_url);
});

describe('serving', () => {
  let dataDir: string;
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'freshet-standalone-'));
    chmodSync(dataDir, 0o755);
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  // npm, the start script, the process that starts all the others: each may be the one that is ended.
  test.each([
    ['SIGTERM to npm', 0, 'SIGTERM'],
    ['SIGINT to npm', 0, 'SIGINT'],
    ['SIGHUP to npm', 0, 'SIGHUP'],
    ['SIGINT to the start script', 1, 'SIGINT'],
    ['SIGQUIT to the start script', 1, 'SIGQUIT'],
    ['SIGHUP to the process that started all the others', 2, 'SIGHUP'],
    ['Ctrl-C, which reaches the whole process group', 'group', 'SIGINT'],
    ['SIGTERM to the whole process group', 'group', 'SIGTERM'],
    ['kill -9 of npm', 0, 'SIGKILL'],
    ['kill -9 of the start script', 1, 'SIGKILL'],
    ['kill -9 of the process that started all the others', 2, 'SIGKILL'],
  ] as const)('after %s no process stays behind', async (_name, target, signal) => {
    using standalone = new Standalone([], {}, dataDir, { detached: target === 'group' });
    await eventually(() => standalone.output.includes('Freshet keeps running'), 'it serves');
    expect(standalone.output).toMatch(/reference: http:\/\/127\.0\.0\.1:\d+\/docs/);
    expect(standalone.output).toMatch(/Token {10}frt_/);
    expect(standalone.output).toContain("psql 'postgres://");
    const family = standalone.family();
    if (target === 'group') process.kill(-(standalone.process.pid as number), signal);
    else process.kill(standalone.line()[target] as number, signal);
    await eventually(() => !family.some(isRunning), 'no process is left');
    // The process that started all the others has stopped them in order, unless it was killed itself.
    expect(standalone.lastShutdown).toBe(target === 2 && signal === 'SIGKILL' ? 'parent is gone' : 'SIGTERM');
  });

  test('a second start on the same data folder is refused in words, and the first goes on', async () => {
    using first = new Standalone([]);
    await eventually(() => first.output.includes('The API answers'), 'it runs');
    const second = new Standalone([], {}, first.dataDir);
    expect(await second.exited).toBe(78);
    expect(second.output).toContain('already running on the data folder');
    expect(isRunning(first.process.pid as number)).toBe(true);
  });
});

describe('what a wrong input gets', () => {
  let database: TestDatabase;
  let warehouse: TestDatabase;
  let simulator: FreshdeskSimulator;
  let env: Record<string, string>;

  beforeAll(async () => {
    [database, warehouse] = await Promise.all([createDatabase(), createDatabase()]);
    simulator = new FreshdeskSimulator({ counts: { tickets: 30 }, spanDays: 20 });
    env = {
      DATABASE_URL: database.url,
      WAREHOUSE_URL: warehouse.url,
      FRESHDESK_ORIGIN: await simulator.listen(),
      FRESHDESK_SUBDOMAIN: 'acme',
      FRESHDESK_API_KEY: 'demo-admin-key',
    };
  });
  afterAll(async () => {
    await simulator.close();
    await database[Symbol.asyncDispose]();
    await warehouse[Symbol.asyncDispose]();
  });

  /** Starts with these on top of what is right, and expects the words and the status of a mistake in the settings. */
  async function refused(wrong: Record<string, string>, words: string | RegExp, args = ['--once']): Promise<void> {
    using standalone = new Standalone(args, { ...env, ...wrong });
    expect(await standalone.exited, standalone.output).toBe(78);
    expect(standalone.output).toMatch(words);
    expect(standalone.output).not.toContain('demo-admin-key');
  }

  test('a key without its subdomain, and the reverse', async () => {
    await refused({ FRESHDESK_SUBDOMAIN: '' }, /needs FRESHDESK_SUBDOMAIN beside it/);
    await refused({ FRESHDESK_API_KEY: '' }, /needs FRESHDESK_API_KEY beside it/);
    await refused({ FRESHDESK_API_KEY: '', FRESHDESK_SUBDOMAIN: '' }, /FRESHDESK_ORIGIN needs/);
  });

  test('malformed variables: all of them in one message, by name', async () => {
    using standalone = new Standalone([], { ...env, PORT: 'abc', DATABASE_URL: 'mysql://x', LOG_LEVEL: 'loud' });
    expect(await standalone.exited).toBe(78);
    for (const words of [
      'PORT must be a whole number',
      'DATABASE_URL must be a URL that starts with postgres://',
      'LOG_LEVEL must be one of',
      '.env.example',
    ]) {
      expect(standalone.output).toContain(words);
    }
  });

  test('an unknown option', () => refused({}, /"--twice" is not known/, ['--twice']));

  test('a wrong subdomain', () =>
    refused({ FRESHDESK_SUBDOMAIN: 'support.acme.com' }, /is not a Freshdesk account.*before \.freshdesk\.com/s));

  test('a wrong key: nothing is kept of it, and the right one works afterwards', async () => {
    await refused({ FRESHDESK_API_KEY: 'wrong-key' }, /cannot be read: Freshdesk refused the API key/);
    expect(await database.sql`select count(*)::int as n from freshet.pipelines`).toEqual([{ n: 0 }]);
    expect(await database.sql`select count(*)::int as n from freshet.credentials`).toEqual([{ n: 0 }]);
  });

  test('a host that is not Freshdesk: an HTML page, a redirect, another product', async () => {
    const answers: Record<string, (response: ServerResponse) => void> = {
      page: (r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>'),
      redirect: (r) => r.writeHead(302, { location: 'https://elsewhere.example/' }).end(),
      other: (r) =>
        r
          .writeHead(200, { 'content-type': 'application/json', 'x-freshdesk-api-version': 'v2' })
          .end('{"agent":{"id":1}}'),
    };
    const expected: Record<string, RegExp> = {
      page: /instead of JSON/,
      redirect: /redirect/,
      other: /another product/,
    };
    for (const [name, answer] of Object.entries(answers)) {
      const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      await refused(
        { FRESHDESK_ORIGIN: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
        expected[name] as RegExp,
      );
      server.closeAllConnections();
      server.close();
    }
  });

  test('an unreachable warehouse, one with a wrong password, one whose role may not create tables', async () => {
    await refused({ WAREHOUSE_URL: 'postgres://u:p@127.0.0.1:1/w' }, /WAREHOUSE_URL: No server answers/);
    const wrong = new URL(warehouse.url);
    wrong.password = 'wrong';
    await refused({ WAREHOUSE_URL: wrong.href }, /WAREHOUSE_URL: The warehouse refused the password/);
    const role = `r_${warehouse.name}`;
    await warehouse.sql.unsafe(`create role ${role} login password 'secret'`);
    const limited = new URL(warehouse.url);
    limited.username = role;
    limited.password = 'secret';
    await refused(
      { WAREHOUSE_URL: limited.href },
      new RegExp(`CREATE SCHEMA "freshdesk_acme" AUTHORIZATION "${role}"`),
    );
    await warehouse.sql.unsafe(`drop role ${role}`);
  });

  test('an unreachable control database', () =>
    refused({ DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x' }, /DATABASE_URL: no server answers there/));

  test('a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await refused({ PORT: String(port) }, new RegExp(`Port ${port} is in use. Give another one with PORT`));
    server.close();
  });

  test('a data folder that cannot be written', () => {
    // Below a file nobody can make a folder, not even root.
    const below = join(fileURLToPath(import.meta.url), 'folder');
    return refused(
      { FRESHET_DATA_DIR: below },
      /The data folder .* cannot be used \(ENOTDIR\)\. Give another one with FRESHET_DATA_DIR/,
    );
  });

  test('--once exits with 0 for a key without admin rights, reads more with an admin key, and exits with 1 when that access is lost (I7)', async () => {
    const sync = async (apiKey: string) => {
      using standalone = new Standalone(['--once'], { ...env, FRESHDESK_API_KEY: apiKey });
      const status = await standalone.exited;
      const { run } = JSON.parse(standalone.lastLine);
      return {
        status,
        run,
        output: standalone.output,
        agents: run.objects.find((o: { object: string }) => o.object === 'agents'),
      };
    };
    const restricted = await sync('demo-agent-key');
    expect(restricted.status, restricted.output).toBe(0);
    expect(restricted.run.status).toBe('succeeded');
    expect(restricted.agents).toMatchObject({ status: 'forbidden', warnings: [{ code: 'object_unavailable' }] });
    expect(restricted.output).toContain('forbidden');
    const [row] = await warehouse.sql`select count(*)::int as n from freshdesk_acme.tickets`;
    expect(row?.['n']).toBe(30);

    const admin = await sync('demo-admin-key');
    expect(admin.status, admin.output).toBe(0);
    expect(
      admin.run.objects.every(
        (o: { status: string; warnings: unknown[] }) => o.status === 'succeeded' && o.warnings.length === 0,
      ),
    ).toBe(true);

    const lost = await sync('demo-agent-key');
    expect(lost.status, lost.output).toBe(1);
    expect(lost.run.status).toBe('partial');
    expect(lost.agents).toMatchObject({ status: 'forbidden', error: { code: 'source_forbidden' }, warnings: [] });
  });

  test('--once on a terminal ends with a summary instead of a line of JSON', async () => {
    using standalone = new Standalone(['--once'], env, null, { terminal: true });
    expect(await standalone.exited, standalone.output).toBe(0);
    // npm itself draws on a terminal as well.
    const lines = stripVTControlCharacters(standalone.output).split('\r\n');
    const summary = lines.findIndex((line) => line.startsWith('The run is succeeded:'));
    expect(lines.slice(summary + 1, summary + 3)).toEqual([
      `Warehouse  psql '${warehouse.url}'`,
      'Schema     freshdesk_acme',
    ]);
    expect(lines.some((line) => line.startsWith('{'))).toBe(false);
  });

  test('a real account’s variables, outside databases and all: it lands there', async () => {
    expect(inject('postgresUrl')).toBeTruthy();
    using standalone = new Standalone(['--once'], env);
    expect(await standalone.exited, standalone.output).toBe(0);
    const { run, warehouse_url, schema } = JSON.parse(standalone.lastLine);
    expect(run.status).toBe('succeeded');
    expect(warehouse_url).toBe(warehouse.url);
    expect(schema).toBe('freshdesk_acme');
  });
});
