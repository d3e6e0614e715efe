import { AppError, type JobPayloads } from '@freshet/contracts';
import { openTestStore, type TestStore } from '@freshet/control-store/test-support';
import { createLogger, createOutboundPolicy, Metrics } from '@freshet/runtime';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runAnalyticsRefresh } from './analytics-job.ts';
import type { LoadContext } from './context.ts';
import { createLoadMetrics } from './metrics.ts';
import { removeDeletedTracking } from './tracking-removal.ts';
import { Warehouses } from './warehouses.ts';

let t: TestStore;
let warehouse: TestDatabase;
let context: LoadContext;
let metrics: Metrics;

beforeAll(async () => {
  [t, warehouse] = await Promise.all([openTestStore(), createDatabase()]);
  metrics = new Metrics('load-worker');
  context = {
    store: t.store,
    warehouses: new Warehouses(t.store, 1, createOutboundPolicy('127.0.0.0/8')),
    logger: createLogger('test', 'silent'),
    metrics: createLoadMetrics(metrics),
    shutdownSignal: new AbortController().signal,
    failures: new Map(),
  };
});
afterAll(async () => {
  await context.warehouses.close();
  await t[Symbol.asyncDispose]();
  await warehouse[Symbol.asyncDispose]();
});

/** Creates a pipeline with models. The port of its warehouse has no server. */
async function createPipeline(name: string) {
  const pipeline = await t.createPipeline(name);
  await t.store.destinations.update(pipeline.destination_id, { port: 1 }, null);
  await t.store.pipelines.update(pipeline.id, { analytics: true }, null);
  return pipeline;
}

/** Sets the address of the pipeline's warehouse to a real server. */
async function useWarehouse<P extends { readonly id: string; readonly destination_id: string }>(
  pipeline: P,
): Promise<P> {
  const { hostname, port, username, password } = new URL(warehouse.warehouseUrl);
  const name = `password of ${pipeline.id} ${secrets++}`;
  const secret = await t.store.credentials.create({ name, type: 'postgres_password', secret: password });
  const address = { host: hostname, port: Number(port), database: warehouse.name, username, credential_id: secret.id };
  await t.store.destinations.update(pipeline.destination_id, address, null);
  return pipeline;
}
let secrets = 0;

const getRefresh = async (pipelineId: string) => (await t.store.analytics.findRefreshes([pipelineId])).get(pipelineId);
const countWaitingJobs = async (pipelineId: string) =>
  (
    await t.database.sql`
      select from pgboss.job
      where name = 'refresh_analytics' and state = 'created' and singleton_key = ${pipelineId} and start_after > now()`
  ).length;

