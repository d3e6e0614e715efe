import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Freshet, FreshetError, type Run } from '@freshet/client';
import { collectGarbage, findProcessModule } from '@freshet/testing';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** Tests the published client with a real deployment. */
let deployment: Deployment;
let freshet: Freshet;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 60 } });
  freshet = new Freshet({ url: deployment.url, token: deployment.token });
});
afterAll(() => deployment[Symbol.asyncDispose]());

/** Creates a client whose first responses are lost, although the API has processed the requests. */
function createLossyClient(lostResponses: number): { readonly client: Freshet; readonly sent: Request[] } {
  const sent: Request[] = [];
  const client = new Freshet({
    url: deployment.url,
    token: deployment.token,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      sent.push(request.clone());
      const response = await fetch(request);
      if (sent.length <= lostResponses) throw new TypeError('the connection was lost');
      return response;
    },
  });
  return { client, sent };
}

const catchError = async (request: Promise<unknown>) =>
  (await request.then(
    () => null,
    (error: unknown) => error,
  )) as FreshetError;

test('the client creates credentials, a destination and a pipeline, streams the first run, and waits for its end', async () => {
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
  // The scheduler has started the first run, and this request joins that run.
  const { id } = await freshet.post('/v1/pipelines/{id}/runs', { params: { path: { id: pipeline.id } } });
  const states: Run[] = [];
  for await (const run of freshet.watchRun(id)) states.push(run);
  const finished = await freshet.waitForRun(id);
  expect(finished.status).toBe('succeeded');
  expect(states.at(-1)).toEqual(finished);
  expect(states.length).toBeGreaterThan(1);
  const [rows] = await deployment.warehouse.sql`select count(*)::int as n from freshdesk_acme.tickets`;
  expect(rows?.['n']).toBe(60);

  // The API returns the settings as they were sent, including null and empty values.
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

describe('the MCP server of the bundle', () => {
  const connectors = {
    '`freshet mcp` (stdio)': () =>
      new StdioClientTransport({
        command: process.execPath,
        args: [findProcessModule('apps/freshet/src/main'), 'mcp', '--url', deployment.url],
        env: { FRESHET_TOKEN: deployment.token },
      }),
    '`/mcp` (streamable HTTP)': () =>
      new StreamableHTTPClientTransport(new URL('/mcp', deployment.url), {
        requestInit: { headers: { authorization: `Bearer ${deployment.token}` } },
      }),
  };

  test.each(Object.entries(connectors))('serves tools and resources over %s', async (_name, createTransport) => {
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(createTransport());
    const getResult = async (name: string, parameters: Record<string, unknown> = {}) =>
      (await client.callTool({ name, arguments: parameters })).structuredContent;
    expect((await client.listTools()).tools).toHaveLength(10);
    const { pipelines } = (await getResult('list_pipelines')) as { pipelines: { last_run: { id: string } }[] };
    expect(pipelines).toMatchObject([{ name: 'acme', status: 'active', fresh_as_of: expect.any(String) }]);
    const run_id = pipelines[0]?.last_run.id;
    expect(await getResult('wait_for_run', { run_id })).toMatchObject({ status: 'succeeded' });
    expect(await getResult('explain_run', { run_id })).toMatchObject({ status: 'succeeded', failed_units: [] });
    const sql =
      'select count(*), count(distinct t.requester_id) > 1 from tickets t join contacts c on c.id = t.requester_id';
    expect(await getResult('query_warehouse', { sql })).toMatchObject({ columns: [{ type: 'bigint' }, {}] });
    expect(await getResult('describe_table', { table: 'freshdesk_acme.tickets' })).toMatchObject({
      columns: expect.arrayContaining([expect.objectContaining({ name: 'subject', description: expect.any(String) })]),
    });
    const { contents } = await client.readResource({ uri: 'freshet://metrics' });
    expect(JSON.parse((contents[0] as { text: string }).text).length).toBeGreaterThan(20);
    await client.close();
  });
});

test('paginate yields each item of a list once', async () => {
  for (let i = 0; i < 5; i++)
    await freshet.post('/v1/credentials', { body: { name: `c${i}`, type: 'freshdesk_api_key', api_key: 'x' } });
  const names: string[] = [];
  for await (const { name } of freshet.paginate('/v1/credentials', { query: { limit: 2 } })) names.push(name);
  expect(names).toEqual(expect.arrayContaining(['c0', 'c1', 'c2', 'c3', 'c4']));
  expect(new Set(names).size).toBe(names.length);
});

describe('FreshetError', () => {
  test('contains the status, the code, the invalid fields and the request id', async () => {
    const invalid = await catchError(
      freshet.post('/v1/credentials', { body: { name: '', type: 'freshdesk_api_key', api_key: 'x' } }),
    );
    expect(invalid).toBeInstanceOf(FreshetError);
    expect(invalid).toMatchObject({
      status: 400,
      code: 'invalid_input',
      errors: [{ pointer: '/name' }],
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const missing = await catchError(
      freshet.get('/v1/runs/{id}', { params: { path: { id: '00000000-0000-7000-8000-000000000000' } } }),
    );
    expect(missing).toMatchObject({ status: 404, code: 'not_found' });
    const unauthenticated = new Freshet({ url: deployment.url, token: 'frt_nobody' });
    expect(await catchError(unauthenticated.get('/v1/pipelines'))).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    });
    const credential = { body: { name: 'taken', type: 'freshdesk_api_key', api_key: 'x' } } as const;
    await freshet.post('/v1/credentials', credential);
    expect(await catchError(freshet.post('/v1/credentials', credential))).toMatchObject({
      status: 409,
      code: 'conflict',
    });
  });

  test('reports an unreachable API after the maximum number of attempts', async () => {
    let attempts = 0;
    const unreachable = new Freshet({
      url: 'http://127.0.0.1:1',
      token: 'frt_x',
      maxAttempts: 2,
      fetch: (...args) => {
        attempts++;
        return fetch(...args);
      },
    });
    expect(await catchError(unreachable.get('/v1/pipelines'))).toMatchObject({ status: 0, code: 'unreachable' });
    expect(attempts).toBe(2);
  });

  test('reports an attempt to update an outdated version (412)', async () => {
    const { id } = await freshet.post('/v1/credentials', {
      body: { name: 'versioned', type: 'freshdesk_api_key', api_key: 'x' },
    });
    await freshet.patch('/v1/credentials/{id}', {
      params: { path: { id }, header: { 'if-match': '"1"' } },
      body: { name: 'version 2' },
    });
    const outdatedUpdate = freshet.patch('/v1/credentials/{id}', {
      params: { path: { id }, header: { 'if-match': '"1"' } },
      body: { name: 'version 2b' },
    });
    expect(await catchError(outdatedUpdate)).toMatchObject({ status: 412, code: 'precondition_failed' });
    await freshet.delete('/v1/credentials/{id}', { params: { path: { id } } });
  });
});

test('a request whose response is lost is repeated with the same idempotency key, and creates only one resource', async () => {
  const { client, sent } = createLossyClient(2);
  const created = await client.post('/v1/credentials', {
    body: { name: 'once', type: 'freshdesk_api_key', api_key: 'x' },
  });
  expect(sent).toHaveLength(3);
  expect(new Set(sent.map((request) => request.headers.get('idempotency-key'))).size).toBe(1);
  const ids: string[] = [];
  for await (const { name, id } of freshet.paginate('/v1/credentials')) if (name === 'once') ids.push(id);
  expect(ids).toEqual([created.id]);
});

test('the signal of the caller aborts a request in progress, even after a garbage collection', async () => {
  // A server that never responds.
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new Freshet({ url: `http://127.0.0.1:${port}`, token: deployment.token });
  const abort = new AbortController();
  const requested = once(server, 'request');
  const rejected = expect(client.waitForRun(crypto.randomUUID(), { signal: abort.signal })).rejects.toThrow('enough');
  await requested;
  await collectGarbage();
  abort.abort(new Error('enough'));
  await rejected;
  server.close();
});

test('watchRun resumes after a lost connection, and stops when its signal is aborted', async () => {
  const [pipeline] = (await freshet.get('/v1/pipelines')).data;
  const { id } = await freshet.post('/v1/pipelines/{id}/runs', { params: { path: { id: pipeline?.id as string } } });
  let streams = 0;
  const flaky = new Freshet({
    url: deployment.url,
    token: deployment.token,
    fetch: async (input, init) => {
      const response = await fetch(new Request(input, init));
      if (!response.headers.get('content-type')?.includes('event-stream') || ++streams > 2 || response.body === null)
        return response;
      // The first two streams break after their second chunk.
      const reader = response.body.getReader();
      let chunks = 0;
      const brokenBody = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull: async (controller) => {
          if (++chunks > 2) return controller.error(new TypeError('connection lost'));
          const { value, done } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      });
      return new Response(brokenBody, response);
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
