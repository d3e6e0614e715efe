import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { newToken } from '@freshet/control-store';
import { openTestStore, type TestStore } from '@freshet/control-store/test-support';
import { Metrics, outbound } from '@freshet/runtime';
import Fastify from 'fastify';
import supertest from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type App, buildApp } from './app.ts';
import { registerAuth } from './http/auth.ts';
import { registerConventions } from './http/conventions.ts';
import { registerErrors } from './http/errors.ts';
import { registerOpenApi } from './http/openapi.ts';
import { registerRateLimit } from './http/rate-limit.ts';

const TOKEN = newToken();

let t: TestStore;
let app: App;
let isDraining = false;

const build = (requestsPerMinute = 1_000_000) =>
  buildApp({
    store: t.store,
    originTemplate: null,
    isDraining: () => isDraining,
    reach: outbound(''),
    metrics: new Metrics('api'),
    requestsPerMinute,
  });

beforeAll(async () => {
  t = await openTestStore();
  await t.store.tokens.ensureBootstrap(TOKEN);
  app = await build();
});
afterAll(async () => {
  await app.close();
  await t[Symbol.asyncDispose]();
});
beforeEach(async () => {
  isDraining = false;
  await t.database
    .sql`truncate freshet.pipelines, freshet.credentials, freshet.destinations, freshet.webhooks, freshet.events, freshet.idempotency_keys cascade`;
  await t.database.sql`delete from freshet.api_tokens where name <> 'bootstrap'`;
});

type Method = 'get' | 'post' | 'patch' | 'delete';
const call = (method: Method, path: string, token = TOKEN, of: App = app) =>
  supertest(of.server)[method](path).set('authorization', `Bearer ${token}`);
const secretInput = (name: string) => ({ name, type: 'freshdesk_api_key', api_key: `secret of ${name}` });
const credentials = async () => (await t.store.credentials.list({ limit: 50, cursor: null })).data;

describe('Idempotency-Key', () => {
  test('many at once with one key do it once, and all get the same answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a')),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(await credentials()).toHaveLength(1);
  });

  test('a crash between what was done and its answer leaves neither', async () => {
    // What a crash does to the transaction: its connection is gone before it has committed.
    await t.database.sql.unsafe(`
      create function freshet.crash() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
      create trigger crash before update on freshet.idempotency_keys for each row execute function freshet.crash()`);
    try {
      const failed = await call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a'));
      expect(failed.status).toBe(500);
      expect(await credentials()).toEqual([]);
    } finally {
      await t.database.sql.unsafe('drop function freshet.crash() cascade');
    }
    const again = await call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a')).expect(201);
    expect(again.headers['idempotent-replayed']).toBeUndefined();
    expect(await credentials()).toHaveLength(1);
  });

  test('keys belong to a token: another one’s are its own', async () => {
    const { text } = await t.store.tokens.create({ name: 'other', role: 'team_admin', scopes: null, expires_at: null });
    await call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a')).expect(201);
    await call('post', '/v1/credentials', text).set('idempotency-key', 'k').send(secretInput('b')).expect(201);
    expect(await credentials()).toHaveLength(2);
  });

  test('an answer that holds a secret is kept encrypted, and given again', async () => {
    const first = await call('post', '/v1/tokens')
      .set('idempotency-key', 'k')
      .send({ name: 'a', role: 'observer' })
      .expect(201);
    const again = await call('post', '/v1/tokens')
      .set('idempotency-key', 'k')
      .send({ name: 'a', role: 'observer' })
      .expect(201);
    expect(again.body.token).toBe(first.body.token);
    const rows = await t.database.sql`select * from freshet.idempotency_keys`;
    expect(JSON.stringify(rows)).not.toContain(first.body.token);
    expect(await t.store.rotateKeys()).toBe(0);
  });

  test('is forgotten after a day', async () => {
    await call('post', '/v1/credentials').set('idempotency-key', 'k').send(secretInput('a')).expect(201);
    await t.database.sql`update freshet.idempotency_keys set created_at = now() - interval '25 hours'`;
    expect(await t.store.idempotency.deleteOlderThan(24)).toBe(1);
  });
});

