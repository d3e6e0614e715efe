import { Freshet, FreshetError, type Run } from '@freshet/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** The published client against real processes, as a user of it would. */
let deployment: Deployment;
let freshet: Freshet;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 60 } });
  freshet = new Freshet({ url: deployment.url, token: deployment.token });
});
afterAll(() => deployment[Symbol.asyncDispose]());

/** A client whose first answers are lost on the way, though the API has done what was asked for. */
function losing(answers: number): { readonly client: Freshet; readonly sent: Request[] } {
  const sent: Request[] = [];
  const client = new Freshet({
    url: deployment.url,
    token: deployment.token,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      sent.push(request.clone());
      const response = await fetch(request);
      if (sent.length <= answers) throw new TypeError('the connection was lost');
      return response;
    },
  });
  return { client, sent };
}

const refused = async (call: Promise<unknown>) =>
  (await call.then(
    () => null,
    (error: unknown) => error,
  )) as FreshetError;

test('from nothing to rows: credentials, destination, pipeline, a run that is watched and waited for', async () => {
  const { hostname, port, username, password, pathname } = new URL(deployment.warehouse.url);
  const key = await freshet.post('/v1/credentials', {
    body: { name: 'key', type: 'freshdesk_api_key', api_key: 'demo-admin-key' },
  });
  const secret = await freshet.post('/v1/credentials', {
    body: { name: 'password', type: 'postgres_password', password },
  });
  const destination = await freshet.post('/v1/destinations', {
    body: {
      name: 'warehouse',
      type: 'postgres',
      host: hostname,
      port: Number(port),
      database: pathname.slice(1),
      username,
      credential_id: secret.id,
      ssl_mode: 'disable',
    },
  });
  expect(await freshet.post('/v1/destinations/{id}/test', { params: { path: { id: destination.id } } })).toMatchObject({
    usable: true,
  });
  const pipeline = await freshet.post('/v1/pipelines', {
    body: {
      name: 'acme',
      source: { type: 'freshdesk', subdomain: 'acme', credential_id: key.id, historical_sync_days: null },
      destination_id: destination.id,
      objects: { conversations: { included: false } },
      audit_frequency_days: null,
    },
  });
  // The scheduler starts its first run at once; asked for now, it is the same one.
  const { id } = await freshet.post('/v1/pipelines/{id}/runs', { params: { path: { id: pipeline.id } } });
  const seen: Run[] = [];
  for await (const run of freshet.watchRun(id)) seen.push(run);
  const done = await freshet.waitForRun(id);
  expect(done.status).toBe('succeeded');
  expect(seen.at(-1)).toEqual(done);
  expect(seen.length).toBeGreaterThan(1);
  const [rows] = await deployment.warehouse.sql`select count(*)::int as n from freshdesk_acme.tickets`;
  expect(rows?.['n']).toBe(60);

  // Round trip: what was sent is read back as it was sent, with nulls and what is empty.
  expect(await freshet.get('/v1/pipelines/{id}', { params: { path: { id: pipeline.id } } })).toMatchObject({
    source: { historical_sync_days: null },
    audit_frequency_days: null,
    objects: { conversations: { included: false } },
    table_prefix: '',
  });
  expect((await freshet.get('/v1/usage')).data.find((u) => u.object === 'tickets')).toMatchObject({
    pipeline_id: pipeline.id,
    records_loaded: 60,
  });
});

test('a list is read page by page, each row once', async () => {
  for (let i = 0; i < 5; i++)
    await freshet.post('/v1/credentials', { body: { name: `c${i}`, type: 'freshdesk_api_key', api_key: 'x' } });
  const names: string[] = [];
  for await (const { name } of freshet.all('/v1/credentials', { query: { limit: 2 } })) names.push(name);
  expect(names).toEqual(expect.arrayContaining(['c0', 'c1', 'c2', 'c3', 'c4']));
  expect(new Set(names).size).toBe(names.length);
});

