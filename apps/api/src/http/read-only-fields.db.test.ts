/**
 * Tests that a client can get any resource, change one field and send the representation back. The
 * fields come from the OpenAPI document, so new fields are tested automatically.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { UNKNOWN_ID, useTestApi } from '../test-support/api.ts';
import { IGNORED_IN_UPDATES } from './schemas.ts';

const api = useTestApi({
  simulator: { counts: { tickets: 5 } },
  allowedAddresses: '127.0.0.0/8',
  resetsBeforeEach: false,
});
const { call } = api;

type Json = Record<string, unknown>;

interface Resource {
  /** The names of the schemas of the resource and of its update. */
  readonly schemas: readonly [string, string];
  readonly path: string;
  /** Gets the representation and the entity tag. */
  readonly read: () => Promise<{ readonly body: Json; readonly etag: string }>;
  /** A new valid value for each writable field. A slash separates the names of nested fields. */
  readonly changed: Json;
  /** Writable fields that are never returned. */
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
  // Set times that would otherwise be null.
  await api.sql`update freshet.webhooks set failing_since = now() - interval '1 hour'`;
  await api.sql`update freshet.pipelines set next_audit_at = now() + interval '1 day'`;
  const direct = (path: string) => async () => {
    const { body, headers } = await call('get', path).expect(200);
    return { body: body as Json, etag: headers['etag'] as string };
  };
  const add = (name: (typeof NAMES)[number], resource: Omit<Resource, 'read'> & Partial<Resource>) =>
    resources.set(name, { read: direct(resource.path), ...resource });
  add('a credential', {
    schemas: ['Credential', 'CredentialUpdate'],
    path: `/v1/credentials/${key.id}`,
    changed: { name: 'renamed', api_key: 'another' },
    secrets: ['api_key', 'password'],
  });
  add('a destination', {
    schemas: ['Destination', 'DestinationUpdate'],
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
    schemas: ['Pipeline', 'PipelineUpdate'],
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
      analytics: true,
      analytics_time_zone: 'Europe/Berlin',
    },
    secrets: [],
  });
  add('a webhook', {
    schemas: ['Webhook', 'WebhookUpdate'],
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
    schemas: ['Token', 'TokenUpdate'],
    path: `/v1/tokens/${token.id}`,
    changed: { name: 'renamed', role: 'pipeline_admin', scopes: null, expires_at: null },
    secrets: [],
  });
  add('an object of a pipeline', {
    schemas: ['PipelineObject', 'PipelineObjectUpdate'],
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

interface Schema {
  readonly $ref?: string;
  readonly readOnly?: boolean;
  readonly [IGNORED_IN_UPDATES]?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
}

function getSchema(name: string): Schema {
  return (api.app.swagger() as unknown as { components: { schemas: Record<string, Schema> } }).components.schemas[
    name
  ] as Schema;
}

/** Lists the writable, the read-only and the ignored fields of an update schema, by path. */
function listFields(schema: Schema, prefix = ''): { writable: string[]; readOnly: string[]; ignored: string[] } {
  const all = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const inner = property.$ref === undefined ? property : getSchema(property.$ref.split('/').at(-1) as string);
    const isNested =
      property.readOnly !== true && Object.values(inner.properties ?? {}).some(({ readOnly }) => readOnly === true);
    if (isNested) return listFields(inner, `${prefix}${name}/`);
    const path = `${prefix}${name}`;
    if (property[IGNORED_IN_UPDATES] === true) return { writable: [], readOnly: [], ignored: [path] };
    return property.readOnly === true
      ? { writable: [], readOnly: [path], ignored: [] }
      : { writable: [path], readOnly: [], ignored: [] };
  });
  return {
    writable: all.flatMap(({ writable }) => writable),
    readOnly: all.flatMap(({ readOnly }) => readOnly),
    ignored: all.flatMap(({ ignored }) => ignored),
  };
}

const getValue = (body: unknown, path: string): unknown =>
  path.split('/').reduce<unknown>((value, name) => (value as Json)[name], body);

function withValue(body: Json, path: string, value: unknown): Json {
  const [first = '', ...rest] = path.split('/');
  return {
    ...body,
    [first]: rest.length === 0 ? value : withValue((body[first] ?? {}) as Json, rest.join('/'), value),
  };
}

/** Returns a different value of the same type. */
function changeValue(value: unknown, path: string): unknown {
  if (/_at$|_until$|_since$|_as_of$|_to$/.test(path)) return '2001-02-03T04:05:06.000Z';
  if (path === 'id' || path.endsWith('_id')) return UNKNOWN_ID;
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

/** Returns the body with the keys of all JSON objects in reverse order. */
function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, inner]) => [name, reverseKeys(inner)]),
  );
}

