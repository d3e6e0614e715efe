import { randomUUID } from 'node:crypto';
import type { TokenRole } from '@freshet/control-store';
import { generateToken } from '@freshet/control-store';
import { openTestStore, type TestStore } from '@freshet/control-store/test-support';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { createOutboundPolicy, Metrics } from '@freshet/runtime';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { buildApp } from './app.ts';
import type { App } from './context.ts';
import { hasPermission, PERMISSION_NAMES, type Permission, ROLES } from './http/permissions.ts';

/*
 * What every route must do, whatever it is for: one case for each operation of the document, and a test that says which
 * operation has none.
 */

const NOBODY = '00000000-0000-7000-8000-000000000000';
const ROLE_NAMES = Object.keys(ROLES) as TokenRole[];

let t: TestStore;
let app: App;
let simulator: FreshdeskSimulator;
const tokens = Object.fromEntries(ROLE_NAMES.map((role) => [role, generateToken()])) as Record<TokenRole, string>;

beforeAll(async () => {
  t = await openTestStore();
  for (const role of ROLE_NAMES) {
    await t.store.tokens.ensureBootstrap(tokens[role]);
    await t.database.sql`update freshet.api_tokens set role = ${role}, name = ${role} where name = 'bootstrap'`;
  }
  simulator = new FreshdeskSimulator({ counts: { tickets: 5 } });
  const origin = await simulator.listen();
  app = await buildApp({
    store: t.store,
    originTemplate: origin,
    isDraining: () => false,
    outboundPolicy: createOutboundPolicy('127.0.0.0/8'),
    metrics: new Metrics('api'),
    requestsPerMinute: 1_000_000,
  });
});
afterAll(async () => {
  await app.close();
  await simulator.close();
  await t[Symbol.asyncDispose]();
});

type Method = 'get' | 'post' | 'patch' | 'delete';
interface Operation {
  readonly operationId: string;
  readonly method: Method;
  readonly path: string;
  readonly hasBody: boolean;
  readonly isList: boolean;
  readonly takesIfMatch: boolean;
}

/** Everything that cases refer to, made anew for each. */
interface World {
  readonly key: { readonly id: string };
  readonly password: { readonly id: string };
  readonly spare: { readonly id: string };
  readonly destination: { readonly id: string };
  readonly spareDestination: { readonly id: string };
  readonly pipeline: { readonly id: string };
  readonly webhook: { readonly id: string };
  readonly delivery: { readonly id: string };
  readonly token: { readonly id: string };
  readonly run: { readonly id: string };
  readonly rejected: { readonly id: string };
  readonly erasure: { readonly id: string };
  readonly deadJob: { readonly id: string };
}

interface Case {
  /** The parameters of the path. */
  readonly at?: (w: World) => Readonly<Record<string, string>>;
  readonly body?: (w: World) => object;
  readonly status: number;
  /** A request that conflicts with what is there; absent: there is nothing that it could conflict with. */
  readonly conflict?: (w: World) => { readonly at?: Readonly<Record<string, string>>; readonly body?: object };
  /** Its parameters name nothing that could be missing. */
  readonly neverMissing?: true;
}

const destinationBody = (w: World, name: string) => ({
  name,
  type: 'postgres',
  host: '127.0.0.1',
  port: Number(new URL(inject('postgresUrl')).port),
  database: t.database.name,
  username: new URL(inject('postgresUrl')).username,
  credential_id: w.password.id,
  ssl_mode: 'disable',
});
const pipelineBody = (w: World, name: string) => ({
  name,
  source: { type: 'freshdesk', subdomain: name, credential_id: w.key.id },
  destination_id: w.destination.id,
});
const ofPipeline = (w: World) => ({ id: w.pipeline.id });
const ofRoles = (w: World) => ({ id: w.pipeline.id, object: 'roles' });

