import { generateToken } from '@freshet/control-store';
import { openTestStore, type TestStore } from '@freshet/control-store/test-support';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { createOutboundPolicy, Metrics } from '@freshet/runtime';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../app.ts';
import type { App } from '../context.ts';

/*
 * Read, change one field, send back: what every client does, with every resource that can be changed. The document says which
 * fields a resource has and which of them can be changed, so that a field that is added later is tested as well.
 */

const TOKEN = generateToken();
const OTHER_ID = '00000000-0000-7000-8000-000000000000';

let t: TestStore;
let app: App;
let simulator: FreshdeskSimulator;

type Json = Record<string, unknown>;
type Method = 'get' | 'post' | 'patch';
const call = (method: Method, path: string) =>
  supertest(app.server)[method](path).set('authorization', `Bearer ${TOKEN}`);

interface Resource {
  /** The names of its shape, and of the shape of its change. */
  readonly shapes: readonly [string, string];
  readonly path: string;
  /** Reads it: the representation and its version. */
  readonly read: () => Promise<{ readonly body: Json; readonly etag: string }>;
  /** For each field that can be changed another value that is valid. A path with a slash is nested. */
  readonly changed: Json;
  /** Fields that can be changed, and are never read back. */
  readonly secrets: readonly string[];
}

const resources = new Map<string, Resource>();
const NAMES = [
  'a credential',
  'a destination',
  'a pipeline',
  'a webhook',
  'a token',
  'an object of a pipeline',
] as const;

beforeAll(async () => {
  t = await openTestStore();
  await t.store.tokens.ensureBootstrap(TOKEN);
  simulator = new FreshdeskSimulator({ counts: { tickets: 5 } });
  app = await buildApp({
    store: t.store,
    originTemplate: await simulator.listen(),
    isDraining: () => false,
    outboundPolicy: createOutboundPolicy('127.0.0.0/8'),
    metrics: new Metrics('api'),
    requestsPerMinute: 1_000_000,
  });
  const create = async (path: string, body: object) =>
    (await call('post', path).send(body).expect(201)).body as Json & { id: string };
  const key = await create('/v1/credentials', { name: 'key', type: 'freshdesk_api_key', api_key: 'demo-admin-key' });
  const otherKey = await create('/v1/credentials', { name: 'other key', type: 'freshdesk_api_key', api_key: 'x' });
  const password = await create('/v1/credentials', { name: 'password', type: 'postgres_password', password: 'x' });
  const otherPassword = await create('/v1/credentials', {
    name: 'other password',
    type: 'postgres_password',
    password: 'x',
  });
  const destination = await create('/v1/destinations', {
    name: 'warehouse',
    type: 'postgres',
    host: 'warehouse.example.com',
    database: 'analytics',
    username: 'freshet',
    credential_id: password.id,
  });
  const pipeline = await create('/v1/pipelines', {
    name: 'acme',
    source: { type: 'freshdesk', subdomain: 'acme', credential_id: key.id, historical_sync_days: null },
    destination_id: destination.id,
    objects: { tickets: { included: true, columns: { subject: { hash: true, rename: 'subject_hash' } } } },
    schedule: { cron: '30 6 * * 1-5', time_zone: 'Europe/Berlin' },
  });
  const webhook = await create('/v1/webhooks', {
    name: 'hook',
    url: 'https://hooks.example.com/',
    events: ['run.failed', 'run.partial'],
    template: { text: '{{summary}}', nested: { b: 1, a: [1, { z: null }] } },
    template_secret: 'abc',
  });
  const token = await create('/v1/tokens', {
    name: 't',
    role: 'team_collaborator',
    scopes: ['read', 'run'],
    expires_at: '2100-01-01T00:00:00Z',
  });
  // As it is when time has passed.
  await t.database.sql`update freshet.webhooks set failing_since = now() - interval '1 hour'`;
  await t.database.sql`update freshet.pipelines set next_audit_at = now() + interval '1 day'`;
  const direct = (path: string) => async () => {
    const { body, headers } = await call('get', path).expect(200);
    return { body: body as Json, etag: headers['etag'] as string };
  };
  const add = (name: (typeof NAMES)[number], resource: Omit<Resource, 'read'> & Partial<Resource>) =>
    resources.set(name, { read: direct(resource.path), ...resource });
  add('a credential', {
    shapes: ['Credential', 'CredentialChange'],
    path: `/v1/credentials/${key.id}`,
    changed: { name: 'renamed', api_key: 'another' },
    secrets: ['api_key', 'password'],
  });
  add('a destination', {
    shapes: ['Destination', 'DestinationChange'],
    path: `/v1/destinations/${destination.id}`,
    changed: {
      name: 'renamed',
      host: '2001:db8::1',
      port: 6432,
      database: 'other',
      username: 'other',
      credential_id: otherPassword.id,
      ssl_mode: 'require',
    },
    secrets: [],
  });
  add('a pipeline', {
    shapes: ['Pipeline', 'PipelineChange'],
    path: `/v1/pipelines/${pipeline.id}`,
    changed: {
      name: 'renamed',
      'source/credential_id': otherKey.id,
      'source/historical_sync_days': 90,
      'source/credit_share_percent': 40,
      frequency_minutes: 60,
      audit_frequency_days: null,
      objects: { roles: { included: false } },
      schema_policy: 'freeze',
      priority: 'high',
      schedule: null,
      record_spike: { percent: 500, pause: true },
      monthly_quota: { records: 1000, when_reached: 'pause' },
    },
    secrets: [],
  });
  add('a webhook', {
    shapes: ['Webhook', 'WebhookChange'],
    path: `/v1/webhooks/${webhook.id}`,
    changed: {
      name: 'renamed',
      url: 'mailto:ops@example.com',
      events: ['run.failed'],
      enabled: false,
      template: null,
      template_secret: 'other',
    },
    secrets: ['template_secret'],
  });
  add('a token', {
    shapes: ['Token', 'TokenChange'],
    path: `/v1/tokens/${token.id}`,
    changed: { name: 'renamed', role: 'pipeline_admin', scopes: null, expires_at: null },
    secrets: [],
  });
  add('an object of a pipeline', {
    shapes: ['PipelineObject', 'PipelineObjectChange'],
    path: `/v1/pipelines/${pipeline.id}/objects/contacts`,
    read: async () => {
      const { body } = await call('get', `/v1/pipelines/${pipeline.id}/objects`).expect(200);
      const { etag } = await direct(`/v1/pipelines/${pipeline.id}`)();
      return { body: body.data.find(({ object }: { object: string }) => object === 'contacts'), etag };
    },
    changed: {
      included: false,
      detail: true,
      history: true,
      columns: { phone: { drop: true } },
      max_staleness_minutes: 60,
    },
    secrets: [],
  });
});
afterAll(async () => {
  await app.close();
  await simulator.close();
  await t[Symbol.asyncDispose]();
});