describe('errors', () => {
  test('say what is wrong, where, and under which request', async () => {
    const invalid = await refused(
      freshet.post('/v1/credentials', { body: { name: '', type: 'freshdesk_api_key', api_key: 'x' } }),
    );
    expect(invalid).toBeInstanceOf(FreshetError);
    expect(invalid).toMatchObject({
      status: 400,
      code: 'invalid_input',
      errors: [{ pointer: '/name' }],
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const missing = await refused(
      freshet.get('/v1/runs/{id}', { params: { path: { id: '00000000-0000-7000-8000-000000000000' } } }),
    );
    expect(missing).toMatchObject({ status: 404, code: 'not_found' });
    const stranger = new Freshet({ url: deployment.url, token: 'frt_nobody' });
    expect(await refused(stranger.get('/v1/pipelines'))).toMatchObject({ status: 401, code: 'unauthenticated' });
    const taken = { body: { name: 'taken', type: 'freshdesk_api_key', api_key: 'x' } } as const;
    await freshet.post('/v1/credentials', taken);
    expect(await refused(freshet.post('/v1/credentials', taken))).toMatchObject({ status: 409, code: 'conflict' });
  });

  test('an API that is not there is an error as well, after so many tries', async () => {
    let tries = 0;
    const nowhere = new Freshet({
      url: 'http://127.0.0.1:1',
      token: 'frt_x',
      tries: 2,
      fetch: (...args) => {
        tries++;
        return fetch(...args);
      },
    });
    expect(await refused(nowhere.get('/v1/pipelines'))).toMatchObject({ status: 0, code: 'unreachable' });
    expect(tries).toBe(2);
  });

  test('a change that was based on an older version is refused', async () => {
    const { id } = await freshet.post('/v1/credentials', {
      body: { name: 'versioned', type: 'freshdesk_api_key', api_key: 'x' },
    });
    await freshet.patch('/v1/credentials/{id}', {
      params: { path: { id }, header: { 'if-match': '"1"' } },
      body: { name: 'version 2' },
    });
    const late = freshet.patch('/v1/credentials/{id}', {
      params: { path: { id }, header: { 'if-match': '"1"' } },
      body: { name: 'version 2b' },
    });
    expect(await refused(late)).toMatchObject({ status: 412, code: 'precondition_failed' });
    await freshet.delete('/v1/credentials/{id}', { params: { path: { id } } });
  });
});

test('an answer that was lost is asked for again with the same key, and nothing is done twice', async () => {
  const { client, sent } = losing(2);
  const made = await client.post('/v1/credentials', {
    body: { name: 'once', type: 'freshdesk_api_key', api_key: 'x' },
  });
  expect(sent).toHaveLength(3);
  expect(new Set(sent.map((request) => request.headers.get('idempotency-key'))).size).toBe(1);
  const named: string[] = [];
  for await (const { name, id } of freshet.all('/v1/credentials')) if (name === 'once') named.push(id);
  expect(named).toEqual([made.id]);
});

test('watching goes on where the connection was lost, and ends when it is told to', async () => {
  const [pipeline] = (await freshet.get('/v1/pipelines')).data;
  const { id } = await freshet.post('/v1/pipelines/{id}/runs', { params: { path: { id: pipeline?.id as string } } });
  let cut = 0;
  const flaky = new Freshet({
    url: deployment.url,
    token: deployment.token,
    fetch: async (input, init) => {
      const response = await fetch(new Request(input, init));
      if (!response.headers.get('content-type')?.includes('event-stream') || ++cut > 2 || response.body === null)
        return response;
      // Each of the first connections breaks after its first piece.
      const reader = response.body.getReader();
      let pieces = 0;
      const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull: async (controller) => {
          if (++pieces > 2) return controller.error(new TypeError('cut off'));
          const { value, done } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      });
      return new Response(broken, response);
    },
  });
  const states: Run[] = [];
  for await (const run of flaky.watchRun(id)) states.push(run);
  expect(states.at(-1)).toMatchObject({ status: 'succeeded' });
  expect(new Set(states.map((run) => JSON.stringify(run))).size).toBe(states.length);
  const abort = new AbortController();
  abort.abort(new Error('enough'));
  await expect(freshet.watchRun(id, { signal: abort.signal }).next()).rejects.toThrow('enough');
});