const CASES: Readonly<Record<string, Case>> = {
  createCredential: {
    body: () => ({ name: `c ${randomUUID()}`, type: 'freshdesk_api_key', api_key: 'a-secret-that-nobody-sees' }),
    status: 201,
    conflict: () => ({ body: { name: 'key', type: 'freshdesk_api_key', api_key: 'x' } }),
  },
  listCredentials: { status: 200 },
  getCredential: { at: (w) => ({ id: w.key.id }), status: 200 },
  updateCredential: {
    at: (w) => ({ id: w.key.id }),
    body: () => ({ name: 'renamed' }),
    status: 200,
    conflict: (w) => ({ at: { id: w.key.id }, body: { name: 'spare' } }),
  },
  deleteCredential: { at: (w) => ({ id: w.spare.id }), status: 204, conflict: (w) => ({ at: { id: w.key.id } }) },
  createDestination: {
    body: (w) => destinationBody(w, 'another'),
    status: 201,
    conflict: (w) => ({ body: destinationBody(w, 'warehouse') }),
  },
  listDestinations: { status: 200 },
  getDestination: { at: (w) => ({ id: w.destination.id }), status: 200 },
  updateDestination: {
    at: (w) => ({ id: w.destination.id }),
    body: () => ({ name: 'renamed' }),
    status: 200,
    conflict: (w) => ({ at: { id: w.destination.id }, body: { name: 'spare' } }),
  },
  deleteDestination: {
    at: (w) => ({ id: w.spareDestination.id }),
    status: 204,
    conflict: (w) => ({ at: { id: w.destination.id } }),
  },
  testDestination: { at: (w) => ({ id: w.destination.id }), status: 200 },
  createPipeline: {
    body: (w) => pipelineBody(w, 'other'),
    status: 201,
    conflict: (w) => ({ body: pipelineBody(w, 'acme') }),
  },
  previewPipeline: {
    body: (w) => pipelineBody(w, 'other'),
    status: 200,
    conflict: (w) => ({ body: pipelineBody(w, 'acme') }),
  },
  previewPipelineUpdate: {
    at: ofPipeline,
    body: () => ({ frequency_minutes: 60 }),
    status: 200,
    conflict: (w) => ({ at: ofPipeline(w), body: { name: 'taken' } }),
  },
  listPipelines: { status: 200 },
  getPipeline: { at: ofPipeline, status: 200 },
  updatePipeline: {
    at: ofPipeline,
    body: () => ({ frequency_minutes: 60 }),
    status: 200,
    conflict: (w) => ({ at: ofPipeline(w), body: { name: 'taken' } }),
  },
  deletePipeline: { at: ofPipeline, status: 204 },
  pausePipeline: { at: ofPipeline, status: 200 },
  resumePipeline: { at: ofPipeline, status: 200 },
  testAccount: { body: (w) => ({ subdomain: 'acme', credential_id: w.key.id }), status: 200 },
  testPipeline: { at: ofPipeline, status: 200 },
  estimateRun: { at: ofPipeline, status: 200 },
  listCatalogObjects: { status: 200 },
  listPipelineObjects: { at: ofPipeline, status: 200 },
  updatePipelineObject: { at: ofRoles, body: () => ({ included: false }), status: 200 },
  restartPipelineObject: { at: ofRoles, status: 200 },
  rebuildPipelineObject: { at: (w) => ({ id: w.pipeline.id, object: 'tickets' }), status: 202 },
  setPipelineObjectPosition: {
    at: (w) => ({ id: w.pipeline.id, object: 'tickets' }),
    body: () => ({ changed_since: '2026-01-01T00:00:00Z' }),
    status: 200,
    conflict: (w) => ({
      at: { id: w.pipeline.id, object: 'contacts' },
      body: { changed_since: '2026-01-01T00:00:00Z' },
    }),
  },
  refreshRecord: {
    at: (w) => ({ id: w.pipeline.id, object: 'tickets', record_id: '5' }),
    status: 202,
    conflict: (w) => ({ at: { id: w.pipeline.id, object: 'roles', record_id: '5' } }),
  },
  receiveFreshdeskWebhook: { at: ofPipeline, body: () => ({ ticket_id: '5' }), status: 202 },
  startRun: { at: ofPipeline, body: () => ({ kind: 'sync' }), status: 202 },
  listRuns: { status: 200 },
  getRun: { at: (w) => ({ id: w.run.id }), status: 200 },
  streamRunEvents: { at: (w) => ({ id: w.run.id }), status: 200 },
  cancelRun: { at: (w) => ({ id: w.run.id }), status: 200 },
  listRejectedRecords: { at: ofPipeline, status: 200 },
  getRejectedRecord: { at: (w) => ({ id: w.pipeline.id, record_id: w.rejected.id }), status: 200 },
  listFailedUnits: { at: ofPipeline, status: 200 },
  retryFailedUnits: { at: ofPipeline, body: () => ({}), status: 202 },
  discardFailedUnits: { at: ofPipeline, body: () => ({}), status: 200 },
  replayRejectedRecords: { at: ofPipeline, body: () => ({}), status: 202 },
  discardRejectedRecords: { at: ofPipeline, body: () => ({}), status: 200 },
  createErasure: { at: ofPipeline, body: () => ({ contact_id: '4711' }), status: 202 },
  listErasures: { at: ofPipeline, status: 200 },
  getErasure: { at: (w) => ({ id: w.pipeline.id, erasure_id: w.erasure.id }), status: 200 },
  liftErasure: { at: (w) => ({ id: w.pipeline.id, erasure_id: w.erasure.id }), status: 200 },
  getSystemStatus: { status: 200 },
  getMetrics: { status: 200 },
  listDeadJobs: { status: 200 },
  retryDeadJob: { at: (w) => ({ id: w.deadJob.id }), status: 204 },
  discardDeadJob: { at: (w) => ({ id: w.deadJob.id }), status: 204 },
  getBudget: { at: () => ({ subdomain: 'acme' }), status: 200, neverMissing: true },
  listUsage: { status: 200 },
  createWebhook: {
    body: () => ({ name: 'another', url: 'https://hooks.example.com/', events: ['run.failed'] }),
    status: 201,
    conflict: () => ({ body: { name: 'hook', url: 'https://hooks.example.com/', events: ['run.failed'] } }),
  },
  listWebhooks: { status: 200 },
  getWebhook: { at: (w) => ({ id: w.webhook.id }), status: 200 },
  updateWebhook: {
    at: (w) => ({ id: w.webhook.id }),
    body: () => ({ enabled: false }),
    status: 200,
    conflict: (w) => ({ at: { id: w.webhook.id }, body: { name: 'spare' } }),
  },
  deleteWebhook: { at: (w) => ({ id: w.webhook.id }), status: 204 },
  rotateWebhookSecret: { at: (w) => ({ id: w.webhook.id }), body: () => ({ overlap_minutes: 5 }), status: 200 },
  testWebhook: { at: (w) => ({ id: w.webhook.id }), status: 202 },
  listWebhookDeliveries: { at: (w) => ({ id: w.webhook.id }), status: 200 },
  redeliverWebhookEvent: { at: (w) => ({ id: w.webhook.id, delivery_id: w.delivery.id }), status: 202 },
  createToken: { body: () => ({ name: 'reports', role: 'observer' }), status: 201 },
  listTokens: { status: 200 },
  getToken: { at: (w) => ({ id: w.token.id }), status: 200 },
  updateToken: { at: (w) => ({ id: w.token.id }), body: () => ({ name: 'renamed' }), status: 200 },
  deleteToken: { at: (w) => ({ id: w.token.id }), status: 204 },
  rotateToken: { at: (w) => ({ id: w.token.id }), body: () => ({ overlap_minutes: 0 }), status: 200 },
  listAuditLogEntries: { status: 200 },
  exportAuditLog: { status: 200 },
};

