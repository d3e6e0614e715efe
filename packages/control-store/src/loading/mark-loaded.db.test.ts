import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  acquire,
  acquireBatch,
  buildBatch,
  buildCounts,
  buildOutcome,
  buildParent,
  buildStep,
  startRun,
} from '../test-support/builders.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

describe('LoadStore.markLoaded', () => {
  test('makes a parent pending again if its child list was empty although the table contains children of the parent, and accepts a second empty list (I7)', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('lists')),
      buildStep({ childWork: [buildParent('1', 'v')] }),
    );
    const lease = await acquire(t, run.getObjectRunId('children'));
    const fetchParents = async () => t.store.extraction.createWorkFetcher(lease)(10);
    expect(await fetchParents()).toEqual([
      { object: 'children', parentId: '1', version: 'v', needsConfirmation: false },
    ]);
    await t.store.extraction.commitStep(
      lease,
      buildStep({ batch: buildBatch(0), completedUnits: [buildParent('1', 'v')] }),
    );
    expect(await fetchParents()).toEqual([]);
    const { lease: tableLease, batch } = await acquireBatch(t, pipeline.id, 'children');
    const counts = buildCounts();
    await t.store.loading.markLoaded(
      tableLease,
      buildOutcome({ batches: [{ batchId: batch.id, counts }], unconfirmedDeletions: ['1'] }),
    );
    expect(await fetchParents()).toEqual([
      { object: 'children', parentId: '1', version: 'v', needsConfirmation: true },
    ]);
    await t.store.extraction.commitStep(lease, buildStep({ completedUnits: [buildParent('1', 'v')] }));
    expect(await fetchParents()).toEqual([]);
  });

  test('adds one warning per column for values that do not fit the column, across all batches, and counts a repeated report once', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    const lists = await acquire(t, run.getObjectRunId('lists'));
    await t.store.extraction.commitStep(lists, buildStep({ batch: buildBatch(3) }));
    await t.store.extraction.commitStep(lists, buildStep({ batch: buildBatch(3) }));
    const lease = await t.store.loading.acquire(pipeline.id, 'lists');
    if (!lease) throw new Error('The table has no lease.');
    const counts = buildCounts({ records: 3, inserted: 3 });
    for (const { id } of await t.store.loading.listPendingBatches(lease, 1000)) {
      const loaded = buildOutcome({
        batches: [{ batchId: id, counts }],
        misfits: [{ batchId: id, column: 'due_by', type: 'timestamptz', note: 'kept_in_extra', count: 1 }],
      });
      await t.store.loading.markLoaded(lease, loaded);
      await t.store.loading.markLoaded(lease, loaded);
    }
    const warnings = (await t.store.runs.get(run.id)).objects.find((o) => o.object === 'lists')?.warnings;
    expect(warnings).toEqual([
      {
        code: 'values_misfit',
        subject: 'due_by',
        count: 2,
        message: '2 values of lists.due_by are not valid timestamps. They were kept in _freshet_extra.',
      },
    ]);
  });

  test('marks no batch as loaded if the work for missing values cannot be started, so that the load is repeated (I8)', async () => {
    const { sql } = t.database;
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    const lists = await acquire(t, run.getObjectRunId('lists'));
    await t.store.extraction.commitStep(lists, buildStep({ batch: buildBatch(3) }));
    const { lease, batch } = await acquireBatch(t, pipeline.id, 'lists');
    const outcome = buildOutcome({
      batches: [{ batchId: batch.id, counts: buildCounts({ records: 3, inserted: 3 }) }],
      completion: { since: new Date(), isRereadNeeded: false },
    });
    const markLoaded = () => t.store.loading.markLoaded(lease, outcome, (position) => position);
    await sql`alter table freshet.pipeline_objects add constraint no_start check (completion_started_for is null)`;
    try {
      await expect(markLoaded()).rejects.toThrow('no_start');
    } finally {
      await sql`alter table freshet.pipeline_objects drop constraint no_start`;
    }
    expect((await t.store.loading.listPendingBatches(lease, 1000)).map(({ id }) => id)).toEqual([batch.id]);
    expect(await markLoaded()).toBe('reading');
    expect(await markLoaded()).toBeNull();
    expect(await t.store.loading.listPendingBatches(lease, 1000)).toEqual([]);
  });

  test('stores the longest lag of each day until pruneLags deletes it', async () => {
    const { sql } = t.database;
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    const lease = await acquire(t, run.getObjectRunId('lists'));
    const load = async (completeAsOf: Date) => {
      await t.store.extraction.commitStep(lease, buildStep({ batch: buildBatch() }));
      const { lease: tableLease, batch } = await acquireBatch(t, pipeline.id, 'lists');
      const counts = buildCounts({ records: 3, inserted: 3 });
      await t.store.loading.markLoaded(
        tableLease,
        buildOutcome({
          batches: [{ batchId: batch.id, counts }],
          coverage: { completeAsOf, completeBackTo: new Date(0) },
        }),
      );
    };
    const listHours = async () =>
      (await sql`select extract(epoch from until - since)::float8 / 3600 as h from freshet.lags`).map(
        ({ h }) => Math.round(h * 10) / 10,
      );
    const hoursAgo = (h: number) => new Date(Date.now() - h * 3_600_000);
    await load(hoursAgo(5));
    expect(await listHours()).toEqual([]);
    await load(hoursAgo(1));
    expect(await listHours()).toEqual([5]);
    // Neither a shorter lag on the same day nor unchanged coverage replaces the stored lag.
    await load(hoursAgo(0.5));
    await load(hoursAgo(0.5));
    expect(await listHours()).toEqual([5]);
    expect(await t.store.schedule.pruneLags(1)).toBe(0);
    await sql`update freshet.lags set until = now() - interval '2 days'`;
    expect(await t.store.schedule.pruneLags(1)).toBe(1);
  });
});
