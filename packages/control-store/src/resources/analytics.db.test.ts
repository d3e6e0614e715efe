import { AppError, type JobPayloads } from '@freshet/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AnalyticsTask } from '../index.ts';
import { acquire, buildStep, startRun } from '../test-support/builders.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

const OUTCOME = {
  kind: 'built',
  tickets: 3,
  warnings: [{ kind: 'unknown_time_zone', message: 'Mars is unknown.' }],
} as const;
const UNREACHABLE = new AppError('warehouse_unavailable', 'The warehouse cannot be reached.');
const BLOCKED = new AppError('conflict', 'A view needs a removed column.');

async function createPipeline(settings: { readonly analytics?: boolean } = { analytics: true }): Promise<string> {
  const { id } = await t.createPipeline();
  // Without the job of the update, so that the test sees only later jobs.
  await t.store.pipelines.update(id, settings, null);
  await t.database.sql`delete from pgboss.job`;
  return id;
}

/** Lists the refresh jobs, with the seconds until they start. */
async function listJobs(): Promise<{ readonly pipelineId: string; readonly delay: number }[]> {
  return await t.database.sql<{ pipelineId: string; delay: number }[]>`
    select data ->> 'pipelineId' as "pipelineId", round(extract(epoch from start_after - created_on))::int as delay
    from pgboss.job where name = 'refresh_analytics' and state = 'created'`;
}

async function start(pipelineId: string): Promise<AnalyticsTask> {
  const task = await t.store.analytics.start(pipelineId);
  if (task === null) throw new Error(`Pipeline ${pipelineId} does not exist.`);
  return task;
}

const getRefresh = async (pipelineId: string) => (await t.store.analytics.findRefreshes([pipelineId])).get(pipelineId);

async function finishRun(pipelineId: string): Promise<string> {
  const run = await startRun(t, pipelineId);
  const coverage = { completeAsOf: new Date(), completeBackTo: new Date(0) };
  for (const name of ['lists', 'children'])
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId(name)),
      buildStep({ coverage, isLast: true }),
    );
  return (await t.store.runs.get(run.id)).status;
}

