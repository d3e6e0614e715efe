import { catalogue } from '@freshet/freshdesk-extractor';
import Fastify from 'fastify';
import supertest from 'supertest';
import { describe, expect, test } from 'vitest';
import type { App } from '../context.ts';
import { KEY_INPUT, UNKNOWN_ID, useTestApi } from '../test-support/api.ts';
import { registerAuth } from './auth.ts';
import { registerConventions } from './conventions.ts';
import { registerErrors } from './errors.ts';
import { registerOpenApi } from './openapi.ts';
import { registerRateLimit } from './rate-limit.ts';

const api = useTestApi();
const { call } = api;
const secretInput = (name: string) => ({ name, type: 'freshdesk_api_key', api_key: `secret of ${name}` });

describe('common responses', () => {
  test.each(['credentials', 'destinations', 'pipelines', 'runs'])(
    'GET /v1/%s/{id} returns 404 for an unknown id',
    async (kind) => {
      expect((await call('get', `/v1/${kind}/${UNKNOWN_ID}`).expect(404)).body.code).toBe('not_found');
    },
  );

  test('unknown paths and methods, invalid JSON, large bodies and unsupported media types are rejected', async () => {
    await call('get', '/v1/nothing').expect(404);
    const wrong = await call('delete', '/v1/credentials').expect(405);
    expect(wrong.headers['allow']).toBe('GET, HEAD, POST');
    expect(wrong.body).toMatchObject({
      code: 'method_not_allowed',
      detail: expect.stringContaining('GET, HEAD, POST'),
    });
    expect((await call('get', `/v1/accounts/${'x'.repeat(5000)}/budget`).expect(400)).body.errors[0].pointer).toBe(
      '/params/subdomain',
    );
    await call('post', '/v1/credentials').set('content-type', 'application/json').send('{"a":').expect(400);
    await call('post', '/v1/credentials')
      .send({ ...KEY_INPUT, api_key: 'x'.repeat(2_000_000) })
      .expect(413);
    await call('post', '/v1/credentials').set('content-type', 'text/csv').send('a,b').expect(415);
  });

  test.each([65, 5000, 70_000])('a body with %i nested levels is rejected before any route processes it', async (n) => {
    for (const [open, close] of [
      ['{"template":', '}'],
      ['[', ']'],
    ] as const) {
      const { body } = await call('post', '/v1/webhooks')
        .set('content-type', 'application/json')
        .set('idempotency-key', `nested-${n}`)
        .send(`${open.repeat(n)}1${close.repeat(n)}`)
        .expect(400);
      expect(body.errors).toEqual([
        { pointer: '/', detail: expect.stringContaining('At most 64 levels are allowed.') },
      ]);
    }
  });

  test('a body with the maximum number of levels is accepted', async () => {
    const template = JSON.parse(`${'{"a":'.repeat(63)}"{{summary}}"${'}'.repeat(63)}`);
    const webhook = { name: 'nested', url: 'https://hooks.example.com/', events: ['run.failed'], template };
    expect((await call('post', '/v1/webhooks').send(webhook).expect(201)).body.template).toEqual(template);
  });

  test('the API serves the catalog, the OpenAPI document, the reference pages and the probes', async () => {
    expect((await call('get', '/v1/catalog/objects').expect(200)).body.data).toHaveLength(catalogue.length);
    expect((await supertest(api.app.server).get('/v1/openapi.json').expect(200)).body.openapi).toBe('3.1.1');
    expect((await supertest(api.app.server).get('/docs/').expect(200)).text).toContain('<html');
    const errorReference = await supertest(api.app.server).get('/docs/errors').expect(200);
    expect(errorReference.text).toContain('<tr id="invalid_input">');
    expect(errorReference.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'cache-control': 'public, max-age=3600',
    });
    await supertest(api.app.server).get('/livez').expect(200);
    await supertest(api.app.server).get('/readyz').expect(200);
  });
});

