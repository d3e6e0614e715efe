import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StandaloneProcess } from '../test-support/standalone-process.ts';

describe('npm start with settings from the environment', () => {
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

  /**
   * Starts Freshet with valid settings, after the variables in `invalidEnv` have been added or
   * replaced. Expects exit status 78 and the message.
   */
  async function expectRejection(
    invalidEnv: Record<string, string>,
    message: string | RegExp,
    args = ['--once'],
  ): Promise<void> {
    using standalone = new StandaloneProcess(args, { ...env, ...invalidEnv }, null, { withoutNpm: true });
    expect(await standalone.exited, standalone.output).toBe(78);
    if (typeof message === 'string') expect(standalone.output).toContain(message);
    else expect(standalone.output).toMatch(message);
    expect(standalone.output).not.toContain('demo-admin-key');
  }

  test('rejects a key without a subdomain, a subdomain without a key, and an origin without either of them', async () => {
    await expectRejection({ FRESHDESK_SUBDOMAIN: '' }, /FRESHDESK_SUBDOMAIN is missing/);
    await expectRejection({ FRESHDESK_API_KEY: '' }, /FRESHDESK_API_KEY is missing/);
    await expectRejection({ FRESHDESK_API_KEY: '', FRESHDESK_SUBDOMAIN: '' }, /FRESHDESK_ORIGIN requires/);
  });

  test('reports all malformed variables in one message', async () => {
    const malformed = { PORT: 'abc', DATABASE_URL: 'mysql://x', LOG_LEVEL: 'loud', FRESHET_ANALYTICS: 'yes' };
    using standalone = new StandaloneProcess([], { ...env, ...malformed }, null, { withoutNpm: true });
    expect(await standalone.exited).toBe(78);
    for (const expected of [
      'PORT must be an integer',
      'DATABASE_URL must be a URL that starts with postgres://',
      'LOG_LEVEL must be one of',
      'FRESHET_ANALYTICS must be true or false',
      '.env.example',
    ]) {
      expect(standalone.output).toContain(expected);
    }
  });

  test('rejects an unknown option', () =>
    expectRejection({}, /Unknown option "--twice". Usage: npm start/, ['--twice']));

  test('rejects an invalid subdomain', () =>
    expectRejection(
      { FRESHDESK_SUBDOMAIN: 'support.acme.com' },
      /is not a Freshdesk account.*before \.freshdesk\.com/s,
    ));

  test('rejects an invalid key, and stores neither a credential nor a pipeline', async () => {
    await expectRejection({ FRESHDESK_API_KEY: 'wrong-key' }, /cannot be read: Freshdesk rejected the API key/);
    expect(await database.sql`select count(*)::int as n from freshet.pipelines`).toEqual([{ n: 0 }]);
    expect(await database.sql`select count(*)::int as n from freshet.credentials`).toEqual([{ n: 0 }]);
  });

  test('rejects a host that responds with an HTML page, a redirect, or the JSON of a different product', async () => {
    const responders: Record<string, (response: ServerResponse) => void> = {
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
      other: /different product/,
    };
    for (const [name, respond] of Object.entries(responders)) {
      const server = createServer((_request, response) => respond(response)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      await expectRejection(
        { FRESHDESK_ORIGIN: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
        expected[name] as RegExp,
      );
      server.closeAllConnections();
      server.close();
    }
  });

  test('rejects an unreachable warehouse, a wrong password, and a role without privileges', async () => {
    await expectRejection(
      { WAREHOUSE_URL: 'postgres://u:p@127.0.0.1:1/w' },
      /WAREHOUSE_URL: The warehouse cannot be reached: no server listens/,
    );
    const wrongPassword = new URL(warehouse.url);
    wrongPassword.password = 'wrong';
    await expectRejection({ WAREHOUSE_URL: wrongPassword.href }, /WAREHOUSE_URL: The warehouse rejected the password/);
    const role = `r_${warehouse.name}`;
    await warehouse.sql.unsafe(`create role ${role} login password 'secret'`);
    const limited = new URL(warehouse.url);
    limited.username = role;
    limited.password = 'secret';
    const createSchema = `CREATE SCHEMA "freshdesk_acme" AUTHORIZATION "${role}";`;
    const createModels = `CREATE SCHEMA "freshdesk_acme_analytics" AUTHORIZATION "${role}";`;
    await expectRejection({ WAREHOUSE_URL: limited.href }, `run:\n  ${createSchema}\n  ${createModels}`);
    await expectRejection({ WAREHOUSE_URL: limited.href, FRESHET_ANALYTICS: 'false' }, `run:\n  ${createSchema}\n`);
    await warehouse.sql.unsafe(`drop role ${role}`);
  });

  test('rejects an unreachable control database', () =>
    expectRejection({ DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x' }, /DATABASE_URL: no server is listening/));

  test('rejects a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expectRejection({ PORT: String(port) }, new RegExp(`PORT: port ${port} is in use`));
    server.close();
  });

  test('rejects a data folder that is not writable', () => {
    // Not even root can create a folder below a file.
    const path = join(fileURLToPath(import.meta.url), 'folder');
    return expectRejection(
      { FRESHET_DATA_DIR: path },
      /FRESHET_DATA_DIR: the data folder .* is not usable \(ENOTDIR\)/,
    );
  });

  test('--once loads the configured account into the configured databases, and exits with 0 for a key that has never had admin rights, and with 1 for a key that has lost its admin rights (I7)', async () => {
    const sync = async (apiKey: string) => {
      const settings = { ...env, FRESHDESK_API_KEY: apiKey };
      using standalone = new StandaloneProcess(['--once'], settings, null, { withoutNpm: true });
      const status = await standalone.exited;
      const result = JSON.parse(standalone.lastLine);
      const { run } = result;
      return {
        status,
        result,
        run,
        output: standalone.output,
        agents: run.objects.find((o: { object: string }) => o.object === 'agents'),
      };
    };
    const restricted = await sync('demo-agent-key');
    expect(restricted.status, restricted.output).toBe(0);
    expect(restricted.result).toMatchObject({
      run: { status: 'succeeded' },
      warehouse_url: warehouse.url,
      schema: 'freshdesk_acme',
    });
    expect(restricted.agents).toMatchObject({ status: 'forbidden', warnings: [{ code: 'object_unavailable' }] });
    expect(restricted.output).toContain('forbidden');
    const [row] = await warehouse.sql`select count(*)::int as n from freshdesk_acme.tickets`;
    expect(row?.['n']).toBe(30);

    // A run that is due when Freshet starts uses the new key.
    await database.sql`update freshet.pipelines set next_run_at = now() - interval '1 minute'`;
    const admin = await sync('demo-admin-key');
    expect(admin.status, admin.output).toBe(0);
    const isFlawless = (o: { status: string; warnings: unknown[] }) =>
      o.status === 'succeeded' && o.warnings.length === 0;
    expect(admin.run.objects.filter((o: Parameters<typeof isFlawless>[0]) => !isFlawless(o))).toEqual([]);

    const afterLoss = await sync('demo-agent-key');
    expect(afterLoss.status, afterLoss.output).toBe(1);
    expect(afterLoss.run.status).toBe('partial');
    expect(afterLoss.agents).toMatchObject({ status: 'forbidden', error: { code: 'source_forbidden' }, warnings: [] });
  });

  test('--once prints a summary instead of a line of JSON if the output is a terminal', async () => {
    using standalone = new StandaloneProcess(['--once'], env, null, { terminal: true });
    expect(await standalone.exited, standalone.output).toBe(0);
    // The terminal also shows the output of npm.
    const lines = stripVTControlCharacters(standalone.output).split('\r\n');
    const summary = lines.findIndex((line) => line.startsWith('  Warehouse'));
    expect(lines.slice(summary, summary + 3)).toEqual([
      `  Warehouse      psql '${warehouse.url}'`,
      '  Schema         freshdesk_acme',
      '  Analytics      select * from freshdesk_acme_analytics.daily_summary;',
    ]);
    // The steps of the start stay on the screen, and the progress of the run is removed.
    expect(lines.slice(0, summary).some((line) => / {2}✔ Pipeline +account acme/.test(line))).toBe(true);
    expect(lines[summary - 1]).toBe('');
    expect(lines.some((line) => line.startsWith('{'))).toBe(false);
  });

  test('--once exits after the models contain the loaded rows, and FRESHET_ANALYTICS switches the models off', async () => {
    const id = simulator.account.create('tickets', { subject: 'A ticket before the last run' });
    using withModels = new StandaloneProcess(['--once'], env, null, { withoutNpm: true });
    expect(await withModels.exited, withModels.output).toBe(0);
    expect(withModels.output).toMatch(/^ {2}Analytics +models (built|refreshed)/m);
    const { sql } = warehouse;
    expect(await sql`select from freshdesk_acme_analytics.ticket_metrics where ticket_id = ${id}`).toHaveLength(1);
    const [summary] = await sql`select sum(created)::int as created from freshdesk_acme_analytics.daily_summary`;
    expect(summary?.['created']).toBeGreaterThan(0);

    using withoutModels = new StandaloneProcess(['--once'], { ...env, FRESHET_ANALYTICS: 'false' }, null, {
      withoutNpm: true,
    });
    expect(await withoutModels.exited, withoutModels.output).toBe(0);
    expect(withoutModels.output).not.toContain('Analytics');
    const [pipeline] = await database.sql`select analytics from freshet.pipelines`;
    expect(pipeline).toEqual({ analytics: false });
  });
});