test('a refresh is postponed while the warehouse is away, and builds the models when the warehouse is back', async () => {
  const pipeline = await createPipeline('acme');
  await runAnalyticsRefresh(context, pipeline.id);
  expect(await getRefresh(pipeline.id)).toMatchObject({
    status: 'pending',
    failures: 0,
    error_code: 'warehouse_unavailable',
  });
  expect(await countWaitingJobs(pipeline.id)).toBe(1);
  await useWarehouse(pipeline);
  await runAnalyticsRefresh(context, pipeline.id);
  expect(await getRefresh(pipeline.id)).toMatchObject({ status: 'succeeded', kind: 'built', error_code: null });
  expect(await warehouse.sql`select from freshdesk_acme_analytics.daily_summary`).toEqual([]);
  expect(await metrics.text()).toMatch(/freshet_analytics_refresh_seconds_count{.*outcome="built"/);
  // The models stay when they are switched off.
  await t.store.pipelines.update(pipeline.id, { analytics: false }, null);
  await runAnalyticsRefresh(context, pipeline.id);
  expect(await getRefresh(pipeline.id)).toBeUndefined();
  expect(await warehouse.sql`select from freshdesk_acme_analytics.daily_summary`).toEqual([]);
});

test('after the last ping of the warehouse, the refresh counts a failed attempt, and the loads that wait for the warehouse fail', async () => {
  const pipeline = await createPipeline('other');
  const { id: runId } = await t.store.runs.start(pipeline.id, 'manual', [
    { name: 'roles', creditClass: 'incremental' },
  ]);
  await t.database.sql`
    insert into freshet.batches (id, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body)
    select gen_random_uuid(), pipeline_id, object, id, 1, 2, now(), '\\x00' from freshet.object_runs
    where run_id = ${runId}`;
  const error = new AppError('warehouse_unavailable', 'The warehouse cannot be reached.', {
    context: { attemptsExhausted: true },
  });
  const warehouses = { open: () => Promise.reject(error), markUnreachable: () => {} } as unknown as Warehouses;
  await runAnalyticsRefresh({ ...context, warehouses }, pipeline.id);
  expect((await t.store.runs.get(runId)).objects).toMatchObject([{ status: 'failed', error_code: error.code }]);
  // The failed run requests another refresh.
  expect(await getRefresh(pipeline.id)).toMatchObject({ status: 'pending', failures: 0 });
  await runAnalyticsRefresh({ ...context, warehouses }, pipeline.id);
  expect(await getRefresh(pipeline.id)).toMatchObject({ failures: 1, error_code: 'warehouse_unavailable' });
});

/** Takes the waiting job of a pipeline, and executes it like a worker. */
async function runJob(pipelineId: string): Promise<void> {
  const [job] = await t.database.sql<{ data: JobPayloads['refresh_analytics'] }[]>`
    delete from pgboss.job where name = 'refresh_analytics' and state = 'created' and singleton_key = ${pipelineId}
    returning data`;
  const { removal } = (job as NonNullable<typeof job>).data;
  if (removal === undefined) await runAnalyticsRefresh(context, pipelineId);
  else await removeDeletedTracking(context, pipelineId, removal);
}

test('the triggers of a deleted pipeline are removed when the warehouse is reachable, and the models stay', async () => {
  const input = await useWarehouse(await createPipeline('gone'));
  await warehouse.sql.unsafe(
    `create schema freshdesk_gone; create table freshdesk_gone.tickets (id bigint primary key)`,
  );
  await runJob(input.id);
  const listTriggers = () => warehouse.sql`
    select from pg_trigger where tgrelid = 'freshdesk_gone.tickets'::regclass and not tgisinternal`;
  expect(await listTriggers()).toHaveLength(4);
  await t.store.pipelines.delete(input.id);
  await t.store.destinations.update(input.destination_id, { port: 1 }, null);
  await runJob(input.id);
  expect(await countWaitingJobs(input.id)).toBe(1);
  expect(await listTriggers()).toHaveLength(4);
  await useWarehouse(input);
  await runJob(input.id);
  expect(await listTriggers()).toHaveLength(0);
  expect(await warehouse.sql`select from freshdesk_gone_analytics.daily_summary`).toEqual([]);
});

test('the triggers stay if a new pipeline maintains models of the tables, or if the destination was deleted', async () => {
  const deleted = await useWarehouse(await createPipeline('same'));
  await warehouse.sql.unsafe(
    `create schema freshdesk_same; create table freshdesk_same.tickets (id bigint primary key)`,
  );
  await runJob(deleted.id);
  await t.store.pipelines.delete(deleted.id);
  const removal = {
    destinationId: deleted.destination_id,
    schema: 'freshdesk_same',
    tablePrefix: '',
    requestedAt: new Date().toISOString(),
  };
  const listTriggers = () => warehouse.sql`
    select from pg_trigger where tgrelid = 'freshdesk_same.tickets'::regclass and not tgisinternal`;
  const { id: _, ...input } = deleted;
  const { id } = await t.store.pipelines.create({ ...input, analytics: true } as never);
  await removeDeletedTracking(context, deleted.id, removal);
  expect(await listTriggers()).toHaveLength(4);
  await t.store.pipelines.delete(id);
  await t.store.destinations.delete(deleted.destination_id);
  await removeDeletedTracking(context, deleted.id, removal);
  expect(await listTriggers()).toHaveLength(4);
});

test('a refresh of a deleted pipeline does nothing', async () => {
  const pipeline = await createPipeline('deleted');
  await t.store.pipelines.delete(pipeline.id);
  await runAnalyticsRefresh(context, pipeline.id);
  expect(await getRefresh(pipeline.id)).toBeUndefined();
});