describe('the refresh of analytics models', () => {
  test('is requested when a run finishes, at most once per pipeline, and only if the models are on', async () => {
    const pipelineId = await createPipeline();
    expect(await finishRun(pipelineId)).toBe('succeeded');
    expect(await finishRun(pipelineId)).toBe('succeeded');
    expect(await listJobs()).toEqual([{ pipelineId, delay: 0 }]);
    expect(await getRefresh(pipelineId)).toMatchObject({ status: 'pending', refreshed_at: null, error_code: null });
    await t.store.pipelines.update(pipelineId, { analytics: false }, null);
    await t.database.sql`delete from pgboss.job`;
    await finishRun(pipelineId);
    expect(await listJobs()).toEqual([]);
  });

  test('is requested in the transaction that finishes the run', async () => {
    const pipelineId = await createPipeline();
    const rollback = new Error('rollback');
    await expect(
      t.store.transaction(async () => {
        await finishRun(pipelineId);
        throw rollback;
      }),
    ).rejects.toBe(rollback);
    expect(await listJobs()).toEqual([]);
  });

  test('is requested when the models are switched on, when the time zone changes, and when an erasure completes', async () => {
    const { id } = await t.createPipeline();
    const expectJob = async () => {
      expect(await listJobs()).toEqual([{ pipelineId: id, delay: 0 }]);
      await t.database.sql`delete from pgboss.job`;
    };
    await t.store.pipelines.update(id, { analytics: true }, null);
    await expectJob();
    await t.store.pipelines.update(id, { analytics_time_zone: 'Europe/Berlin' }, null);
    await expectJob();
    await t.store.pipelines.update(id, { name: 'renamed' }, null);
    expect(await listJobs()).toEqual([]);
    const erasure = await t.store.erasures.create(id, 'contacts', '7');
    const task = await t.store.erasures.start(erasure.id);
    const proof = {
      verified_at: new Date().toISOString(),
      rows: 0,
      versions: 0,
      staged_records: 0,
      rejected_records: 0,
      model_rows: 0,
    };
    await t.store.erasures.complete(task as NonNullable<typeof task>, { removed: [], unsearchable: [], proof });
    await expectJob();
  });

  test('stores the result, and stays pending if a run finished in the meantime', async () => {
    const pipelineId = await createPipeline();
    const task = await start(pipelineId);
    expect(task).toMatchObject({ isOn: true, schema: 'freshdesk_acme', tablePrefix: '', timeZone: null });
    await t.store.analytics.complete(task, OUTCOME);
    expect(await getRefresh(pipelineId)).toMatchObject({
      ...OUTCOME,
      status: 'succeeded',
      refreshed_at: task.startedAt,
      error_code: null,
    });
    const second = await start(pipelineId);
    await finishRun(pipelineId);
    await t.store.analytics.complete(second, OUTCOME);
    expect(await getRefresh(pipelineId)).toMatchObject({ status: 'pending', refreshed_at: second.startedAt });
    expect(await listJobs()).toHaveLength(1);
  });

  test('is retried with exponential backoff, and fails after the last attempt', async () => {
    await t.store.webhooks.create({
      name: 'hook',
      url: 'https://hooks.example.com/',
      events: ['analytics.failed'],
      enabled: true,
    });
    const pipelineId = await createPipeline();
    const countEvents = async () => (await t.database.sql`select from freshet.events`).length;
    const delays: number[] = [];
    for (let attempt = 1; ; attempt++) {
      const hasFailed = await t.store.analytics.recordFailure(await start(pipelineId), UNREACHABLE);
      if (hasFailed) break;
      expect(await countEvents()).toBe(0);
      expect(await getRefresh(pipelineId)).toMatchObject({
        status: 'pending',
        error_code: 'warehouse_unavailable',
        failures: attempt,
      });
      const [job] = await listJobs();
      delays.push(job?.delay as number);
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
    expect(await countEvents()).toBe(1);
    expect(await getRefresh(pipelineId)).toMatchObject({ status: 'failed', error_message: UNREACHABLE.message });
    expect((await t.store.getBacklog()).failedRefreshes).toBe(1);
    // The next run requests the refresh again.
    await finishRun(pipelineId);
    expect(await getRefresh(pipelineId)).toMatchObject({ status: 'pending', failures: 0 });
    await t.store.analytics.complete(await start(pipelineId), OUTCOME);
    expect(await getRefresh(pipelineId)).toMatchObject({ status: 'succeeded', error_code: null, error_message: null });
    expect((await t.store.getBacklog()).failedRefreshes).toBe(0);
  });

  test('fails at once after an error that a retry cannot fix', async () => {
    const pipelineId = await createPipeline();
    expect(await t.store.analytics.recordFailure(await start(pipelineId), BLOCKED)).toBe(true);
    expect(await listJobs()).toEqual([]);
    expect(await getRefresh(pipelineId)).toMatchObject({ status: 'failed', error_code: 'conflict' });
  });

  test('that is postponed counts no failed attempt, and reports the error', async () => {
    const pipelineId = await createPipeline();
    await t.store.analytics.postpone(await start(pipelineId), 30_000, UNREACHABLE);
    expect(await listJobs()).toEqual([{ pipelineId, delay: 30 }]);
    expect(await getRefresh(pipelineId)).toMatchObject({
      status: 'pending',
      failures: 0,
      error_code: 'warehouse_unavailable',
    });
  });

  test('does not delay a refresh that was requested during the failed attempt', async () => {
    const pipelineId = await createPipeline();
    const task = await start(pipelineId);
    await finishRun(pipelineId);
    expect(await t.store.analytics.recordFailure(task, BLOCKED)).toBe(false);
    await t.store.analytics.postpone(task, 30_000, UNREACHABLE);
    expect(await listJobs()).toEqual([{ pipelineId, delay: 0 }]);
    expect(await getRefresh(pipelineId)).toMatchObject({ status: 'pending', error_code: null });
  });

  test('is replaced by the removal of the change tracking when the models are switched off', async () => {
    const pipelineId = await createPipeline();
    await t.store.pipelines.update(pipelineId, { analytics: false }, null);
    expect(await listJobs()).toEqual([{ pipelineId, delay: 0 }]);
    const removal = await start(pipelineId);
    expect(removal.isOn).toBe(false);
    await t.store.analytics.completeRemoval(removal);
    expect(await getRefresh(pipelineId)).toBeUndefined();
    // A pipeline without models needs no removal.
    await t.database.sql`delete from pgboss.job`;
    await t.store.pipelines.update(pipelineId, { analytics: false }, null);
    expect(await listJobs()).toEqual([]);
  });

  test('of a deleted pipeline ends at once', async () => {
    const pipelineId = await createPipeline();
    const task = await start(pipelineId);
    await t.store.pipelines.delete(pipelineId);
    expect(await t.store.analytics.start(pipelineId)).toBeNull();
    await t.store.analytics.complete(task, OUTCOME);
    expect(await t.store.analytics.recordFailure(task, UNREACHABLE)).toBe(false);
    expect(await getRefresh(pipelineId)).toBeUndefined();
  });

  test('of a deleted pipeline is replaced by the removal of the change tracking, which a dead job can repeat', async () => {
    const pipelineId = await createPipeline();
    const { destination_id: destinationId } = await t.store.pipelines.get(pipelineId);
    const listRemovals = () => t.database.sql`
      select data -> 'removal' ->> 'destinationId' as "destinationId", data -> 'removal' ->> 'schema' as schema
      from pgboss.job where name = 'refresh_analytics' and state = 'created' and singleton_key = ${pipelineId}`;
    await t.store.pipelines.update(pipelineId, { analytics_time_zone: 'Europe/Berlin' }, null);
    await t.store.pipelines.delete(pipelineId);
    const removals = [{ destinationId, schema: 'freshdesk_acme' }];
    expect(await listRemovals()).toEqual(removals);
    const [job] = await t.database.sql<{ data: JobPayloads['refresh_analytics'] }[]>`
      delete from pgboss.job where name = 'refresh_analytics' returning data`;
    const { data } = job as NonNullable<typeof job>;
    await t.store.deadJobs.record({ queue: 'refresh_analytics', data, attempts: 11, reason: 'No privilege.' });
    const dead = await t.store.deadJobs.list({ limit: 10, cursor: null }, { pipeline_id: pipelineId });
    await t.store.deadJobs.retry(dead.data[0]?.id as string);
    expect(await listRemovals()).toEqual(removals);
  });

  test('is not requested when a pipeline without models is deleted', async () => {
    const pipelineId = await createPipeline({ analytics: false });
    await t.store.pipelines.delete(pipelineId);
    expect(await listJobs()).toEqual([]);
  });

  test('whose job died fails, and is requested again when the dead job is retried', async () => {
    const pipelineId = await createPipeline();
    await t.store.deadJobs.record({
      queue: 'refresh_analytics',
      data: { pipelineId },
      attempts: 11,
      reason: 'The worker was killed.',
    });
    expect(await getRefresh(pipelineId)).toMatchObject({ status: 'failed', error_code: 'bug' });
    const { data } = await t.store.deadJobs.list({ limit: 10, cursor: null }, { pipeline_id: pipelineId });
    await t.store.deadJobs.retry(data[0]?.id as string);
    expect(await getRefresh(pipelineId)).toMatchObject({ status: 'pending', failures: 0 });
    expect(await listJobs()).toEqual([{ pipelineId, delay: 0 }]);
  });
});
