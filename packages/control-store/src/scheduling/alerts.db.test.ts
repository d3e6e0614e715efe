import type { EventType } from '@freshet/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;
let pipelineId: string;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(async () => {
  await t.database
    .sql`truncate freshet.pipelines, freshet.credentials, freshet.destinations, freshet.webhooks, freshet.events cascade`;
  await t.database.sql`delete from pgboss.job`;
  pipelineId = (await t.createPipeline()).id;
  const events: EventType[] = ['records.spiked', 'quota.reached', 'records.digest'];
  await t.store.webhooks.create({ name: 'hook', url: 'http://127.0.0.1:1/', events, enabled: true });
});

/** A run that has read so many records and is over. */
async function run(records: number, mode: 'incremental' | 'full' = 'incremental'): Promise<string> {
  const { id } = await t.store.runs.start(pipelineId, 'manual', [{ name: 'lists', creditClass: 'incremental' }]);
  const [objectRun] = (await t.store.runs.get(id)).objects;
  await t.database.sql`update freshet.object_runs set mode = ${mode} where run_id = ${id}`;
  const claim = await t.store.extraction.acquire((objectRun as { id: string }).id);
  // What was read is loaded, so that its counts agree.
  await t.database
    .sql`update freshet.object_runs set records_extracted = ${records}, records_unchanged = ${records} where run_id = ${id}`;
  const nothing = {
    customColumns: null,
    batch: null,
    erasedKeys: [],
    childWork: [],
    completedUnits: [],
    failedUnits: [],
    progress: null,
    credits: {},
    coverage: null,
  };
  await t.store.extraction.commitStep(claim as NonNullable<typeof claim>, {
    ...nothing,
    position: { n: 1 },
    isLast: true,
  });
  expect((await t.store.runs.get(id)).status).toBe('succeeded');
  return id;
}

const told = async (): Promise<{ type: string; data: Record<string, unknown> }[]> =>
  await t.database.sql<
    { type: string; data: Record<string, unknown> }[]
  >`select type, data from freshet.events order by id`;

describe('record spikes', () => {
  const spike = (pause: boolean) =>
    t.store.pipelines.update(pipelineId, { record_spike: { percent: 300, pause } }, null);

  test('a run that reads far more than the runs before it is told of, and pauses the pipeline if it is to', async () => {
    await spike(true);
    await run(50_000, 'full');
    for (const records of [200, 220, 180]) await run(records);
    expect(await told()).toEqual([]);
    const id = await run(601);
    expect(await told()).toMatchObject([
      {
        type: 'records.spiked',
        data: { pipeline_id: pipelineId, run_id: id, records_extracted: 601, usual: 200, percent: 300, paused: true },
      },
    ]);
    expect(await t.store.pipelines.get(pipelineId)).toMatchObject({ status: 'paused', paused_by: 'record_spike' });
    expect(await t.store.pipelines.setStatus(pipelineId, 'active')).toMatchObject({ paused_by: null });
  });

  test.each([
    ['as many as that is not too many', [200, 200, 200, 600]],
    ['too few runs tell nothing', [200, 200, 5000]],
    ['a few records are no spike, whatever is usual', [1, 1, 1, 99]],
  ])('%s', async (_name, counts) => {
    await spike(false);
    for (const records of counts) await run(records);
    expect(await told()).toEqual([]);
  });

  test('a complete reading is no spike, and nobody is told who did not ask', async () => {
    for (const records of [200, 200, 200, 5000]) await run(records);
    await spike(false);
    await run(90_000, 'full');
    expect(await told()).toEqual([]);
  });
});

describe('monthly quotas', () => {
  test('70, 90 and 100 % are told of once each, and the pipeline is paused until it has room again', async () => {
    await t.store.pipelines.update(pipelineId, { monthly_quota: { records: 1000, when_reached: 'pause' } }, null);
    const look = async () => {
      // Two schedulers at once.
      await Promise.all([t.store.alerts.checkQuotas(), t.store.alerts.checkQuotas()]);
      return (await told()).map(({ data }) => [data['percent'], data['records'], data['paused']]);
    };
    await run(699);
    expect(await look()).toEqual([]);
    await run(1);
    expect(await look()).toEqual([[70, 700, false]]);
    await run(10);
    expect(await look()).toHaveLength(1);
    await run(290);
    expect(await look()).toEqual([
      [70, 700, false],
      [100, 1000, true],
    ]);
    expect(await t.store.pipelines.get(pipelineId)).toMatchObject({ status: 'paused', paused_by: 'monthly_quota' });
    // A higher quota gives it room, and what was told is not told again.
    await t.store.pipelines.update(pipelineId, { monthly_quota: { records: 2000, when_reached: 'pause' } }, null);
    expect(await look()).toHaveLength(2);
    expect(await t.store.pipelines.get(pipelineId)).toMatchObject({ status: 'active', paused_by: null });
  });

  test('what an earlier month has read does not count, and a pause ends with its month', async () => {
    await t.store.pipelines.update(pipelineId, { monthly_quota: { records: 100, when_reached: 'pause' } }, null);
    await run(100);
    await t.store.alerts.checkQuotas();
    expect((await t.store.pipelines.get(pipelineId)).paused_by).toBe('monthly_quota');
    await t.database.sql`update freshet.runs set created_at = created_at - interval '32 days'`;
    await t.store.alerts.checkQuotas();
    expect((await t.store.pipelines.get(pipelineId)).status).toBe('active');
  });

  test('somebody who pauses it themselves is not overruled', async () => {
    await t.store.pipelines.update(pipelineId, { monthly_quota: { records: 100, when_reached: 'continue' } }, null);
    await run(100);
    await t.store.pipelines.setStatus(pipelineId, 'paused');
    await t.store.alerts.checkQuotas();
    expect(await t.store.pipelines.get(pipelineId)).toMatchObject({ status: 'paused', paused_by: 'user' });
    expect(await told()).toMatchObject([{ data: { percent: 100, paused: false } }]);
  });
});

test('rejected records that wait are told of together, once a day, by object and reason', async () => {
  await t.database.sql`
    insert into freshet.rejected_records (id, pipeline_id, object, batch_id, line, reason, raw, created_at)
    select gen_random_uuid(), ${pipelineId}, 'lists', gen_random_uuid(), 0, case when n < 3 then 'a' else 'b' end, 'sealed', now() - make_interval(days => n)
    from generate_series(0, 3) n`;
  expect(await t.store.alerts.sendDigests()).toBe(0);
  await t.database.sql`update freshet.pipelines set next_digest_at = now()`;
  await Promise.all([t.store.alerts.sendDigests(), t.store.alerts.sendDigests()]);
  expect(await told()).toEqual([
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
