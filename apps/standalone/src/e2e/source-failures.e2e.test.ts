import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

const JSON_HEADERS = { 'content-type': 'application/json', 'x-freshdesk-api-version': 'latest=v2; requested=v2' };
const DAY_MS = 86_400_000;

type ResponseOverride = (response: ServerResponse, page: number) => boolean;

let deployment: Deployment;
let pipelineId: string;
/** Functions that replace the responses of the account, by request path. */
const overrides = new Map<string, ResponseOverride>();
let dateShiftMs = 0;

beforeAll(async () => {
  deployment = await Deployment.start(
    {
      counts: { tickets: 150, contacts: 250, conversations: 1 },
      intercept: ({ path, query }, response) => {
        if (dateShiftMs !== 0) {
          const setHeader = response.setHeader.bind(response);
          const shifted = new Date(Date.now() + dateShiftMs).toUTCString();
          response.setHeader = (name, value) => setHeader(name, name === 'date' ? shifted : value);
        }
        return overrides.get(path)?.(response, Number(query.get('page') ?? '1')) ?? false;
      },
    },
    undefined,
    { FRESHET_ANSWER_MIB_MAX: '8' },
  );
  pipelineId = await deployment.createPipeline('demo-admin-key', 30, [
    'tickets',
    'contacts',
    'companies',
    'groups',
    'roles',
  ]);
  expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
});
afterAll(() => deployment[Symbol.asyncDispose]());

async function syncWithOverride(path: string, override: ResponseOverride) {
  overrides.set(path, override);
  try {
    return await deployment.sync(pipelineId, 110_000);
  } finally {
    overrides.delete(path);
  }
}

describe('unusual responses', () => {
  test('a list that returns page 1 for every page fails only its own object, and the error states the cause', async () => {
    const page = Array.from({ length: 100 }, (_, i) => ({
      id: 1 + i,
      name: `c ${i}`,
      created_at: '2024-01-01T00:00:00Z',
      updated_at: '2024-01-01T00:00:00Z',
    }));
    let requests = 0;
    const run = await syncWithOverride('/api/v2/contacts', (response, n) => {
      requests++;
      response.setHeader('link', `<https://demo.freshdesk.com/api/v2/contacts?page=${n + 1}>; rel="next"`);
      response.writeHead(200, JSON_HEADERS).end(JSON.stringify(page));
      return true;
    });
    expect(requests).toBeLessThan(10);
    expect(run.status).toBe('partial');
    expect(run.objects.filter((o) => o.status !== 'succeeded')).toMatchObject([
      {
        object: 'contacts',
        status: 'failed',
        error: { code: 'source_contract', message: expect.stringContaining('page 3 announces another page') },
      },
    ]);
    await deployment.warehouse.sql.unsafe(`delete from ${deployment.schema}.contacts where id <= 100`);
  });

  test('requests that return a maintenance page are retried, and the run succeeds after the maintenance', async () => {
    let requests = 0;
    const run = await syncWithOverride('/api/v2/tickets', (response) => {
      // The failures exceed the retries of one slice.
      if (++requests > 9) return false;
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><body>We are down for maintenance</body></html>');
      return true;
    });
    expect(run.status).toBe('succeeded');
  });

  test('JSON with a byte order mark is loaded', async () => {
    const { account } = deployment.simulator;
    const groups = [...account.listAllRecords('groups')].map(
      ({ text }) => JSON.parse(text) as { id: number; name: string; updated_at: string },
    );
    // Later than the last update, and earlier than the update at the end of this test.
    const updated_at = new Date(Date.now() - 60_000).toISOString();
    const renamed = groups.map((g) => ({ ...g, name: `${g.name} ☂`, updated_at }));
    const run = await syncWithOverride('/api/v2/groups', (response) => {
      response.writeHead(200, JSON_HEADERS).end(`\uFEFF${JSON.stringify(renamed)}`);
      return true;
    });
    expect(run.objects.find((o) => o.object === 'groups')).toMatchObject({
      status: 'succeeded',
      records_loaded: groups.length,
    });
    const rows = await deployment.warehouse.sql.unsafe(`select name from ${deployment.schema}.groups`);
    expect(rows.map((r) => r['name'] as string).toSorted()).toEqual(renamed.map((g) => g.name).toSorted());
    for (const { id } of groups) account.update('groups', id, {});
    expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
  });

  test('a compressed body that expands beyond the size limit fails its object with source_too_large', async () => {
    const expandingBody = gzipSync(
      Buffer.concat([Buffer.from('"'), Buffer.alloc(50 * 1024 * 1024, 'a'), Buffer.from('"')]),
    );
    let requests = 0;
    const run = await syncWithOverride('/api/v2/groups', (response) => {
      requests++;
      response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' }).end(expandingBody);
      return true;
    });
    expect(requests).toBe(1);
    expect(run.objects.find((o) => o.object === 'groups')).toMatchObject({
      status: 'failed',
      error: { code: 'source_too_large' },
    });
  });

  test('a slow response does not delay other objects, is aborted after its slice has ended, and is requested again', async () => {
    let slowResponses = 0;
    overrides.set('/api/v2/roles', (response) => {
      // Only the first response is slow.
      if (++slowResponses > 1) return false;
      response.writeHead(200, JSON_HEADERS);
      const timer = setInterval(() => response.write(' '), 200);
      response.on('close', () => clearInterval(timer));
      return true;
    });
    const { id } = await deployment.startRun(pipelineId);
    const others = await waitFor(async () => {
      const run = await deployment.getRun(id);
      return run.objects.every((o) => o.object === 'roles' || o.status === 'succeeded') ? run : null;
    }, 'the other objects have succeeded');
    expect(others.objects.find((o) => o.object === 'roles')?.status).not.toBe('succeeded');
    expect((await deployment.waitForRun(id)).status).toBe('succeeded');
    overrides.delete('/api/v2/roles');
  });

  test('a shutdown aborts a slow response, and a different worker repeats the request', async () => {
    let slowResponses = 0;
    overrides.set('/api/v2/roles', (response) => {
      if (++slowResponses > 1) return false;
      response.writeHead(200, JSON_HEADERS);
      const timer = setInterval(() => response.write(' '), 200);
      response.on('close', () => clearInterval(timer));
      return true;
    });
    const { id } = await deployment.startRun(pipelineId);
    await waitFor(async () => (slowResponses > 0 ? true : null), 'roles are requested');
    const child = deployment.signal('extract-worker', 'SIGTERM');
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await deployment.launch('extract-worker', 'extract-worker-2');
    const run = await deployment.waitForRun(id);
    expect(run.status).toBe('succeeded');
    expect(await exit).toBe(0);
    // Both requests were charged, including the aborted request.
    expect(run.objects.find((o) => o.object === 'roles')).toMatchObject({ credits_used: 2 });
    overrides.delete('/api/v2/roles');
  });
});

