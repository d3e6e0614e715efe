import { newToken } from '@freshet/control-store';
import { openTestStore, type TestStore } from '@freshet/control-store/test-support';
import { catalogue, objectsToRead } from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { Metrics, outbound } from '@freshet/runtime';
import supertest from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type App, buildApp } from './app.ts';

const TOKEN = newToken();
const NOBODY = '00000000-0000-7000-8000-000000000000';

let t: TestStore;
let app: App;
let simulator: FreshdeskSimulator;

beforeAll(async () => {
  t = await openTestStore();
  await t.store.tokens.ensureBootstrap(TOKEN);
  simulator = new FreshdeskSimulator({ counts: { tickets: 20 }, withoutFeatures: ['Surveys'] });
  const origin = await simulator.listen();
  app = await buildApp({
    store: t.store,
    originTemplate: origin,
    isDraining: () => false,
    reach: outbound('127.0.0.0/8'),
    metrics: new Metrics('api'),
    requestsPerMinute: 100_000,
  });
});
afterAll(async () => {
  await app.close();
  await simulator.close();
  await t[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await t.database.sql`truncate freshet.pipelines, freshet.credentials, freshet.destinations cascade`;
});

type Method = 'get' | 'post' | 'patch' | 'delete';
const call = (method: Method, path: string) =>
  supertest(app.server)[method](path).set('authorization', `Bearer ${TOKEN}`);

const keyInput = { name: 'key', type: 'freshdesk_api_key', api_key: 'demo-admin-key' };

/** What a pipeline refers to, and a pipeline's input. */
async function ingredients() {
  const key = (await call('post', '/v1/credentials').send(keyInput).expect(201)).body;
  const { hostname, port, username, password } = new URL(inject('postgresUrl'));
  const secret = (
    await call('post', '/v1/credentials').send({ name: 'password', type: 'postgres_password', password }).expect(201)
  ).body;
  const destinationInput = {
    name: 'warehouse',
    type: 'postgres',
    host: hostname,
    port: Number(port),
    database: t.database.name,
    username,
    credential_id: secret.id,
    ssl_mode: 'disable',
  };
  const destination = (await call('post', '/v1/destinations').send(destinationInput).expect(201)).body;
  const input = {
    name: 'acme',
    source: { type: 'freshdesk', subdomain: 'https://acme.freshdesk.com/', credential_id: key.id },
    destination_id: destination.id,
  };
  return { key, secret, destination, destinationInput, input };
}

describe('who may call', () => {
  test.each([
    ['no token', {}],
    ['a token of another kind', { authorization: 'Basic abc' }],
    ['a mistyped token', { authorization: `Bearer ${TOKEN.slice(0, -1)}${TOKEN.endsWith('0') ? '1' : '0'}` }],
    ['a token that nobody has', { authorization: `Bearer ${newToken()}` }],
  ])('%s is a 401 that says what is needed', async (_name, headers) => {
    const { body, headers: answered } = await supertest(app.server).get('/v1/pipelines').set(headers).expect(401);
    expect(answered['content-type']).toContain('application/problem+json');
    expect(body).toMatchObject({ status: 401, code: 'unauthenticated', request_id: answered['x-request-id'] });
  });

  test('an observer reads and does not write', async () => {
    const observer = newToken();
    await t.store.tokens.ensureBootstrap(observer);
    await t.database
      .sql`update freshet.api_tokens set role = 'observer' where id = (select max(id::text)::uuid from freshet.api_tokens)`;
    await supertest(app.server).get('/v1/pipelines').set('authorization', `Bearer ${observer}`).expect(200);
    const { body } = await supertest(app.server)
      .post('/v1/credentials')
      .set('authorization', `Bearer ${observer}`)
      .send(keyInput)
      .expect(403);
    expect(body.code).toBe('permission_denied');
  });

  test('every route but the health checks and the document needs a token', async () => {
    const document = app.swagger() as { paths: Record<string, Record<string, { security?: unknown[] }>> };
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const response = await supertest(app.server)[method as Method](
          path.replaceAll(
            /\{(\w+)\}/g,
            (_, name) => ({ object: 'tickets', subdomain: 'acme' })[name as string] ?? NOBODY,
          ),
        );
        if (operation.security?.length === 0) expect(response.status, path).toBe(200);
        else expect(response.status, `${method} ${path}`).toBe(401);
      }
    }
  });
});