describe('the audit log', () => {
  const log = async (query = '') =>
    (await call('get', `/v1/audit-log${query}`).expect(200)).body.data as Record<string, unknown>[];

  test('has who changed what, from where, and what it was before and after, without secrets', async () => {
    const { body: made } = await call('post', '/v1/credentials').send(secretInput('a')).expect(201);
    const changed = await call('patch', `/v1/credentials/${made.id}`)
      .send({ name: 'b', api_key: 'another secret' })
      .expect(200);
    await call('delete', `/v1/credentials/${made.id}`).expect(204);
    await call('patch', `/v1/credentials/${randomUUID()}`).send({ name: 'c' }).expect(404);
    const entries = await log(`?resource=credentials/${made.id}`);
    expect(
      entries.map((e) => [
        e['action'],
        (e['before'] as { name?: string })?.name,
        (e['after'] as { name?: string })?.name,
      ]),
    ).toEqual([
      ['deleteCredential', 'b', undefined],
      ['changeCredential', 'a', 'b'],
      ['createCredential', undefined, 'a'],
    ]);
    expect(entries[1]).toMatchObject({
      actor: { name: 'bootstrap', role: 'team_admin' },
      address: expect.stringContaining('127.0.0.1'),
      request_id: changed.headers['x-request-id'],
    });
    expect(JSON.stringify(await log('?limit=200'))).not.toContain('secret');
    expect(await log(`?resource=credentials/${made.id}&action=changeCredential`)).toHaveLength(1);
    expect(await log(`?actor_id=${randomUUID()}`)).toEqual([]);
    expect(await log('?until=2020-01-01T00:00:00Z')).toEqual([]);
    const { text } = await call('get', `/v1/audit-log/export?resource=credentials/${made.id}`)
      .buffer(true)
      .parse((res, done) => {
        let body = '';
        res.on('data', (chunk) => {
          body += chunk;
        });
        res.on('end', () => done(null, body));
      })
      .expect(200)
      .then(({ body }) => ({ text: body as string }));
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(entries);
  });

  test('does not have what was refused, and a new token is in it without its text', async () => {
    const before = (await log()).length;
    await call('post', '/v1/credentials').send(secretInput('a')).expect(201);
    await call('post', '/v1/credentials').send(secretInput('a')).expect(409);
    const { body } = await call('post', '/v1/tokens').send({ name: 't', role: 'observer' }).expect(201);
    const entries = await log();
    expect(entries.length).toBe(before + 2);
    expect(entries[0]).toMatchObject({ action: 'createToken', resource: `tokens/${body.id}` });
    expect(JSON.stringify(entries)).not.toContain(body.token);
  });

  test('what is older than it is to be kept goes, and nothing of the last year, whoever asks', async () => {
    const { sql } = t.database;
    const insert = (days: number) => sql`
      insert into freshet.audit_log (id, at, actor_id, actor_name, actor_role, address, request_id, action, resource)
      values (${`00000000-0000-7000-8000-000000000${days}`}, now() - make_interval(days => ${days}), gen_random_uuid(), 'n', 'team_admin', 'a', 'r', 'retention', 'x')`;
    for (const days of [500, 400, 300]) await insert(days);
    const left = async () =>
      (
        await sql`select (extract(epoch from now() - at) / 86400)::int as days from freshet.audit_log where action = 'retention' order by at`
      ).map(({ days }) => days);
    await expect(t.store.auditLog.deleteOlderThan(200)).rejects.toThrow('only ever added to');
    expect(await left()).toEqual([500, 400, 300]);
    expect(await t.store.auditLog.deleteOlderThan(450)).toBe(1);
    expect(await left()).toEqual([400, 300]);
    await expect(sql`delete from freshet.audit_log where at < now() - interval '390 days'`).rejects.toThrow(
      'only ever added to',
    );
  });

  test('is only ever added to, at the database’s own level', async () => {
    await call('post', '/v1/credentials').send(secretInput('a')).expect(201);
    for (const statement of [
      'delete from freshet.audit_log',
      "update freshet.audit_log set actor_name = 'nobody'",
      'truncate freshet.audit_log',
    ]) {
      await expect(t.database.sql.unsafe(statement), statement).rejects.toThrow('only ever added to');
    }
  });
});