describe.each(NAMES)('PATCH of %s', (name) => {
  const resource = () => resources.get(name) as Resource;

  test('accepts the representation that GET returns, and changes nothing', async () => {
    const { path, read, schemas } = resource();
    const before = await read();
    for (const body of [before.body, reverseKeys(before.body) as Json]) {
      const { body: responseBody, headers, status } = await call('patch', path).set('if-match', before.etag).send(body);
      expect(status, JSON.stringify(responseBody)).toBe(200);
      expect(responseBody).toEqual(before.body);
      expect(headers['etag']).toBe(before.etag);
    }
    expect(await read()).toEqual(before);
    // The OpenAPI document describes all fields of the representation.
    const { writable, readOnly, ignored } = listFields(getSchema(schemas[1]));
    const known = [...writable, ...readOnly, ...ignored].map((field) => field.split('/')[0]);
    expect(Object.keys(before.body).filter((field) => !known.includes(field))).toEqual([]);
  });

  test('accepts read-only times and ids in a different notation', async () => {
    const { path, read } = resource();
    const { body } = await read();
    const renotated = Object.fromEntries(
      Object.entries(body).map(([field, value]) => {
        if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value))
          return [field, value.replace('Z', '000+00:00')];
        return [field, field === 'id' ? String(value).toUpperCase() : value];
      }),
    );
    await call('patch', path).send(renotated).expect(200);
    expect((await read()).body).toEqual(body);
  });

  test('rejects changed read-only fields, and reports all of them in one response', async () => {
    const { path, read, schemas } = resource();
    const { body } = await read();
    const { readOnly } = listFields(getSchema(schemas[1]));
    expect(readOnly.length).toBeGreaterThan(1);
    let all = body;
    for (const field of readOnly.filter((f) => !isConstant(f))) {
      const wrong = withValue(body, field, changeValue(getValue(body, field), field));
      const { status, body: responseBody } = await call('patch', path).send(wrong);
      expect(status, field).toBe(400);
      expect(responseBody.errors, field).toEqual([
        { pointer: `/${field}`, detail: expect.stringContaining('read-only') },
      ]);
      all = withValue(all, field, changeValue(getValue(body, field), field));
    }
    for (const field of readOnly.filter(isConstant)) {
      const { body: responseBody } = await call('patch', path)
        .send(withValue(body, field, 'other'))
        .expect(400);
      expect(responseBody.errors, field).toEqual([{ pointer: `/${field}`, detail: expect.any(String) }]);
    }
    const { body: responseBody } = await call('patch', path).send(all).expect(400);
    expect(responseBody.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(
      readOnly
        .filter((f) => !isConstant(f))
        .map((f) => `/${f}`)
        .sort(),
    );
    expect((await read()).body).toEqual(body);

    /** Whether the field has only one valid value, so that the schema rejects all other values. */
    function isConstant(field: string): boolean {
      return (field === 'type' && name === 'a destination') || field === 'source/type';
    }
  });

  test('accepts the representation with any writable field changed', async () => {
    const { path, read, schemas, changed, secrets } = resource();
    const { writable } = listFields(getSchema(schemas[1]));
    expect([...Object.keys(changed), ...secrets, 'ssl_ca'].toSorted()).toEqual(
      expect.arrayContaining(writable.toSorted()),
    );
    for (const [field, value] of Object.entries(changed)) {
      const before = await read();
      const {
        status,
        body: responseBody,
        headers,
      } = await call('patch', path)
        .set('if-match', before.etag)
        .send(withValue(before.body, field, value));
      expect(status, `${field}: ${JSON.stringify(responseBody)}`).toBe(200);
      expect(headers['etag'], field).not.toBe(before.etag);
      if (!secrets.includes(field)) expect(getValue((await read()).body, field), field).toEqual(value);
      else expect(JSON.stringify(responseBody)).not.toContain('another');
      await call('patch', path).set('if-match', before.etag).send(before.body).expect(412);
    }
  });

  test('rejects an empty body and unknown fields', async () => {
    const { path, read } = resource();
    await call('patch', path).send({}).expect(400);
    const { body } = await call('patch', path)
      .send({ ...(await read()).body, color: 'red' })
      .expect(400);
    expect(body.errors).toEqual([{ pointer: '/color', detail: 'is not a known field' }]);
  });
});

test('PATCH of a pipeline updates only the field of `source` that differs', async () => {
  const { path, read } = resources.get('a pipeline') as Resource;
  const { body } = await read();
  const source = { ...(body['source'] as Json), historical_sync_days: 60 };
  const { body: responseBody } = await call('patch', path).send({ source }).expect(200);
  expect(responseBody.source).toEqual(source);
  const renotated = { ...source, subdomain: 'https://acme.freshdesk.com/' };
  expect((await call('patch', path).send({ source: renotated }).expect(200)).body).toEqual(responseBody);
});