describe('limits', () => {
  test('the API limits the requests per minute of each token, and reports how many requests remain', async () => {
    const limited = await api.build({ requestsPerMinute: 3 });
    try {
      const left = [];
      for (let i = 0; i < 3; i++)
        left.push((await call('get', '/v1/pipelines', api.token, limited).expect(200)).headers['ratelimit-remaining']);
      expect(left).toEqual(['2', '1', '0']);
      const refused = await call('get', '/v1/pipelines', api.token, limited).expect(429);
      expect(refused.body).toMatchObject({
        code: 'rate_limited',
        detail: expect.stringContaining('3 requests per minute'),
      });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      const { value: text } = await api.store.tokens.create({
        name: 'other',
        role: 'observer',
        scopes: null,
        expires_at: null,
      });
      await call('get', '/v1/pipelines', text, limited).expect(200);
    } finally {
      await limited.close();
    }
  });

  test.each([
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://169.254.169.254/x',
    'ftp://example.com/',
    'mailto:',
    'mailto:ops@example.com?subject=x',
    'mailto:a@b.c,no address',
    'mailto:a@b.c%0Abcc:x@y.z',
    'https://user:secret@example.com/',
    'no url',
  ])('the API rejects the webhook URL %s (OWASP API7)', async (url) => {
    const { body } = await call('post', '/v1/webhooks')
      .send({ name: 'w', url, events: ['run.failed'] })
      .expect(400);
    expect(body.errors[0].pointer).toBe('/url');
  });

  test.each(['127.0.0.1', '::1', 'localhost', '169.254.169.254', '::ffff:127.0.0.1'])(
    'the API does not connect to a warehouse at %s (OWASP API7)',
    async (host) => {
      const secret = (
        await call('post', '/v1/credentials').send({ name: 'p', type: 'postgres_password', password: 'x' }).expect(201)
      ).body;
      const input = {
        name: 'w',
        type: 'postgres',
        host,
        port: 5432,
        database: 'd',
        username: 'u',
        credential_id: secret.id,
        ssl_mode: 'disable',
      };
      const { body: destination } = await call('post', '/v1/destinations').send(input).expect(201);
      const { body } = await call('post', `/v1/destinations/${destination.id}/test`).expect(200);
      expect(body).toMatchObject({
        usable: false,
        error: { code: 'address_refused', message: expect.stringContaining('FRESHET_ALLOWED_ADDRESSES') },
      });
    },
  );
});

test('a deprecated route is marked in the OpenAPI document and in the headers `Deprecation` and `Sunset`', async () => {
  const small = Fastify() as unknown as App;
  registerErrors(small);
  registerAuth(small, api.store);
  await registerRateLimit(small, 100);
  registerConventions(small, api.store);
  await registerOpenApi(small);
  const deprecated = { since: new Date('2027-01-01T00:00:00Z'), sunset: new Date('2027-07-01T00:00:00Z') };
  small.get(
    '/v1/old',
    { config: { permission: 'read', deprecated }, schema: { operationId: 'old' } },
    async () => ({}),
  );
  await small.ready();
  try {
    for (const [token, status] of [
      [api.token, 200],
      ['nobody', 401],
    ] as const) {
      const { headers } = await call('get', '/v1/old', token, small).expect(status);
      expect(headers).toMatchObject({ deprecation: '@1798761600', sunset: 'Thu, 01 Jul 2027 00:00:00 GMT' });
    }
    expect(
      (small.swagger() as unknown as { paths: Record<string, { get: object }> }).paths['/v1/old']?.get,
    ).toMatchObject({ deprecated: true });
    expect((await call('get', '/v1/pipelines')).headers['deprecation']).toBeUndefined();
  } finally {
    await small.close();
  }
});