function operations(): Operation[] {
  interface Described {
    readonly operationId: string;
    readonly security?: unknown[];
    readonly requestBody?: unknown;
    readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  }
  const { paths } = app.swagger() as unknown as { paths: Record<string, Record<Method, Described>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { security }]) => security?.length !== 0)
      .map(([method, { operationId, requestBody, parameters = [] }]) => ({
        operationId,
        method: method as Method,
        path,
        hasBody: requestBody !== undefined,
        isList: parameters.some((p) => p.name === 'cursor'),
        takesIfMatch: parameters.some((p) => p.name === 'if-match'),
      })),
  );
}

async function newWorld(): Promise<World> {
  const { store } = t;
  await t.database
    .sql`truncate freshet.pipelines, freshet.credentials, freshet.destinations, freshet.webhooks, freshet.events, freshet.idempotency_keys, freshet.dead_jobs cascade`;
  await t.database.sql`delete from freshet.api_tokens where name <> all(${ROLE_NAMES})`;
  const key = await store.credentials.create({ name: 'key', type: 'freshdesk_api_key', secret: 'demo-admin-key' });
  const password = await store.credentials.create({
    name: 'password',
    type: 'postgres_password',
    secret: new URL(inject('postgresUrl')).password,
  });
  const spare = await store.credentials.create({ name: 'spare', type: 'freshdesk_api_key', secret: 'x' });
  const make = async (path: string, body: object) =>
    (await supertest(app.server).post(path).set('authorization', `Bearer ${tokens.team_admin}`).send(body).expect(201))
      .body as { id: string };
  const half = { key, password, spare } as unknown as World;
  const destination = await make('/v1/destinations', destinationBody(half, 'warehouse'));
  const spareDestination = await make('/v1/destinations', destinationBody(half, 'spare'));
  const pipeline = await make('/v1/pipelines', pipelineBody({ ...half, destination } as World, 'acme'));
  await make('/v1/pipelines', { ...pipelineBody({ ...half, destination } as World, 'taken') });
  const { webhook } = await store.webhooks.create({
    name: 'hook',
    url: 'http://127.0.0.1:1/',
    events: ['run.failed'],
    enabled: true,
  });
  await store.webhooks.create({ name: 'spare', url: 'http://127.0.0.1:1/', events: ['run.failed'], enabled: true });
  const delivery = await store.webhooks.sendTestEvent(webhook.id);
  const { token } = await store.tokens.create({ name: 'a', role: 'observer', scopes: null, expires_at: null });
  // A run that is over, of which a batch is stored still and a record was rejected.
  const { id: runId } = await store.runs.start(pipeline.id, 'manual', [
    { name: 'tickets', creditClass: 'incremental' },
  ]);
  await store.runs.cancel(runId);
  const batch = randomUUID();
  await t.database.sql`
    insert into freshet.batches (id, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body, loaded_at)
    select ${batch}, pipeline_id, object, id, 1, 2, now(), '\\x00', now() from freshet.object_runs where run_id = ${runId}`;
  await t.database
    .sql`update freshet.pipeline_objects set position = '{"backTo":"2026-01-01T00:00:00Z","views":{},"window":null}' where pipeline_id = ${pipeline.id} and object = 'tickets'`;
  const claim = await store.loading.acquire(pipeline.id, 'tickets');
  await t.database.sql`update freshet.batches set loaded_at = null where id = ${batch}`;
  const counts = { records: 1, inserted: 0, updated: 0, unchanged: 0, rejected: 1, deleted: 0, missing: 0, stale: 0 };
  await store.loading.markLoaded(claim as NonNullable<typeof claim>, {
    batches: [{ batchId: batch, counts }],
    rejectedRecords: [{ batchId: batch, line: 0, reason: 'value_not_bigint: id', raw: '{"id":"x"}' }],
    coverage: null,
    deletionCandidates: [],
    rejectedGenerations: [],
    unconfirmedDeletions: [],
    misfits: [],
    completion: null,
    schemaChanges: [],
  });
  await t.database.sql`
    insert into freshet.failed_units (id, pipeline_id, object, key, error_code, error_message, object_run_id, next_attempt_at)
    select ${randomUUID()}, pipeline_id, 'conversations', '7', 'source_unavailable', 'Freshdesk answered with status 500.', id, now() from freshet.object_runs where run_id = ${runId} limit 1`;
  const [rejected] = (await store.rejectedRecords.list(pipeline.id, { limit: 1, cursor: null }, {})).data;
  const erasure = await store.erasures.create(pipeline.id, 'contacts', '1');
  await t.database.sql`update freshet.erasures set status = 'completed' where id = ${erasure.id}`;
  await store.deadJobs.record({
    queue: 'load',
    data: { pipelineId: pipeline.id, object: 'roles' },
    attempts: 11,
    reason: 'It was killed.',
  });
  const [deadJob] = (await store.deadJobs.list({ limit: 1, cursor: null }, {})).data;
  return {
    key,
    password,
    spare,
    destination,
    spareDestination,
    pipeline,
    webhook,
    delivery,
    token,
    run: { id: runId },
    rejected: rejected as { id: string },
    erasure,
    deadJob: deadJob as { id: string },
  };
}