describe('clock skew', () => {
  test('a Date header that is wrong by three days causes a warning, but no skipped update and no coverage in the future (I3)', async () => {
    const { account } = deployment.simulator;
    const tables = ['tickets', 'contacts', 'companies'];
    const listCoverage = async () => {
      const { data } = await deployment.api.get('/v1/pipelines/{id}/objects', { params: { path: { id: pipelineId } } });
      return data.flatMap((o) => (o.complete_as_of === null ? [] : [Date.parse(o.complete_as_of)]));
    };
    try {
      for (const shift of [3 * DAY_MS, -3 * DAY_MS]) {
        for (let round = 1; round <= 3; round++) {
          dateShiftMs = round < 3 ? shift : 0;
          const run = await deployment.sync(pipelineId);
          expect(run.status).toBe('succeeded');
          const tickets = run.objects.find((o) => o.object === 'tickets');
          expect(tickets?.warnings.map((w) => w.code)).toEqual(round < 3 ? ['clock_skew'] : []);
          expect(Math.max(...(await listCoverage()))).toBeLessThanOrEqual(Date.now());
          for (let n = 1; n <= 10; n++) for (const name of tables) account.update(name, round * 10 + n, {});
        }
        dateShiftMs = 0;
        expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
        expect(await deployment.findDifferences()).toEqual([]);
      }
    } finally {
      dateShiftMs = 0;
    }
    const { text } = await deployment.fetchFromMonitor(
      deployment.runningProcesses.find((name) => name.startsWith('extract-worker')) ?? '',
      '/metrics',
    );
    expect(text).toContain('freshet_source_clock_skew_seconds');
  });

  test('a stored position in the future is replaced, and the run has a warning', async () => {
    const { sql } = deployment.control;
    await sql`
      update freshet.pipeline_objects set position = jsonb_set(jsonb_set(position, '{views,live,watermark}', '"2099-01-01T00:00:00Z"'), '{views,live,newest}', 'null'),
        complete_as_of = '2099-01-01' where object = 'tickets'`;
    deployment.simulator.account.update('tickets', 3, { subject: 'after the clock skew' });
    const run = await deployment.sync(pipelineId);
    const tickets = run.objects.find((o) => o.object === 'tickets');
    expect(tickets?.warnings).toMatchObject([
      { code: 'clock_skew', message: expect.stringContaining('2099-01-01T00:00:00Z) was in the future') },
    ]);
    expect(await deployment.findDifferences()).toEqual([]);
    const [row] =
      await sql`select complete_as_of <= now() as is_past from freshet.pipeline_objects where object = 'tickets'`;
    expect(row?.['is_past']).toBe(true);
  });

  test('POST …/position rejects a time in the future, and returns the time range that a move to a later position skips', async () => {
    const moveTo = (changed_since: string) =>
      deployment.api.post('/v1/pipelines/{id}/objects/{object}/position', {
        params: { path: { id: pipelineId, object: 'tickets' } },
        body: { changed_since },
      });
    await expect(moveTo('2099-01-01T00:00:00Z')).rejects.toThrow(/must not be in the future/);
    const to = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
    const moved = await moveTo(to);
    expect(Date.parse(moved.unread_to as string)).toBe(Date.parse(to));
    expect(Date.parse(moved.unread_from as string)).toBeLessThanOrEqual(Date.parse(moved.complete_as_of as string));
    expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
    const objects = await deployment.api.get('/v1/pipelines/{id}/objects', { params: { path: { id: pipelineId } } });
    expect(Date.parse(objects.data.find((o) => o.object === 'tickets')?.complete_back_to ?? '')).toBe(Date.parse(to));
    const [row] = await deployment.warehouse.sql.unsafe(
      `select complete_back_to from ${deployment.schema}._freshet_objects where table_name = 'tickets'`,
    );
    expect(row?.['complete_back_to']).toEqual(new Date(to));
  });
});
