import type { EventType } from '@freshet/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquire, buildStep } from '../test-support/builders.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;
let pipelineId: string;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(async () => {
  await resetStore(t);
  pipelineId = (await t.createPipeline()).id;
  const events: EventType[] = ['records.spiked', 'quota.reached', 'records.digest'];
  await t.store.webhooks.create({ name: 'hook', url: 'http://127.0.0.1:1/', events, enabled: true });
});

/** Runs a sync that extracts `records` records. @returns the id of the run. */
async function run(records: number, mode: 'incremental' | 'full' = 'incremental'): Promise<string> {
  const { id } = await t.store.runs.start(pipelineId, 'manual', [{ name: 'lists', creditClass: 'incremental' }]);
  const [objectRun] = (await t.store.runs.get(id)).objects;
  await t.database.sql`update freshet.object_runs set mode = ${mode} where run_id = ${id}`;
  const lease = await acquire(t, (objectRun as { id: string }).id);
  // Set the counts as if all records had been loaded.
  await t.database.sql`
    update freshet.object_runs set records_extracted = ${records}, records_unchanged = ${records} where run_id = ${id}`;
  await t.store.extraction.commitStep(lease, buildStep({ credits: {}, isLast: true }));
  expect((await t.store.runs.get(id)).status).toBe('succeeded');
  return id;
}

const listEvents = async (): Promise<{ type: string; data: Record<string, unknown> }[]> =>
  await t.database.sql<
    { type: string; data: Record<string, unknown> }[]
  >`select type, data from freshet.events order by id`;

describe('checkRecordSpike', () => {
  const setSpike = (pause: boolean) =>
    t.store.pipelines.update(pipelineId, { record_spike: { percent: 300, pause } }, null);

  test('emits an event for a run with many more records than the average, and pauses the pipeline if `pause` is set', async () => {
    await setSpike(true);
    await run(50_000, 'full');
    for (const records of [200, 220, 180]) await run(records);
    expect(await listEvents()).toEqual([]);
    const id = await run(601);
    expect(await listEvents()).toMatchObject([
      {
        type: 'records.spiked',
        data: { pipeline_id: pipelineId, run_id: id, records_extracted: 601, usual: 200, percent: 300, paused: true },
      },
    ]);
    expect(await t.store.pipelines.get(pipelineId)).toMatchObject({ status: 'paused', paused_by: 'record_spike' });
    expect(await t.store.pipelines.setStatus(pipelineId, 'active')).toMatchObject({ paused_by: null });
  });

  test.each([
    ['a run at the threshold emits no event', [200, 200, 200, 600]],
    ['a run emits no event while too few earlier runs exist', [200, 200, 5000]],
    ['a run with few records emits no event, regardless of the average', [1, 1, 1, 99]],
  ])('%s', async (_name, counts) => {
    await setSpike(false);
    for (const records of counts) await run(records);
    expect(await listEvents()).toEqual([]);
  });

  test('emits no event for the records of an object run in the mode `full`, or if `record_spike` is not set', async () => {
    for (const records of [200, 200, 200, 5000]) await run(records);
    await setSpike(false);
    await run(90_000, 'full');
    expect(await listEvents()).toEqual([]);
  });
});

describe('Alerts.checkQuotas', () => {
  test('emits at most one event for each quota level, and pauses the pipeline until its usage is below the quota', async () => {
    await t.store.pipelines.update(pipelineId, { monthly_quota: { records: 1000, when_reached: 'pause' } }, null);
    const checkQuotas = async () => {
      // Two schedulers check at the same time.
      await Promise.all([t.store.alerts.checkQuotas(), t.store.alerts.checkQuotas()]);
      return (await listEvents()).map(({ data }) => [data['percent'], data['records'], data['paused']]);
    };
    await run(699);
    expect(await checkQuotas()).toEqual([]);
    await run(1);
    expect(await checkQuotas()).toEqual([[70, 700, false]]);
    await run(10);
    expect(await checkQuotas()).toHaveLength(1);
    await run(290);
    expect(await checkQuotas()).toEqual([
      [70, 700, false],
      [100, 1000, true],
    ]);
    expect(await t.store.pipelines.get(pipelineId)).toMatchObject({ status: 'paused', paused_by: 'monthly_quota' });
    // A higher quota resumes the pipeline, and no event is repeated.
    await t.store.pipelines.update(pipelineId, { monthly_quota: { records: 2000, when_reached: 'pause' } }, null);
    expect(await checkQuotas()).toHaveLength(2);
    expect(await t.store.pipelines.get(pipelineId)).toMatchObject({ status: 'active', paused_by: null });
  });

  test('counts only records of the current month, so the pipeline resumes in the next month', async () => {
    await t.store.pipelines.update(pipelineId, { monthly_quota: { records: 100, when_reached: 'pause' } }, null);
    await run(100);
    await t.store.alerts.checkQuotas();
    expect((await t.store.pipelines.get(pipelineId)).paused_by).toBe('monthly_quota');
    await t.database.sql`update freshet.runs set created_at = created_at - interval '32 days'`;
    await t.store.alerts.checkQuotas();
    expect((await t.store.pipelines.get(pipelineId)).status).toBe('active');
  });

  test('does not resume a pipeline that a user paused', async () => {
    await t.store.pipelines.update(pipelineId, { monthly_quota: { records: 100, when_reached: 'continue' } }, null);
    await run(100);
    await t.store.pipelines.setStatus(pipelineId, 'paused');
    await t.store.alerts.checkQuotas();
    expect(await t.store.pipelines.get(pipelineId)).toMatchObject({ status: 'paused', paused_by: 'user' });
    expect(await listEvents()).toMatchObject([{ data: { percent: 100, paused: false } }]);
  });
});

test('sendDigests emits one event per day, with the number of rejected records for each object and reason', async () => {
  await t.database.sql`
    insert into freshet.rejected_records (id, pipeline_id, object, batch_id, line, reason, raw, created_at)
    select gen_random_uuid(), ${pipelineId}, 'lists', gen_random_uuid(), 0, case when n < 3 then 'a' else 'b' end,
      'sealed', now() - make_interval(days => n)
    from generate_series(0, 3) n`;
  expect(await t.store.alerts.sendDigests()).toBe(0);
  await t.database.sql`update freshet.pipelines set next_digest_at = now()`;
  await Promise.all([t.store.alerts.sendDigests(), t.store.alerts.sendDigests()]);
  expect(await listEvents()).toEqual([
    {
      type: 'records.digest',
      data: {
        pipeline_id: pipelineId,
        records: 4,
        rejected: [
          { object: 'lists', reason: 'a', records: 3, new_records: 1 },
          { object: 'lists', reason: 'b', records: 1, new_records: 0 },
        ],
      },
    },
  ]);
});