describe('credentials', () => {
  test('are made, read, listed, renamed, rotated and deleted; the secret never comes back', async () => {
    const made = await call('post', '/v1/credentials').send(keyInput).expect(201);
    expect(made.headers['location']).toBe(`/v1/credentials/${made.body.id}`);
    expect(made.body).toMatchObject({ name: 'key', type: 'freshdesk_api_key', hint: '-key' });
    expect(made.text).not.toContain('demo-admin-key');
    expect((await call('get', `/v1/credentials/${made.body.id}`).expect(200)).body).toEqual(made.body);
    expect((await call('get', '/v1/credentials').expect(200)).body).toEqual({ data: [made.body], next_cursor: null });
    const rotated = await call('patch', `/v1/credentials/${made.body.id}`)
      .send({ name: 'other', api_key: 'another-secret-9876' })
      .expect(200);
    expect(rotated.body).toMatchObject({ name: 'other', hint: '9876' });
    expect(await t.store.credentials.reveal(made.body.id, 'freshdesk_api_key')).toBe('another-secret-9876');
    await call('delete', `/v1/credentials/${made.body.id}`).expect(204);
    await call('get', `/v1/credentials/${made.body.id}`).expect(404);
  });

  test.each([
    ['no type', { name: 'x' }, '/type'],
    ['a name of 256 characters', { ...keyInput, name: 'x'.repeat(256) }, '/name'],
    ['an unknown field', { ...keyInput, colour: 'red' }, '/colour'],
    ['a number for a name', { ...keyInput, name: 5 }, '/name'],
    ['an empty key', { ...keyInput, api_key: '' }, '/api_key'],
    ['a name with U+0000', { ...keyInput, name: 'a\u0000b' }, '/name'],
    ['half a surrogate pair', { ...keyInput, name: 'a\ud800' }, '/name'],
  ])('%s is refused with a pointer to it', async (_name, input, pointer) => {
    const { body } = await call('post', '/v1/credentials').send(input).expect(400);
    expect(body.code).toBe('invalid_input');
    expect(body.errors.map((e: { pointer: string }) => e.pointer)).toContain(pointer);
  });

  test('a secret of the other type is refused', async () => {
    const { body: made } = await call('post', '/v1/credentials').send(keyInput).expect(201);
    const { body } = await call('patch', `/v1/credentials/${made.id}`).send({ password: 'x' }).expect(400);
    expect(body.errors[0].pointer).toBe('/password');
  });

  test('a name that is taken is a conflict', async () => {
    await call('post', '/v1/credentials').send(keyInput).expect(201);
    expect((await call('post', '/v1/credentials').send(keyInput).expect(409)).body.errors[0].pointer).toBe('/name');
  });
});

describe('destinations', () => {
  test('are made, read back as sent, changed, tried and deleted', async () => {
    const { destination, destinationInput } = await ingredients();
    expect(destination).toMatchObject(destinationInput);
    expect(destination.ssl_ca).toBeNull();
    const { body: refused } = await call('patch', `/v1/destinations/${destination.id}`)
      .send({ ssl_ca: 'no certificate' })
      .expect(400);
    expect(refused.errors[0].pointer).toBe('/ssl_ca');
    expect(
      (await call('patch', `/v1/destinations/${destination.id}`).send({ name: 'renamed' }).expect(200)).body,
    ).toMatchObject({
      ...destinationInput,
      name: 'renamed',
    });
    expect((await call('post', `/v1/destinations/${destination.id}/test`).expect(200)).body).toMatchObject({
      usable: true,
      missing_grants: [],
      error: null,
    });
    await call('delete', `/v1/destinations/${destination.id}`).expect(204);
  });

  test('one that cannot be reached is an answer that says why', async () => {
    const { destination } = await ingredients();
    await call('patch', `/v1/destinations/${destination.id}`).send({ port: 1 }).expect(200);
    const { body } = await call('post', `/v1/destinations/${destination.id}/test`).expect(200);
    expect(body).toMatchObject({
      usable: false,
      error: { code: 'warehouse_unavailable', message: expect.stringContaining('No server answers') },
    });
  });

  test('a credential of the wrong type, or that does not exist, is refused', async () => {
    const { key, destinationInput } = await ingredients();
    for (const credential_id of [key.id, NOBODY]) {
      const { body } = await call('post', '/v1/destinations')
        .send({ ...destinationInput, name: 'b', credential_id })
        .expect(400);
      expect(body.errors[0].pointer).toBe('/credential_id');
    }
  });
});