describe('tokens', () => {
  test('are shown once, narrowed by scopes, rotated with an overlap, used up to their expiry, and gone at once', async () => {
    const { body: made } = await call('post', '/v1/tokens')
      .send({ name: 't', role: 'team_collaborator', scopes: ['read', 'run'] })
      .expect(201);
    expect(made).toMatchObject({
      token: expect.stringMatching(/^frt_\w{36}$/),
      scopes: ['read', 'run'],
      last_used_at: null,
    });
    expect((await call('get', `/v1/tokens/${made.id}`).expect(200)).text).not.toContain(made.token);
    await call('get', '/v1/pipelines', made.token).expect(200);
    expect(
      (await call('post', '/v1/credentials', made.token).send(secretInput('a')).expect(403)).body.detail,
    ).toContain('manage_connections');
    expect((await call('get', `/v1/tokens/${made.id}`)).body.last_used_at).not.toBeNull();

    const { body: rotated } = await call('post', `/v1/tokens/${made.id}/rotate`).expect(200);
    for (const token of [made.token, rotated.token]) await call('get', '/v1/pipelines', token).expect(200);
    await t.database.sql`update freshet.api_tokens set previous_until = now() where id = ${made.id}`;
    await call('get', '/v1/pipelines', made.token).expect(401);
    await call('get', '/v1/pipelines', rotated.token).expect(200);

    await t.database.sql`update freshet.api_tokens set expires_at = now() where id = ${made.id}`;
    await call('get', '/v1/pipelines', rotated.token).expect(401);
    const { body: other } = await call('post', '/v1/tokens')
      .send({ name: 'u', role: 'observer', expires_at: '2100-01-01T00:00:00.000Z' })
      .expect(201);
    expect(other.expires_at).toBe('2100-01-01T00:00:00.000Z');
    await call('delete', `/v1/tokens/${other.id}`).expect(204);
    await call('get', '/v1/pipelines', other.token).expect(401);
  });

  test.each([
    ['a scope that the role lacks', { role: 'observer', scopes: ['run'] }, '/scopes'],
    ['an expiry that is past', { role: 'observer', expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    ['no scope at all', { role: 'observer', scopes: [] }, '/scopes'],
    ['an unknown role', { role: 'king' }, '/role'],
  ])('%s is refused', async (_name, wrong, pointer) => {
    const { body } = await call('post', '/v1/tokens')
      .send({ name: 't', ...wrong })
      .expect(400);
    expect(body.errors[0].pointer).toBe(pointer);
  });

  test('the last one that can make others stays', async () => {
    const admin = (await t.store.tokens.list({ limit: 200, cursor: null })).data.find(
      (token) => token.name === 'bootstrap',
    );
    for (const attempt of [
      call('delete', `/v1/tokens/${admin?.id}`),
      call('patch', `/v1/tokens/${admin?.id}`).send({ role: 'observer' }),
      call('patch', `/v1/tokens/${admin?.id}`).send({ expires_at: '2100-01-01T00:00:00Z' }),
      call('patch', `/v1/tokens/${admin?.id}`).send({ scopes: ['read'] }),
    ]) {
      expect((await attempt).body).toMatchObject({ status: 409, code: 'conflict' });
    }
    await call('get', '/v1/tokens').expect(200);
  });
});

describe('limits', () => {
  test('a token has so many requests a minute, is told what is left, and others are not held up', async () => {
    const limited = await build(3);
    try {
      const left = [];
      for (let i = 0; i < 3; i++)
        left.push((await call('get', '/v1/pipelines', TOKEN, limited).expect(200)).headers['ratelimit-remaining']);
      expect(left).toEqual(['2', '1', '0']);
      const refused = await call('get', '/v1/pipelines', TOKEN, limited).expect(429);
      expect(refused.body).toMatchObject({
        code: 'rate_limited',
        detail: expect.stringContaining('3 requests a minute'),
      });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      const { text } = await t.store.tokens.create({ name: 'other', role: 'observer', scopes: null, expires_at: null });
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
  ])('OWASP API7: %s is no webhook’s URL', async (url) => {
    const { body } = await call('post', '/v1/webhooks')
      .send({ name: 'w', url, events: ['run.failed'] })
      .expect(400);
    expect(body.errors[0].pointer).toBe('/url');
  });

  test.each(['127.0.0.1', '::1', 'localhost', '169.254.169.254', '::ffff:127.0.0.1'])(
    'OWASP API7: a warehouse at %s is not connected to',
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

describe('a run', () => {
  const start = async () => {
    const pipeline = await t.pipeline();
    return (await t.store.runs.start(pipeline.id, 'manual', [{ name: 'roles', creditClass: 'incremental' }])).id;
  };
  /** Reads events until the server ends them, or until `enough`. */
  async function watch(
    id: string,
    lastEventId?: string,
    enough?: (events: Seen[]) => boolean,
  ): Promise<{ status: number; events: Seen[] }> {
    if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 });
    const abort = new AbortController();
    const response = await fetch(
      `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/v1/runs/${id}/events`,
      {
        headers: { authorization: `Bearer ${TOKEN}`, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
        signal: abort.signal,
      },
    );
    const events: Seen[] = [];
    let text = '';
    if (response.status === 200 && response.body) {
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const parts = text.split('\n\n');
        text = parts.pop() ?? '';
        for (const part of parts) {
          const fields = Object.fromEntries(
            part.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]),
          );
          if (fields['event'] === 'run')
            events.push({ id: fields['id'] as string, run: JSON.parse(fields['data'] as string) });
        }
        if (enough?.(events)) {
          abort.abort();
          break;
        }
      }
    }
    return { status: response.status, events };
  }
  interface Seen {
    readonly id: string;
    readonly run: { readonly status: string };
  }

  test('is watched from its start to its end, and whoever was cut off goes on where it was', async () => {
    const id = await start();
    const first = await watch(id, undefined, (events) => events.length === 1);
    expect(first.events.map((e) => e.run.status)).toEqual(['queued']);
    const seen = first.events[0]?.id as string;
    // The state that was seen is not sent again; the next one is, and then it is over.
    const rest = watch(id, seen);
    await t.store.runs.cancel(id);
    const { events } = await rest;
    expect(events.map((e) => e.run.status)).toEqual(['cancelled']);
    // A browser comes back once more: 204 tells it to stop.
    expect(await watch(id, events[0]?.id)).toEqual({ status: 204, events: [] });
    expect((await watch(id)).events).toHaveLength(1);
  });

  test('events end when the process is about to, so that the reader goes to another', async () => {
    const id = await start();
    const watching = watch(id);
    isDraining = true;
    expect((await watching).events.map((e) => e.run.status)).toEqual(['queued']);
  });

  test('is waited for as long as was asked, and answered when it is over', async () => {
    const id = await start();
    expect((await call('get', `/v1/runs/${id}?wait=0`).expect(200)).body.status).toBe('queued');
    const waiting = call('get', `/v1/runs/${id}?wait=60`).then(({ body }) => body);
    await t.store.runs.cancel(id);
    expect(await waiting).toMatchObject({ status: 'cancelled' });
    await call('get', `/v1/runs/${id}?wait=61`).expect(400);
    const { pipeline_id } = await t.store.runs.get(id);
    const { body } = await call('post', `/v1/pipelines/${pipeline_id}/runs?wait=1`).expect(202);
    expect(body.status).toBe('queued');
  });
});

describe('usage', () => {
  test('is told by day, pipeline and object', async () => {
    const pipeline = await t.pipeline();
    const { id } = await t.store.runs.start(pipeline.id, 'manual', [{ name: 'roles', creditClass: 'incremental' }]);
    await t.database
      .sql`update freshet.object_runs set records_extracted = 5, records_inserted = 3, credits_used = 2, credits_by_class = '{2,0,0,0,0}', bytes_staged = 100 where run_id = ${id}`;
    const today = new Date().toISOString().slice(0, 10);
    const usage = {
      day: today,
      pipeline_id: pipeline.id,
      object: 'roles',
      records_extracted: 5,
      records_loaded: 3,
      credits_used: 2,
      credits_by_class: { by_hand: 2, incremental: 0, children: 0, backfill: 0, audit: 0 },
      bytes_staged: 100,
      lag_seconds: null,
    };
    expect((await call('get', '/v1/usage').expect(200)).body).toEqual({ data: [usage] });
    expect((await call('get', `/v1/usage?pipeline_id=${randomUUID()}`).expect(200)).body).toEqual({ data: [] });
    expect((await call('get', '/v1/usage?from=2020-01-01&until=2020-01-31').expect(200)).body).toEqual({ data: [] });
    await call('get', '/v1/usage?from=2026-01-02&until=2026-01-01').expect(400);
  });

  test('tells how far a table was behind: on days of which nothing else is known as well, and up to now', async () => {
    const pipeline = await t.pipeline();
    const { sql } = t.database;
    const insert = (since: string, until: string) =>
      sql`insert into freshet.lags (pipeline_id, object, day, since, until) values (${pipeline.id}, 'roles', ${until.slice(0, 10)}, ${since}, ${until})`;
    // It stood still from the evening of the 1st to noon of the 4th; and on the 6th it was 10 minutes behind.
    await insert('2026-03-01T18:00:00Z', '2026-03-04T12:00:00Z');
    await insert('2026-03-06T08:00:00Z', '2026-03-06T08:10:00Z');
    const lags = async (query: string) =>
      (await call('get', `/v1/usage?${query}`).expect(200)).body.data.map((u: { day: string; lag_seconds: number }) => [
        u.day,
        u.lag_seconds / 3600,
      ]);
    expect(await lags('from=2026-03-02&until=2026-03-31')).toEqual([
      ['2026-03-06', 1 / 6],
      ['2026-03-04', 66],
      ['2026-03-03', 54],
      ['2026-03-02', 30],
    ]);
    // What goes on still is behind by all of it; a pipeline that is paused is as it is.
    await sql`insert into freshet.pipeline_objects (pipeline_id, object, complete_as_of) values (${pipeline.id}, 'roles', now() - interval '2 hours')`;
    expect((await lags(''))[0]?.[1]).toBeCloseTo(2, 1);
    await t.store.pipelines.setStatus(pipeline.id, 'paused');
    expect(await lags('')).toEqual([]);
  });
});

test('the address of the audit log is the caller’s where a trusted proxy says so, and nobody else is believed', async () => {
  const proxied = await buildApp({
    store: t.store,
    originTemplate: null,
    isDraining: () => false,
    reach: outbound(''),
    metrics: new Metrics('api'),
    requestsPerMinute: 1000,
    trustedProxies: '127.0.0.1,::1',
  });
  const addressOf = async (of: App, name: string) => {
    await call('post', '/v1/credentials', TOKEN, of)
      .set('x-forwarded-for', '203.0.113.9')
      .send(secretInput(name))
      .expect(201);
    return (await call('get', '/v1/audit-log?limit=1').expect(200)).body.data[0].address as string;
  };
  try {
    expect(await addressOf(proxied, 'a')).toBe('203.0.113.9');
    expect(await addressOf(app, 'b')).toContain('127.0.0.1');
  } finally {
    await proxied.close();
  }
});

test('a route that is to go says so in every answer, and in the document', async () => {
  const small = Fastify() as unknown as App;
  registerErrors(small);
  registerAuth(small, t.store);
  await registerRateLimit(small, 100);
  registerConventions(small, t.store);
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
      [TOKEN, 200],
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

test('JSON is indented for a request that asks for it, with every digit, and compact for others', async () => {
  const compact = await call('get', '/v1/catalog/objects').expect(200);
  expect(compact.text).not.toContain('\n');
  const indented = await call('get', '/v1/catalog/objects').set('accept', 'application/json; indent=2').expect(200);
  expect(indented.text).toBe(`${JSON.stringify(compact.body, null, 2)}\n`);
  expect(Number(indented.headers['content-length'])).toBe(Buffer.byteLength(indented.text));
  const problem = await call('get', '/v1/nothing').set('accept', '*/*; indent=4, text/plain').expect(404);
  expect(problem.text).toMatch(/^\{\n {4}"type"/);
  const made = await call('post', '/v1/credentials')
    .set('accept', 'application/json;indent=1')
    .set('idempotency-key', 'k')
    .send(secretInput('a'))
    .expect(201);
  const again = await call('post', '/v1/credentials')
    .set('accept', 'application/json;indent=1')
    .set('idempotency-key', 'k')
    .send(secretInput('a'))
    .expect(201);
  expect(again.text).toBe(made.text);
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

test('lists are filtered, and answers are kept by nobody', async () => {
  await call('post', '/v1/credentials').send(secretInput('a')).expect(201);
  await call('post', '/v1/credentials').send({ name: 'b', type: 'postgres_password', password: 'x' }).expect(201);
  const names = async (path: string) =>
    (await call('get', path).expect(200)).body.data.map(({ name }: { name: string }) => name);
  expect(await names('/v1/credentials?name=a')).toEqual(['a']);
  expect(await names('/v1/credentials?type=postgres_password')).toEqual(['b']);
  expect(await names('/v1/credentials?type=postgres_password&name=a')).toEqual([]);
  const pipeline = await t.pipeline();
  expect(await names('/v1/pipelines?status=active&subdomain=acme')).toEqual(['acme']);
  expect(await names(`/v1/pipelines?destination_id=${pipeline.destination_id}`)).toEqual(['acme']);
  expect(await names('/v1/pipelines?status=paused')).toEqual([]);
  expect(await names('/v1/tokens?role=observer')).toEqual([]);
  await call('get', '/v1/pipelines?status=asleep').expect(400);
  for (const unknown of ['secret=x', 'digest=x', 'x-y=1', 'nam=a']) {
    for (const path of ['credentials', 'pipelines', 'tokens', 'runs', 'audit-log']) {
      expect((await call('get', `/v1/${path}?${unknown}`).expect(400)).body.errors[0].detail).toBe('is not known here');
    }
  }
  const { headers } = await call('get', '/v1/pipelines').expect(200);
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
});

test('a list stays as it is while rows are added, and every row comes once', async () => {
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