test('sending a representation back neither moves due times nor resets a failing webhook', async () => {
  const pipeline = resources.get('a pipeline') as Resource;
  await call('patch', pipeline.path).send({ audit_frequency_days: 7 }).expect(200);
  await api.sql`update freshet.pipelines set next_audit_at = now() + interval '1 day', next_run_at = now() + interval '20 days'`;
  const before = await pipeline.read();
  await call('patch', pipeline.path).send(before.body).expect(200);
  expect(await pipeline.read()).toEqual(before);
  const webhook = resources.get('a webhook') as Resource;
  await call('patch', webhook.path).send({ enabled: true }).expect(200);
  await api.sql`update freshet.webhooks set failing_since = now() - interval '1 hour'`;
  const failing = await webhook.read();
  expect(failing.body['failing_since']).not.toBeNull();
  await call('patch', webhook.path).send(failing.body).expect(200);
  expect(await webhook.read()).toEqual(failing);
});

test('PATCH accepts an earlier value of a read-only time, and rejects a value that the field can never have had', async () => {
  const { path, read } = resources.get('a pipeline') as Resource;
  const { body } = await read();
  await api.sql`update freshet.pipelines set next_run_at = now() + interval '40 days', next_audit_at = now() + interval '40 days'`;
  await call('patch', path)
    .send({ ...body, name: 'moved' })
    .expect(200);
  const before = new Date(Date.parse(String(body['created_at'])) - 1).toISOString();
  const after = new Date(Date.now() + 50 * 86_400_000).toISOString();
  for (const next_run_at of [before, after]) {
    const { body: problem } = await call('patch', path).send({ next_run_at }).expect(400);
    expect(problem.errors).toEqual([{ pointer: '/next_run_at', detail: expect.stringContaining('read-only') }]);
  }
});

test('PATCH accepts an unchanged value that would be rejected as a new value', async () => {
  const token = resources.get('a token') as Resource;
  await api.sql`update freshet.api_tokens set expires_at = now() - interval '1 day', scopes = '{manage_tokens}', role = 'observer' where name <> 'bootstrap'`;
  const { body } = await token.read();
  await call('patch', token.path)
    .send({ ...body, name: 'expired' })
    .expect(200);
  const destination = resources.get('a destination') as Resource;
  await api.sql`update freshet.destinations set host = '/var/run/postgresql'`;
  const { body: legacy } = await destination.read();
  await call('patch', destination.path)
    .send({ ...legacy, name: 'legacy' })
    .expect(200);
});

test('`included: true` explicitly includes an object that is included by default, except in a representation that is sent back', async () => {
  const pipeline = resources.get('a pipeline') as Resource;
  const path = `${pipeline.path}/objects/agents`;
  const getSettings = async () => ((await pipeline.read()).body['objects'] as Json)['agents'];
  const { body } = await call('get', `${pipeline.path}/objects`).expect(200);
  const agents = body.data.find(({ object }: { object: string }) => object === 'agents');
  await call('patch', path).send(agents).expect(200);
  expect(await getSettings()).toBeUndefined();
  await call('patch', path).send({ included: true }).expect(200);
  expect(await getSettings()).toEqual({ included: true });
});

test('the preview of an update accepts a representation, and reports the same problems as the update', async () => {
  const { path, read } = resources.get('a pipeline') as Resource;
  const { body } = await read();
  const { body: problem } = await call('post', `${path}/plan`)
    .send({ ...body, table_prefix: 'b_', schedule: { cron: '61 * * * *', time_zone: 'Berlin' } })
    .expect(400);
  expect(problem.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    '/table_prefix',
    '/schedule/cron',
    '/schedule/time_zone',
  ]);
  await call('post', `${path}/plan`)
    .send({ ...body, name: 'planned' })
    .expect(200);
});

test('an update accepts a representation with an outdated state of the analytics models', async () => {
  const { path, read } = resources.get('a pipeline') as Resource;
  await call('patch', path).send({ analytics: true, analytics_time_zone: null }).expect(200);
  const { body } = await read();
  expect(body['analytics_refresh']).toMatchObject({ status: 'pending', refreshed_at: null });
  const task = await api.store.analytics.start(String(body['id']));
  await api.store.analytics.complete(task as NonNullable<typeof task>, { kind: 'built', tickets: 5, warnings: [] });
  const { body: updated } = await call('patch', path)
    .send({ ...body, name: 'with models' })
    .expect(200);
  expect(updated).toMatchObject({ name: 'with models', analytics_refresh: { status: 'succeeded', kind: 'built' } });
});