describe('pipelines', () => {
  test('T22: what was sent is read back as it was sent, with nulls and with defaults filled in', async () => {
    const { input } = await ingredients();
    const sent = {
      ...input,
      source: { ...input.source, subdomain: 'acme', historical_sync_days: null, credit_share_percent: 50 },
      objects: { tickets: { included: false } },
      frequency_minutes: 30,
      table_prefix: 'fd_',
      destination_schema: 'support',
      schema_policy: 'freeze',
    };
    const { body: made } = await call('post', '/v1/pipelines').send(sent).expect(201);
    expect(made).toMatchObject(sent);
    expect((await call('get', `/v1/pipelines/${made.id}`).expect(200)).body).toEqual(made);
    await call('delete', `/v1/pipelines/${made.id}`).expect(204);
    const { body: plain } = await call('post', '/v1/pipelines').send(input).expect(201);
    expect(plain).toMatchObject({
      source: { subdomain: 'acme', historical_sync_days: 30, credit_share_percent: 80 },
      destination_schema: 'freshdesk_acme',
      table_prefix: '',
      frequency_minutes: 360,
      objects: {},
      schema_policy: 'evolve',
      status: 'active',
    });
  });

  test.each([
    ['a frequency of 90 minutes', { frequency_minutes: 90 }, '/frequency_minutes', 'whole number of hours'],
    ['an unknown object', { objects: { tikets: { included: true } } }, '/objects/tikets', 'Known objects: agents'],
    ['a name of 256 characters', { name: 'x'.repeat(256) }, '/name', '255'],
    [
      'detail where there is none',
      { objects: { roles: { included: true, detail: true } } },
      '/objects/roles/detail',
      'agents, contacts, groups, tickets',
    ],
    ['a schema of PostgreSQL’s own', { destination_schema: 'pg_mine' }, '/destination_schema', 'PostgreSQL keeps'],
    ['a schema with quotes', { destination_schema: 'a"b' }, '/destination_schema', 'pattern'],
    ['an unknown policy', { schema_policy: 'hope' }, '/schema_policy', 'evolve'],
    ['an unknown destination', { destination_id: NOBODY }, '/destination_id', 'there is no destination'],
  ])('%s is refused, with words and a pointer', async (_name, wrong, pointer, words) => {
    const { input } = await ingredients();
    const { body } = await call('post', '/v1/pipelines')
      .send({ ...input, ...wrong })
      .expect(400);
    expect(body.errors[0].pointer).toBe(pointer);
    expect(body.detail).toContain(words);
    expect((await call('get', '/v1/pipelines')).body.data).toEqual([]);
  });

  test('a subdomain of another product is refused where it was given', async () => {
    const { input } = await ingredients();
    const { body } = await call('post', '/v1/pipelines')
      .send({ ...input, source: { ...input.source, subdomain: 'acme.freshservice.com' } })
      .expect(400);
    expect(body.errors[0].pointer).toBe('/source/subdomain');
  });

  test('two pipelines never write one table', async () => {
    const { input } = await ingredients();
    await call('post', '/v1/pipelines').send(input).expect(201);
    const { body } = await call('post', '/v1/pipelines')
      .send({ ...input, name: 'other' })
      .expect(409);
    expect(body.errors[0].pointer).toBe('/destination_schema');
    await call('post', '/v1/pipelines')
      .send({ ...input, name: 'other', table_prefix: 'b_' })
      .expect(201);
  });

  test('a change that was based on an older version is refused', async () => {
    const { input } = await ingredients();
    const made = await call('post', '/v1/pipelines').send(input).expect(201);
    const etag = made.headers['etag'] as string;
    const changed = await call('patch', `/v1/pipelines/${made.body.id}`)
      .set('if-match', etag)
      .send({ source: { credit_share_percent: 40 } })
      .expect(200);
    expect(changed.body.source.credit_share_percent).toBe(40);
    expect(changed.headers['etag']).not.toBe(etag);
    await call('patch', `/v1/pipelines/${made.body.id}`).set('if-match', etag).send({ name: 'x' }).expect(412);
    await call('patch', `/v1/pipelines/${made.body.id}`).set('if-match', '"what"').send({ name: 'x' }).expect(412);
  });

  test('pause and resume', async () => {
    const { input } = await ingredients();
    const { body: made } = await call('post', '/v1/pipelines').send(input).expect(201);
    expect((await call('post', `/v1/pipelines/${made.id}/pause`).expect(200)).body.status).toBe('paused');
    expect((await call('post', `/v1/pipelines/${made.id}/resume`).expect(200)).body.status).toBe('active');
  });

  test('objects are included and skipped, and an unknown one is not found', async () => {
    const { input } = await ingredients();
    const { body: made } = await call('post', '/v1/pipelines').send(input).expect(201);
    const { body: objects } = await call('get', `/v1/pipelines/${made.id}/objects`).expect(200);
    expect(objects.data).toHaveLength(catalogue.length);
    expect(
      (await call('patch', `/v1/pipelines/${made.id}/objects/roles`).send({ included: false }).expect(200)).body,
    ).toMatchObject({
      included: false,
      table: 'freshdesk_acme.roles',
    });
    await call('post', `/v1/pipelines/${made.id}/objects/roles/restart`).expect(200);
    expect(
      (await call('patch', `/v1/pipelines/${made.id}/objects/groups`).send({ detail: true }).expect(200)).body,
    ).toMatchObject({
      included: true,
      detail: true,
      history: false,
    });
    expect(
      (await call('patch', `/v1/pipelines/${made.id}/objects/roles`).send({ history: true }).expect(200)).body,
    ).toMatchObject({ history: true });
    expect((await call('get', `/v1/pipelines/${made.id}`)).body.objects).toEqual({
      roles: { included: false, history: true },
      groups: { included: true, detail: true },
    });
    expect(
      (
        await call('post', `/v1/pipelines/${made.id}/objects/groups/position`)
          .send({ changed_since: '2026-01-01T00:00:00Z' })
          .expect(409)
      ).body.detail,
    ).toContain('not read yet');
    await call('patch', `/v1/pipelines/${made.id}/objects/nothing`).send({ included: false }).expect(404);
  });
});