const fill = (path: string, at: Readonly<Record<string, string>>) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => at[name] ?? `no ${name}`);
const nowhere = (path: string) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'object' ? 'tickets' : name === 'subdomain' ? 'acme' : NOBODY,
  );
const call = (method: Method, path: string, token = tokens.team_admin) =>
  supertest(app.server)[method](path).set('authorization', `Bearer ${token}`);

test('every operation of the document has a case, and every case an operation', () => {
  expect(Object.keys(CASES).sort()).toEqual(
    operations()
      .map((o) => o.operationId)
      .sort(),
  );
});

describe.each(Object.entries(CASES))('%s', (operationId, spec) => {
  const operation = () => operations().find((o) => o.operationId === operationId) as Operation;
  const send = (w: World, given: { at?: Readonly<Record<string, string>>; body?: object } = {}) => {
    const { method, path } = operation();
    const request = call(method, fill(path, given.at ?? spec.at?.(w) ?? {}));
    const body = given.body ?? spec.body?.(w);
    return body === undefined ? request : request.send(body);
  };

  test('does what it is for, and does it once for a key', async () => {
    const w = await newWorld();
    const { method } = operation();
    const key = randomUUID();
    const body = spec.body?.(w);
    const first = await send(w, body ? { body } : {}).set('idempotency-key', key);
    expect(first.status, first.text).toBe(spec.status);
    expect(first.headers['x-request-id']).toBeTruthy();
    expect(first.headers['ratelimit-remaining']).toBeTruthy();
    if (method === 'get') return;
    const again = await send(w, body ? { body } : {}).set('idempotency-key', key);
    expect(again.status, again.text).toBe(first.status);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body).toEqual(first.body);
    for (const header of ['location', 'etag']) expect(again.headers[header]).toBe(first.headers[header]);
    const other = await call('post', '/v1/credentials')
      .set('idempotency-key', key)
      .send({ name: 'x', type: 'freshdesk_api_key', api_key: 'y' });
    expect(other.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  });

  test('refuses who has no token, and what is not valid', async () => {
    const { method, path, hasBody, isList, takesIfMatch } = operation();
    const anonymous = await supertest(app.server)[method](nowhere(path));
    expect(anonymous.body).toMatchObject({ status: 401, code: 'unauthenticated' });
    const wrong = [
      ...(path.includes('{id}') ? [() => call(method, nowhere(path).replace(NOBODY, 'not-an-id'))] : []),
      ...(hasBody
        ? [
            () => call(method, nowhere(path)).send([1]),
            () => call(method, nowhere(path)).set('content-type', 'application/json').send('null'),
          ]
        : []),
      // What Freshdesk sends is not ours to choose.
      ...(hasBody && operationId !== 'receiveFreshdeskWebhook'
        ? [() => call(method, nowhere(path)).send({ no_such_field: 1 })]
        : []),
      ...(isList
        ? ['limit=0', 'limit=x', 'cursor=x'].map((query) => () => call(method, `${nowhere(path)}?${query}`))
        : []),
      ...(method === 'get' ? [] : [() => call(method, nowhere(path)).set('idempotency-key', 'x'.repeat(256))]),
    ];
    for (const [i, request] of wrong.entries()) {
      const { status, body } = await request();
      // A cursor is looked at where the list is: its pipeline may be missing.
      expect([400, ...(isList && path.includes('{id}') ? [404] : [])], `${i}: ${JSON.stringify(body)}`).toContain(
        status,
      );
      expect(body).toMatchObject({
        type: 'about:blank',
        code: status === 400 ? 'invalid_input' : 'not_found',
        request_id: expect.any(String),
      });
    }
    if (takesIfMatch) expect((await call(method, fill(path, {})).set('if-match', '"1"')).status).toBe(400);
  });

  test.each(ROLE_NAMES)(
    'is open to the role %s exactly if it may, and to scopes that name what it needs',
    async (role) => {
      const { method, path } = operation();
      const permission = permissionOf(operation());
      const { status, body } = await call(method, nowhere(path), tokens[role]);
      expect(status === 403, JSON.stringify(body)).toBe(!ROLES[role].includes(permission));
      const { value: text } = await t.store.tokens.create({
        name: 'scoped',
        role,
        scopes: PERMISSION_NAMES.filter((p) => p !== permission),
        expires_at: null,
      });
      const scoped = await call(method, nowhere(path), text);
      expect(scoped.body).toMatchObject({ status: 403, code: 'permission_denied' });
    },
  );

  test('says what there is not, what conflicts, and that somebody else was faster', async () => {
    const w = await newWorld();
    const { method, path, takesIfMatch } = operation();
    if (path.includes('{') && !spec.neverMissing) {
      const missing = spec.body ? call(method, nowhere(path)).send(spec.body(w)) : call(method, nowhere(path));
      expect((await missing).body).toMatchObject({ status: 404, code: 'not_found' });
    }
    if (spec.conflict) {
      const key = randomUUID();
      const first = await send(w, spec.conflict(w)).set('idempotency-key', key);
      expect(first.body).toMatchObject({ status: 409, code: 'conflict' });
      const again = await send(w, spec.conflict(w)).set('idempotency-key', key);
      expect(again.headers['idempotent-replayed']).toBe('true');
      expect(again.body).toEqual(first.body);
    }
    if (takesIfMatch)
      expect((await send(w).set('if-match', '"999"')).body).toMatchObject({ status: 412, code: 'precondition_failed' });
  });
});