interface Shape {
  readonly $ref?: string;
  readonly readOnly?: boolean;
  readonly properties?: Readonly<Record<string, Shape>>;
}

function shape(name: string): Shape {
  return (app.swagger() as unknown as { components: { schemas: Record<string, Shape> } }).components.schemas[
    name
  ] as Shape;
}

/** The fields of a change by their paths: those that can be changed, and those that are read-only. */
function fields(of: Shape, prefix = ''): { writable: string[]; readOnly: string[] } {
  const all = Object.entries(of.properties ?? {}).map(([name, property]) => {
    const inner = property.$ref === undefined ? property : shape(property.$ref.split('/').at(-1) as string);
    const isNested =
      property.readOnly !== true && Object.values(inner.properties ?? {}).some(({ readOnly }) => readOnly === true);
    if (isNested) return fields(inner, `${prefix}${name}/`);
    return property.readOnly === true
      ? { writable: [], readOnly: [`${prefix}${name}`] }
      : { writable: [`${prefix}${name}`], readOnly: [] };
  });
  return { writable: all.flatMap(({ writable }) => writable), readOnly: all.flatMap(({ readOnly }) => readOnly) };
}

const at = (body: unknown, path: string): unknown =>
  path.split('/').reduce<unknown>((value, name) => (value as Json)[name], body);

function withValue(body: Json, path: string, value: unknown): Json {
  const [first = '', ...rest] = path.split('/');
  return {
    ...body,
    [first]: rest.length === 0 ? value : withValue((body[first] ?? {}) as Json, rest.join('/'), value),
  };
}

/** Another value of the same type. */
function different(value: unknown, path: string): unknown {
  if (/_at$|_until$|_since$|_as_of$|_to$/.test(path)) return '2001-02-03T04:05:06.000Z';
  if (path === 'id' || path.endsWith('_id')) return OTHER_ID;
  if (typeof value === 'boolean') return !value;
  const others: Json = {
    type: 'postgres_password',
    status: 'paused',
    paused_by: 'user',
    availability: 'forbidden',
    destination_schema: 'other_schema',
  };
  return others[path] ?? `${String(value ?? '')}x`;
}

