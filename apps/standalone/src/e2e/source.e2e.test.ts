import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { eventually } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

const JSON_HEADERS = { 'content-type': 'application/json', 'x-freshdesk-api-version': 'latest=v2; requested=v2' };
const DAY_MS = 86_400_000;

type Answer = (response: ServerResponse, page: number) => boolean;

let deployment: Deployment;
let pipelineId: string;
/** What answers in place of the account, by path. */
const answers = new Map<string, Answer>();
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
        return answers.get(path)?.(response, Number(query.get('page') ?? '1')) ?? false;
      },
    },
    undefined,
    { FRESHET_ANSWER_MIB_MAX: '8' },
  );
  pipelineId = await deployment.createPipeline();
  expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
});
afterAll(() => deployment[Symbol.asyncDispose]());

async function syncWith(path: string, answer: Answer) {
  answers.set(path, answer);
  try {
    return await deployment.sync(pipelineId, 110_000);
  } finally {
    answers.delete(path);
  }
}

describe('a server that misbehaves', () => {
  test('a list that answers every page with page 1 fails its object with a clear error, and no other', async () => {
    const page = Array.from({ length: 100 }, (_, i) => ({
      id: 1 + i,
      name: `c ${i}`,
      created_at: '2024-01-01T00:00:00Z',
      updated_at: '2024-01-01T00:00:00Z',
    }));
    let requests = 0;
    const run = await syncWith('/api/v2/contacts', (response, n) => {
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

  test('a maintenance page is retried, and the run succeeds when the page is gone', async () => {
    let requests = 0;
    const run = await syncWith('/api/v2/tickets', (response) => {
      // More than one slice tries again, without any sign of the API.
      if (++requests > 9) return false;
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><body>We are down for maintenance</body></html>');
      return true;
    });
    expect(run.status).toBe('succeeded');
  });

  test('JSON after a byte order mark lands', async () => {
    const { account } = deployment.simulator;
    const groups = [...account.everything('groups')].map(
      ({ text }) => JSON.parse(text) as { id: number; name: string; updated_at: string },
    );
    const renamed = groups.map((g) => ({ ...g, name: `${g.name} ☂`, updated_at: new Date().toISOString() }));
    const run = await syncWith('/api/v2/groups', (response) => {
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

  test('a body that decodes to a huge one fails its object as too large', async () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from('"'), Buffer.alloc(50 * 1024 * 1024, 'a'), Buffer.from('"')]));
    let requests = 0;
    const run = await syncWith('/api/v2/groups', (response) => {
      requests++;
      response.writeHead(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' }).end(bomb);
      return true;
    });
    expect(requests).toBe(1);
    expect(run.objects.find((o) => o.object === 'groups')).toMatchObject({
      status: 'failed',
      error: { code: 'source_too_large' },
    });
  });

  test('a response that drips is aborted within its slice and retried, while other objects finish', async () => {
    let drips = 0;
    answers.set('/api/v2/roles', (response) => {
      // The first slice meets a drip; the second one does not.
      if (++drips > 1) return false;
      response.writeHead(200, JSON_HEADERS);
      const timer = setInterval(() => response.write(' '), 200);
      response.on('close', () => clearInterval(timer));
      return true;
    });
    const { id } = await deployment.startRun(pipelineId);
    const others = await eventually(async () => {
      const run = await deployment.run(id);
      return run.objects.every((o) => o.object === 'roles' || o.status === 'succeeded') ? run : null;
    }, 'the other objects are read');
    expect(others.objects.find((o) => o.object === 'roles')?.status).not.toBe('succeeded');
    expect((await deployment.finished(id)).status).toBe('succeeded');
    answers.delete('/api/v2/roles');
  });

  test('a shutdown aborts a response that drips, and another worker requests it again', async () => {
    let drips = 0;
    answers.set('/api/v2/roles', (response) => {
      if (++drips > 1) return false;
      response.writeHead(200, JSON_HEADERS);
      const timer = setInterval(() => response.write(' '), 200);
      response.on('close', () => clearInterval(timer));
      return true;
    });
    const { id } = await deployment.startRun(pipelineId);
    await eventually(async () => (drips > 0 ? true : null), 'roles are requested');
    const child = deployment.signal('extract-worker', 'SIGTERM');
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await deployment.launch('extract-worker', 'extract-worker-2');
    const run = await deployment.finished(id);
    expect(run.status).toBe('succeeded');
    expect(await ended).toBe(0);
    // The request was sent, so it is charged.
    expect(run.objects.find((o) => o.object === 'roles')).toMatchObject({ credits_used: 2 });
    answers.delete('/api/v2/roles');
  });
});

describe('clocks', () => {
  test('a Date header three days ahead skips no update, claims no future, and is reported (I3)', async () => {
    const { account } = deployment.simulator;
    const tables = ['tickets', 'contacts', 'companies'];
    const claims = async () => {
      const { data } = await deployment.api.call<{ data: { object: string; complete_as_of: string | null }[] }>(
        'GET',
        `/v1/pipelines/${pipelineId}/objects`,
      );
      return data.flatMap((o) => (o.complete_as_of === null ? [] : [Date.parse(o.complete_as_of)]));
    };
    try {
      for (const shift of [3 * DAY_MS, -3 * DAY_MS]) {
        for (let round = 1; round <= 3; round++) {
          dateShiftMs = round < 3 ? shift : 0;
          const run = await deployment.sync(pipelineId);
          expect(run.status).toBe('succeeded');
          const tickets = run.objects.find((o) => o.object === 'tickets');
          const { warnings } = tickets as unknown as { warnings: { code: string }[] };
          expect(warnings.map((w) => w.code)).toEqual(round < 3 ? ['clock_skew'] : []);
          expect(Math.max(...(await claims()))).toBeLessThanOrEqual(Date.now());
          for (let n = 1; n <= 10; n++) for (const name of tables) account.update(name, round * 10 + n, {});
        }
        dateShiftMs = 0;
        expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
        expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
      }
    } finally {
      dateShiftMs = 0;
    }
    const { text } = await deployment.monitor(
      deployment.alive.find((name) => name.startsWith('extract-worker')) ?? '',
      '/metrics',
    );
    expect(text).toContain('freshet_source_clock_skew_seconds');
  });

  test('a stored position in the future is replaced, with a warning', async () => {
    const { sql } = deployment.control;
    await sql`
      update freshet.pipeline_objects set position = jsonb_set(jsonb_set(position, '{views,live,watermark}', '"2099-01-01T00:00:00Z"'), '{views,live,newest}', 'null'),
        complete_as_of = '2099-01-01' where object = 'tickets'`;
    deployment.simulator.account.update('tickets', 3, { subject: 'after the wrong clock' });
    const run = await deployment.sync(pipelineId);
    const tickets = run.objects.find((o) => o.object === 'tickets') as unknown as {
      warnings: { code: string; message: string }[];
    };
    expect(tickets.warnings).toMatchObject([
      { code: 'clock_skew', message: expect.stringContaining('2099-01-01T00:00:00Z) was in the future') },
    ]);
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
    const [row] =
      await sql`select complete_as_of <= now() as ok from freshet.pipeline_objects where object = 'tickets'`;
    expect(row?.['ok']).toBe(true);
  });

  test('POST …/position refuses a moment in the future, and names what a moment ahead of the position skips', async () => {
    const path = `/v1/pipelines/${pipelineId}/objects/tickets/position`;
    await expect(deployment.api.call('POST', path, { changed_since: '2099-01-01T00:00:00Z' })).rejects.toThrow(
      /must not be in the future/,
    );
    const to = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
    const moved = await deployment.api.call<{ unread_from: string; unread_to: string; complete_as_of: string }>(
      'POST',
      path,
      { changed_since: to },
    );
    expect(Date.parse(moved.unread_to)).toBe(Date.parse(to));
    expect(Date.parse(moved.unread_from)).toBeLessThanOrEqual(Date.parse(moved.complete_as_of));
    expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
    const object = await deployment.api.call<{ data: { object: string; complete_back_to: string }[] }>(
      'GET',
      `/v1/pipelines/${pipelineId}/objects`,
    );
    expect(Date.parse(object.data.find((o) => o.object === 'tickets')?.complete_back_to ?? '')).toBe(Date.parse(to));
    const [row] = await deployment.warehouse.sql.unsafe(
      `select complete_back_to from ${deployment.schema}._freshet_objects where table_name = 'tickets'`,
    );
    expect(row?.['complete_back_to']).toEqual(new Date(to));
  });
});