function permissionOf({ operationId }: Operation): Permission {
  return PERMISSION_NAMES.find((permission) => EXPECTED[permission].includes(operationId)) as Permission;
}

/** Which operation needs which permission; written down a second time on purpose. */
const EXPECTED: Readonly<Record<Permission, readonly string[]>> = {
  read: [
    'listCredentials',
    'getCredential',
    'listDestinations',
    'getDestination',
    'listPipelines',
    'getPipeline',
    'listCatalogObjects',
    'listPipelineObjects',
    'listRuns',
    'getRun',
    'streamRunEvents',
    'listFailedUnits',
    'listRejectedRecords',
    'listErasures',
    'getErasure',
    'getSystemStatus',
    'getMetrics',
    'listDeadJobs',
    'getBudget',
    'listUsage',
  ],
  read_records: ['getRejectedRecord'],
  run: [
    'startRun',
    'cancelRun',
    'pausePipeline',
    'resumePipeline',
    'restartPipelineObject',
    'rebuildPipelineObject',
    'setPipelineObjectPosition',
    'retryFailedUnits',
    'discardFailedUnits',
    'replayRejectedRecords',
    'discardRejectedRecords',
  ],
  refresh: ['refreshRecord', 'receiveFreshdeskWebhook'],
  erase: ['createErasure', 'liftErasure'],
  redrive: ['retryDeadJob', 'discardDeadJob'],
  manage_pipelines: [
    'createPipeline',
    'previewPipeline',
    'previewPipelineUpdate',
    'updatePipeline',
    'deletePipeline',
    'testAccount',
    'testPipeline',
    'estimateRun',
    'updatePipelineObject',
  ],
  manage_connections: [
    'createCredential',
    'updateCredential',
    'deleteCredential',
    'createDestination',
    'updateDestination',
    'deleteDestination',
    'testDestination',
  ],
  manage_webhooks: [
    'createWebhook',
    'listWebhooks',
    'getWebhook',
    'updateWebhook',
    'deleteWebhook',
    'rotateWebhookSecret',
    'testWebhook',
    'listWebhookDeliveries',
    'redeliverWebhookEvent',
  ],
  manage_tokens: ['createToken', 'listTokens', 'getToken', 'updateToken', 'deleteToken', 'rotateToken'],
  read_audit_log: ['listAuditLogEntries', 'exportAuditLog'],
};

test('a scope narrows a role, and never widens it', () => {
  expect(hasPermission({ role: 'observer', scopes: ['manage_tokens', 'read'] }, 'manage_tokens')).toBe(false);
  expect(hasPermission({ role: 'observer', scopes: ['manage_tokens', 'read'] }, 'read')).toBe(true);
  expect(hasPermission({ role: 'team_admin', scopes: ['read'] }, 'manage_tokens')).toBe(false);
});