/** The body with the keys of all objects in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
}

describe.each(NAMES)('PATCH of %s', (name) => {
  const resource = () => resources.get(name) as Resource;

  test('accepts the representation as GET returned it, and changes nothing', async () => {
    const { path, read, shapes } = resource();
    const before = await read();
    for (const body of [before.body, reversed(before.body) as Json]) {
      const { body: answered, headers, status } = await call('patch', path).set('if-match', before.etag).send(body);
      expect(status, JSON.stringify(answered)).toBe(200);
      expect(answered).toEqual(before.body);
      expect(headers['etag']).toBe(before.etag);
    }
    expect(await read()).toEqual(before);
    // The document describes all of these fields.
    const { writable, readOnly } = fields(shape(shapes[1]));
    const known = [...writable, ...readOnly].map((field) => field.split('/')[0]);
    expect(Object.keys(before.body).filter((field) => !known.includes(field))).toEqual([]);
  });

  test('accepts read-only times and ids in another spelling', async () => {
    const { path, read } = resource();
    const { body } = await read();
    const respelled = Object.fromEntries(
      Object.entries(body).map(([field, value]) => {
        if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value))
          return [field, value.replace('Z', '000+00:00')];
        return [field, field === 'id' ? String(value).toUpperCase() : value];
      }),
    );
    await call('patch', path).send(respelled).expect(200);
    expect((await read()).body).toEqual(body);
  });

  test('refuses each read-only field with another value, names it, and reports all of them at once', async () => {
    const { path, read, shapes } = resource();
    const { body } = await read();
    const { readOnly } = fields(shape(shapes[1]));
    expect(readOnly.length).toBeGreaterThan(1);
    let all = body;
    for (const field of readOnly.filter((f) => !isConstant(f))) {
      const wrong = withValue(body, field, different(at(body, field), field));
      const { status, body: answered } = await call('patch', path).send(wrong);
      expect(status, field).toBe(400);
      expect(answered.errors, field).toEqual([{ pointer: `/${field}`, detail: expect.stringContaining('read-only') }]);
      all = withValue(all, field, different(at(body, field), field));
    }
    for (const field of readOnly.filter(isConstant)) {
      const { body: answered } = await call('patch', path)
        .send(withValue(body, field, 'other'))
        .expect(400);
      expect(answered.errors, field).toEqual([{ pointer: `/${field}`, detail: expect.any(String) }]);
    }
    const { body: answered } = await call('patch', path).send(all).expect(400);
    expect(answered.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(
      readOnly
        .filter((f) => !isConstant(f))
        .map((f) => `/${f}`)
        .sort(),
    );
    expect((await read()).body).toEqual(body);

    /** A type of which there is only one: the schema refuses another one. */
    function isConstant(field: string): boolean {
      return (field === 'type' && name === 'a destination') || field === 'source/type';
    }
  });

  test('accepts the representation with each field changed that can be', async () => {
    const { path, read, shapes, changed, secrets } = resource();
    const { writable } = fields(shape(shapes[1]));
    expect([...Object.keys(changed), ...secrets, 'ssl_ca'].toSorted()).toEqual(
      expect.arrayContaining(writable.toSorted()),
    );
    for (const [field, value] of Object.entries(changed)) {
      const before = await read();
      const {
        status,
        body: answered,
        headers,
      } = await call('patch', path)
        .set('if-match', before.etag)
        .send(withValue(before.body, field, value));
      expect(status, `${field}: ${JSON.stringify(answered)}`).toBe(200);
      expect(headers['etag'], field).not.toBe(before.etag);
      if (!secrets.includes(field)) expect(at((await read()).body, field), field).toEqual(value);
      else expect(JSON.stringify(answered)).not.toContain('another');
      await call('patch', path).set('if-match', before.etag).send(before.body).expect(412);
    }
  });

  test('refuses an empty body, and a field that the resource does not have', async () => {
    const { path, read } = resource();
    await call('patch', path).send({}).expect(400);
    const { body } = await call('patch', path)
      .send({ ...(await read()).body, color: 'red' })
      .expect(400);
    expect(body.errors).toEqual([{ pointer: '/color', detail: 'is not a known field' }]);
  });
});