describe('a plan', () => {
  test('tells what making a pipeline would come to, and writes nothing', async () => {
    const { input } = await ingredients();
    const sent = {
      ...input,
      objects: Object.fromEntries(
        catalogue.map((o) => [o.name, { included: o.name === 'tickets' || o.name === 'roles' }]),
      ),
    };
    const { body } = await call('post', '/v1/pipelines/plan').send(sent).expect(200);
    expect(body).toMatchObject({
      account: { ok: true, sees_all_tickets: true },
      destination: { usable: true },
      estimate: { records: expect.any(Number) },
    });
    expect(body.tables.map((t: { object: string; exists: boolean }) => [t.object, t.exists])).toEqual([
      ['roles', false],
      ['tickets', false],
    ]);
    // The account's own fields are among the columns.
    expect(body.tables[1].statements[0]).toMatch(/create table "freshdesk_acme"\."tickets" .*"cf_/);
    expect(body.statements[0]).toContain('create schema if not exists "freshdesk_acme"');
    expect((await call('get', '/v1/pipelines').expect(200)).body.data).toEqual([]);
    expect(await t.database.sql`select from pg_namespace where nspname = 'freshdesk_acme'`).toHaveLength(0);
    expect((await call('get', '/v1/audit-log?action=planPipeline').expect(200)).body.data).toEqual([]);
    expect(
      (
        await call('post', '/v1/pipelines/plan')
          .send({ ...sent, frequency_minutes: 7 })
          .expect(400)
      ).body.errors[0].pointer,
    ).toBe('/frequency_minutes');
  });

  test('tells what a change would come to, and leaves the pipeline as it is; a key that is refused is part of the answer', async () => {
    const { input, key } = await ingredients();
    const { body: made } = await call('post', '/v1/pipelines').send(input).expect(201);
    await call('patch', `/v1/credentials/${key.id}`).send({ api_key: 'nobody' }).expect(200);
    const { body } = await call('post', `/v1/pipelines/${made.id}/plan`)
      .send({ objects: { skills: { included: true } } })
      .expect(200);
    expect(body).toMatchObject({ account: { ok: false, error: { code: 'source_auth' } }, estimate: null });
    expect(body.tables.map((t: { object: string }) => t.object)).toContain('skills');
    expect((await call('get', `/v1/pipelines/${made.id}`).expect(200)).body).toEqual(made);
  });
});

describe('tests of an account', () => {
  test('say what the key sees, object by object', async () => {
    const { key } = await ingredients();
    const { body } = await call('post', '/v1/pipelines/test')
      .send({ subdomain: 'acme', credential_id: key.id })
      .expect(200);
    expect(body).toMatchObject({ ok: true, agent: { ticket_scope: 'global' }, sees_all_tickets: true, error: null });
    const verdicts = Object.fromEntries(
      body.objects.map((o: { object: string; verdict: string }) => [o.object, o.verdict]),
    );
    expect(verdicts).toMatchObject({ tickets: 'available', conversations: 'available', surveys: 'not_in_plan' });
    const filters = Object.fromEntries(
      body.objects.map((o: { object: string; changed_since_filter: string }) => [o.object, o.changed_since_filter]),
    );
    expect(filters).toMatchObject({
      tickets: 'updated_since',
      contacts: 'updated_since',
      satisfaction_ratings: null,
      groups: null,
    });
    // The simulated account has no limits, so its answers told none.
    expect(body.limits).toContainEqual({ bucket: 'account', credits_per_minute: null });
  });

  test('a key without admin rights: the admin objects are forbidden', async () => {
    const { key } = await ingredients();
    await call('patch', `/v1/credentials/${key.id}`).send({ api_key: 'demo-agent-key' }).expect(200);
    const { body } = await call('post', '/v1/pipelines/test')
      .send({ subdomain: 'acme', credential_id: key.id })
      .expect(200);
    const verdicts = Object.fromEntries(
      body.objects.map((o: { object: string; verdict: string }) => [o.object, o.verdict]),
    );
    expect(verdicts).toMatchObject({ tickets: 'available', agents: 'forbidden', groups: 'forbidden' });
  });

  test('a wrong key is an answer that says what to do', async () => {
    const { key } = await ingredients();
    await call('patch', `/v1/credentials/${key.id}`).send({ api_key: 'wrong' }).expect(200);
    const { body } = await call('post', '/v1/pipelines/test')
      .send({ subdomain: 'acme', credential_id: key.id })
      .expect(200);
    expect(body).toMatchObject({
      ok: false,
      error: { code: 'source_auth', message: expect.stringContaining('API key') },
    });
  });
});

describe('runs', () => {
  test('are started, read, listed and cancelled; a second start answers with the one under way', async () => {
    const { input } = await ingredients();
    const { body: pipeline } = await call('post', '/v1/pipelines').send(input).expect(201);
    const started = await call('post', `/v1/pipelines/${pipeline.id}/runs`).expect(202);
    expect(started.headers['location']).toBe(`/v1/runs/${started.body.id}`);
    expect(started.body).toMatchObject({ pipeline_id: pipeline.id, status: 'queued', trigger: 'manual' });
    expect(started.body.objects).toHaveLength(objectsToRead({}).length);
    expect((await call('post', `/v1/pipelines/${pipeline.id}/runs`).expect(202)).body.id).toBe(started.body.id);
    expect((await call('get', `/v1/runs?pipeline_id=${pipeline.id}&status=queued`).expect(200)).body.data).toHaveLength(
      1,
    );
    expect((await call('post', `/v1/runs/${started.body.id}/cancel`).expect(200)).body).toMatchObject({
      status: 'cancelled',
      finished_at: expect.any(String),
    });
    expect((await call('get', `/v1/runs/${started.body.id}`).expect(200)).body.objects[0].status).toBe('cancelled');
  });

  test('an audit is a run of its own kind, and says what it found of each object', async () => {
    const { input } = await ingredients();
    const { body: pipeline } = await call('post', '/v1/pipelines')
      .send({ ...input, audit_frequency_days: null })
      .expect(201);
    expect(pipeline).toMatchObject({ audit_frequency_days: null, next_audit_at: null });
    const { body: sync } = await call('post', `/v1/pipelines/${pipeline.id}/runs`).expect(202);
    expect(sync).toMatchObject({ kind: 'sync' });
    expect(sync.objects[0].findings).toBeNull();
    // As if tickets had been read once.
    await t.database.sql`update freshet.pipeline_objects set position = '{}' where object = 'tickets'`;
    const { body: audit } = await call('post', `/v1/pipelines/${pipeline.id}/runs`).send({ kind: 'audit' }).expect(202);
    expect(audit).toMatchObject({
      kind: 'audit',
      objects: [{ object: 'tickets', mode: 'audit', findings: { missing: 0, stale: 0, repaired: 0, explained: {} } }],
    });
    expect(
      (await call('get', `/v1/runs?pipeline_id=${pipeline.id}&kind=audit`).expect(200)).body.data.map(
        (r: { id: string }) => r.id,
      ),
    ).toEqual([audit.id]);
    const { body: changed } = await call('patch', `/v1/pipelines/${pipeline.id}`)
      .send({ audit_frequency_days: 30 })
      .expect(200);
    expect(Date.parse(changed.next_audit_at)).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    await call('post', `/v1/pipelines/${pipeline.id}/runs`).send({ kind: 'look' }).expect(400);
    await call('patch', `/v1/pipelines/${pipeline.id}`).send({ audit_frequency_days: 0 }).expect(400);
  });

  test.each([
    '/v1/runs?limit=0',
    '/v1/runs?limit=1000',
    '/v1/runs?cursor=%25%25',
    '/v1/runs?status=fine',
    '/v1/runs/not-an-id',
  ])('%s is refused', async (path) => {
    expect((await call('get', path).expect(400)).body.code).toBe('invalid_input');
  });
});

describe('rejected records', () => {
  test('of a pipeline that has none, and what is asked of them wrongly', async () => {
    const { input } = await ingredients();
    const { body: pipeline } = await call('post', '/v1/pipelines').send(input).expect(201);
    const path = `/v1/pipelines/${pipeline.id}/rejected-records`;
    expect((await call('get', path).expect(200)).body).toEqual({ data: [], next_cursor: null });
    expect((await call('post', `${path}/discard`).expect(200)).body).toEqual({ records: 0 });
    await call('post', `${path}/replay`).expect(404);
    await call('get', `${path}/${NOBODY}`).expect(404);
    expect((await call('get', `${path}/replay`).expect(405)).headers['allow']).toBe('POST');
    await call('get', `/v1/pipelines/${NOBODY}/rejected-records`).expect(404);
    expect((await call('post', `${path}/discard`).send({ object: 'nothing' }).expect(404)).body.detail).toContain(
      'Known objects',
    );
    expect(
      (
        await call('post', `${path}/replay`)
          .send({ ids: ['x'] })
          .expect(400)
      ).body.errors[0].pointer,
    ).toBe('/ids/0');
    await call('post', `${path}/replay`).send({ id: NOBODY }).expect(400);
    // Runs of this kind are started by asking for the records, not for a run.
    await call('post', `/v1/pipelines/${pipeline.id}/runs`).send({ kind: 'replay' }).expect(400);
  });
});

describe('the budget of an account', () => {
  test('shows each bucket as it stands, and the end of a 429', async () => {
    expect((await call('get', '/v1/accounts/never/budget').expect(200)).body).toEqual({
      subdomain: 'never',
      buckets: [],
    });
    await t.store.budgets.take('busy', ['account', 'list'], 3, 80, 'incremental');
    await t.store.budgets.learn('busy', [{ bucket: 'account', total: 700, remaining: 600, used: 3 }]);
    await t.store.budgets.block('busy', 30_000);
    const { body } = await call('get', '/v1/accounts/busy.freshdesk.com/budget').expect(200);
    const classes = (incremental: number) =>
      ['by_hand', 'incremental', 'children', 'backfill', 'audit'].map((c) => ({
        class: c,
        used: c === 'incremental' ? incremental : 0,
        wanted_until: null,
      }));
    const soon = expect.stringMatching(/^\d{4}-/);
    expect(body).toEqual({
      subdomain: 'busy',
      buckets: [
        {
          bucket: 'account',
          unlimited: false,
          total: 700,
          used: 100,
          window_ends_at: soon,
          blocked_until: soon,
          classes: classes(3),
        },
        {
          bucket: 'list',
          unlimited: false,
          total: null,
          used: 3,
          window_ends_at: soon,
          blocked_until: soon,
          classes: classes(3),
        },
      ],
    });
    await call('get', '/v1/accounts/not%20one/budget').expect(400);
  });
});

describe('every route', () => {
  test.each(['credentials', 'destinations', 'pipelines', 'runs'])(
    '%s: an id that nobody has is not found',
    async (kind) => {
      expect((await call('get', `/v1/${kind}/${NOBODY}`).expect(404)).body.code).toBe('not_found');
    },
  );

  test('an unknown path, a body that is no JSON, one that is too large, another media type', async () => {
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
      .send({ ...keyInput, api_key: 'x'.repeat(2_000_000) })
      .expect(413);
    await call('post', '/v1/credentials').set('content-type', 'text/csv').send('a,b').expect(415);
  });

  test('the catalogue, the document, the reference page and the health checks answer', async () => {
    expect((await call('get', '/v1/catalog/objects').expect(200)).body.data).toHaveLength(catalogue.length);
    expect((await supertest(app.server).get('/v1/openapi.json').expect(200)).body.openapi).toBe('3.1.1');
    expect((await supertest(app.server).get('/docs/').expect(200)).text).toContain('<html');
    await supertest(app.server).get('/livez').expect(200);
    await supertest(app.server).get('/readyz').expect(200);
  });
});
