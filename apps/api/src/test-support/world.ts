import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type { TestApi } from './api.ts';

/** The resources to which the operation cases refer: at least one of each kind. */
export interface World {
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
  readonly databaseName: string;
}

/** Builds the body of a destination. The warehouse is the test database. */
export function buildDestinationInput(
  { password, databaseName }: Pick<World, 'password' | 'databaseName'>,
  name: string,
) {
  const { port, username } = new URL(inject('postgresUrl'));
  return {
    name,
    type: 'postgres',
    host: '127.0.0.1',
    port: Number(port),
    database: databaseName,
    username,
    credential_id: password.id,
    ssl_mode: 'disable',
  };
}

/** Builds the body of a pipeline that replicates the account `name`. */
export function buildPipelineInput({ key, destination }: Pick<World, 'key' | 'destination'>, name: string) {
  return {
    name,
    source: { type: 'freshdesk', subdomain: name, credential_id: key.id },
    destination_id: destination.id,
  };
}

/** Creates the resources of a `World` in an empty database. */
export async function createWorld(api: TestApi): Promise<World> {
  const { store, sql, create } = api;
  const key = await store.credentials.create({ name: 'key', type: 'freshdesk_api_key', secret: 'demo-admin-key' });
  const password = await store.credentials.create({
    name: 'password',
    type: 'postgres_password',
    secret: new URL(inject('postgresUrl')).password,
  });
  const spare = await store.credentials.create({ name: 'spare', type: 'freshdesk_api_key', secret: 'x' });
  const destination = await create(
    '/v1/destinations',
    buildDestinationInput({ password, databaseName: api.databaseName }, 'warehouse'),
  );
  const spareDestination = await create(
    '/v1/destinations',
    buildDestinationInput({ password, databaseName: api.databaseName }, 'spare'),
  );
  const pipeline = await create('/v1/pipelines', buildPipelineInput({ key, destination }, 'acme'));
  await create('/v1/pipelines', buildPipelineInput({ key, destination }, 'taken'));
  const { webhook } = await store.webhooks.create({
    name: 'hook',
    url: 'http://127.0.0.1:1/',
    events: ['run.failed'],
    enabled: true,
  });
  await store.webhooks.create({ name: 'spare', url: 'http://127.0.0.1:1/', events: ['run.failed'], enabled: true });
  const delivery = await store.webhooks.sendTestEvent(webhook.id);
  const { token } = await store.tokens.create({ name: 'a', role: 'observer', scopes: null, expires_at: null });
  const { runId, rejected } = await createFinishedRun(api, pipeline.id);
  const erasure = await store.erasures.create(pipeline.id, 'contacts', '1');
  await sql`update freshet.erasures set status = 'completed' where id = ${erasure.id}`;
  await store.deadJobs.record({
    queue: 'load',
    data: { pipelineId: pipeline.id, object: 'roles' },
    attempts: 11,
    reason: 'The worker was killed.',
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
    rejected,
    erasure,
    deadJob: deadJob as { id: string },
    databaseName: api.databaseName,
  };
}

/** Creates a finished run with a stored batch, a rejected record and a failed unit. */
async function createFinishedRun(
  { store, sql }: TestApi,
  pipelineId: string,
): Promise<{ readonly runId: string; readonly rejected: { readonly id: string } }> {
  const { id: runId } = await store.runs.start(pipelineId, 'manual', [{ name: 'tickets', creditClass: 'incremental' }]);
  await store.runs.cancel(runId);
  const batch = randomUUID();
  await sql`
    insert into freshet.batches
      (id, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body, loaded_at)
    select ${batch}, pipeline_id, object, id, 1, 2, now(), '\\x00', now() from freshet.object_runs where run_id = ${runId}`;
  await sql`update freshet.pipeline_objects set position = '{"backTo":"2026-01-01T00:00:00Z","views":{},"window":null}' where pipeline_id = ${pipelineId} and object = 'tickets'`;
  const claim = await store.loading.acquire(pipelineId, 'tickets');
  await sql`update freshet.batches set loaded_at = null where id = ${batch}`;
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
  await sql`
    insert into freshet.failed_units
      (id, pipeline_id, object, key, error_code, error_message, object_run_id, next_attempt_at)
    select ${randomUUID()}, pipeline_id, 'conversations', '7', 'source_unavailable', 'Freshdesk returned status 500.', id, now() from freshet.object_runs where run_id = ${runId} limit 1`;
  const [rejected] = (await store.rejectedRecords.list(pipelineId, { limit: 1, cursor: null }, {})).data;
  return { runId, rejected: rejected as { id: string } };
}