test('PATCH of a pipeline with the source as it was read and one changed field changes that field only', async () => {
  const { path, read } = resources.get('a pipeline') as Resource;
  const { body } = await read();
  const source = { ...(body['source'] as Json), historical_sync_days: 60 };
  const { body: answered } = await call('patch', path).send({ source }).expect(200);
  expect(answered.source).toEqual(source);
  const respelled = { ...source, subdomain: 'https://acme.freshdesk.com/' };
  expect((await call('patch', path).send({ source: respelled }).expect(200)).body).toEqual(answered);
});

test('a read-back neither postpones an audit, nor starts a run earlier, nor forgives a failing webhook', async () => {
  const pipeline = resources.get('a pipeline') as Resource;
  await call('patch', pipeline.path).send({ audit_frequency_days: 7 }).expect(200);
  await t.database
    .sql`update freshet.pipelines set next_audit_at = now() + interval '1 day', next_run_at = now() + interval '20 days'`;
  const before = await pipeline.read();
  await call('patch', pipeline.path).send(before.body).expect(200);
  expect(await pipeline.read()).toEqual(before);
  const webhook = resources.get('a webhook') as Resource;
  await call('patch', webhook.path).send({ enabled: true }).expect(200);
  await t.database.sql`update freshet.webhooks set failing_since = now() - interval '1 hour'`;
  const failing = await webhook.read();
  expect(failing.body['failing_since']).not.toBeNull();
  await call('patch', webhook.path).send(failing.body).expect(200);
  expect(await webhook.read()).toEqual(failing);
});

test('a representation is accepted although Freshet has moved its times since, and a time that they never had is not', async () => {
  const { path, read } = resources.get('a pipeline') as Resource;
  const { body } = await read();
  await t.database
    .sql`update freshet.pipelines set next_run_at = now() + interval '40 days', next_audit_at = now() + interval '40 days'`;
  await call('patch', path)
    .send({ ...body, name: 'moved' })
    .expect(200);
  const before = new Date(Date.parse(String(body['created_at'])) - 1).toISOString();
  const after = new Date(Date.now() + 50 * 86_400_000).toISOString();
  for (const next_run_at of [before, after]) {
    const { body: refused } = await call('patch', path).send({ next_run_at }).expect(400);
    expect(refused.errors).toEqual([{ pointer: '/next_run_at', detail: expect.stringContaining('read-only') }]);
  }
});

test('an unchanged value that would be refused as a new one is accepted', async () => {
  const token = resources.get('a token') as Resource;
  await t.database
    .sql`update freshet.api_tokens set expires_at = now() - interval '1 day', scopes = '{manage_tokens}', role = 'observer' where name <> 'bootstrap'`;
  const { body } = await token.read();
  await call('patch', token.path)
    .send({ ...body, name: 'expired' })
    .expect(200);
  const destination = resources.get('a destination') as Resource;
  await t.database.sql`update freshet.destinations set host = '/var/run/postgresql'`;
  const { body: legacy } = await destination.read();
  await call('patch', destination.path)
    .send({ ...legacy, name: 'legacy' })
    .expect(200);
});

test('`included: true` names an object that is included by default, except in a representation that was read', async () => {
  const pipeline = resources.get('a pipeline') as Resource;
  const path = `${pipeline.path}/objects/agents`;
  const choices = async () => ((await pipeline.read()).body['objects'] as Json)['agents'];
  const { body } = await call('get', `${pipeline.path}/objects`).expect(200);
  const agents = body.data.find(({ object }: { object: string }) => object === 'agents');
  await call('patch', path).send(agents).expect(200);
  expect(await choices()).toBeUndefined();
  await call('patch', path).send({ included: true }).expect(200);
  expect(await choices()).toEqual({ included: true });
});

test('the dry run of a change accepts the representation as well, and refuses the same', async () => {
  const { path, read } = resources.get('a pipeline') as Resource;
  const { body } = await read();
  const { body: refused } = await call('post', `${path}/plan`)
    .send({ ...body, table_prefix: 'b_', schedule: { cron: '61 * * * *', time_zone: 'Berlin' } })
    .expect(400);
  expect(refused.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    '/table_prefix',
    '/schedule/cron',
    '/schedule/time_zone',
  ]);
  await call('post', `${path}/plan`)
    .send({ ...body, name: 'planned' })
    .expect(200);
});