test('the API indents JSON if `Accept` has the parameter `indent`', async () => {
  const compact = await call('get', '/v1/catalog/objects').expect(200);
  expect(compact.text).not.toContain('\n');
  const indented = await call('get', '/v1/catalog/objects').set('accept', 'application/json; indent=2').expect(200);
  expect(indented.text).toBe(`${JSON.stringify(compact.body, null, 2)}\n`);
  expect(Number(indented.headers['content-length'])).toBe(Buffer.byteLength(indented.text));
  const problem = await call('get', '/v1/nothing').set('accept', '*/*; indent=4, text/plain').expect(404);
  expect(problem.text).toMatch(/^\{\n {4}"type"/);
  const created = await call('post', '/v1/credentials')
    .set('accept', 'application/json;indent=1')
    .set('idempotency-key', 'k')
    .send(secretInput('a'))
    .expect(201);
  const again = await call('post', '/v1/credentials')
    .set('accept', 'application/json;indent=1')
    .set('idempotency-key', 'k')
    .send(secretInput('a'))
    .expect(201);
  expect(again.text).toBe(created.text);
  for (const accept of ['application/json; indent=0', 'application/json; indent=99', 'application/json; indent=x']) {
    expect((await call('get', '/v1/pipelines').set('accept', accept).expect(200)).text, accept).not.toContain('\n');
  }
  const entries = await call('get', '/v1/audit-log/export')
    .set('accept', 'application/x-ndjson; indent=2')
    .buffer(true)
    .parse((res, done) => {
      let text = '';
      res.on('data', (chunk) => {
        text += chunk;
      });
      res.on('end', () => done(null, text));
    });
  for (const line of (entries.body as string).trim().split('\n')) JSON.parse(line);
});

test('lists apply filters, reject unknown parameters and forbid caching', async () => {
  await call('post', '/v1/credentials').send(secretInput('a')).expect(201);
  await call('post', '/v1/credentials').send({ name: 'b', type: 'postgres_password', password: 'x' }).expect(201);
  const names = async (path: string) =>
    (await call('get', path).expect(200)).body.data.map(({ name }: { name: string }) => name);
  expect(await names('/v1/credentials?name=a')).toEqual(['a']);
  expect(await names('/v1/credentials?type=postgres_password')).toEqual(['b']);
  expect(await names('/v1/credentials?type=postgres_password&name=a')).toEqual([]);
  const pipeline = await api.createPipeline();
  expect(await names('/v1/pipelines?status=active&subdomain=acme')).toEqual(['acme']);
  expect(await names(`/v1/pipelines?destination_id=${pipeline.destination_id}`)).toEqual(['acme']);
  expect(await names('/v1/pipelines?status=paused')).toEqual([]);
  expect(await names('/v1/tokens?role=observer')).toEqual([]);
  await call('get', '/v1/pipelines?status=asleep').expect(400);
  for (const unknown of ['secret=x', 'digest=x', 'x-y=1', 'nam=a']) {
    for (const path of ['credentials', 'pipelines', 'tokens', 'runs', 'audit-log']) {
      expect((await call('get', `/v1/${path}?${unknown}`).expect(400)).body.errors[0].detail).toBe(
        'is not a known parameter',
      );
    }
  }
  const { headers } = await call('get', '/v1/pipelines').expect(200);
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
});

test('pagination returns each existing item once, and returns no item that is added meanwhile', async () => {
  for (let i = 0; i < 5; i++)
    await call('post', '/v1/credentials')
      .send(secretInput(`c${i}`))
      .expect(201);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const { body }: { body: { data: { name: string }[]; next_cursor: string | null } } = await call(
      'get',
      `/v1/credentials?limit=2${cursor ? `&cursor=${cursor}` : ''}`,
    ).expect(200);
    seen.push(...body.data.map(({ name }) => name));
    cursor = body.next_cursor;
    await call('post', '/v1/credentials')
      .send(secretInput(`late ${seen.length}`))
      .expect(201);
  } while (cursor !== null);
  expect(seen).toEqual(['c4', 'c3', 'c2', 'c1', 'c0']);
});
