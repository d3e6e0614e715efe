import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  acquire,
  acquireBatch,
  buildBatch,
  buildCounts,
  buildOutcome,
  buildStep,
  OBJECTS,
  startRun,
} from '../test-support/builders.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

describe('finishObjectRunIfComplete', () => {
  test('finishes a run when its last batch is loaded, and counts the records of each batch once even if the load is reported twice (T14)', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    const done = { completeAsOf: new Date('2026-01-01T00:00:00Z'), completeBackTo: new Date(0) };
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('children')),
      buildStep({ coverage: done, isLast: true }),
    );
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('lists')),
      buildStep({ batch: buildBatch(3), coverage: done, isLast: true }),
    );
    expect((await t.store.runs.get(run.id)).status).toBe('running');
    const { lease: tableLease, batch } = await acquireBatch(t, pipeline.id, 'lists');
    const counts = buildCounts({ records: 3, inserted: 1, updated: 1, unchanged: 1 });
    await t.store.loading.markLoaded(
      tableLease,
      buildOutcome({ batches: [{ batchId: batch.id, counts }], coverage: done }),
    );
    // A repeated report is not counted.
    await t.store.loading.markLoaded(tableLease, buildOutcome({ batches: [{ batchId: batch.id, counts }] }));
    expect(await t.store.runs.get(run.id)).toMatchObject({
      status: 'succeeded',
      objects: [{}, { records_inserted: 1, records_updated: 1, records_unchanged: 1 }],
    });
    expect(await t.store.pipelines.listObjects(pipeline.id)).toContainEqual(
      expect.objectContaining({ object: 'lists', complete_as_of: done.completeAsOf }),
    );
  });

  test('fails an object run whose record counts disagree (T14)', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    const done = { completeAsOf: new Date(), completeBackTo: new Date(0) };
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('children')),
      buildStep({ coverage: done, isLast: true }),
    );
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('lists')),
      buildStep({ batch: buildBatch(3), coverage: done, isLast: true }),
    );
    const { lease: tableLease, batch } = await acquireBatch(t, pipeline.id, 'lists');
    await t.store.loading.markLoaded(
      tableLease,
      buildOutcome({
        batches: [
          {
            batchId: batch.id,
            counts: buildCounts({ records: 3, inserted: 2 }),
          },
        ],
      }),
    );
    const finished = await t.store.runs.get(run.id);
    expect(finished.status).toBe('partial');
    expect(finished.objects[1]).toMatchObject({
      status: 'failed',
      error_message: 'Record counts disagree: 3 extracted, 2 accounted for.',
    });
  });

  test('an invalid API key stops all object runs of the run that are still extracting', async () => {
    const run = await startRun(t, (await t.createPipeline()).id);
    const { objects } = await t.store.runs.get(run.id);
    const leases = await Promise.all(objects.slice(0, 2).map(({ id }) => acquire(t, id)));
    const stopped = await Promise.allSettled(
      leases.map((lease) =>
        t.store.extraction.stop(
          lease,
          'failed',
          { code: 'source_auth', message: 'The key is invalid.' },
          { incremental: 1 },
        ),
      ),
    );
    // One of the two calls stops both object runs, so the other call is rejected.
    expect(stopped.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const finished = await t.store.runs.get(run.id);
    expect(finished.status).toBe('failed');
    expect(finished.objects.map((o) => [o.object, o.status, o.error_code])).toEqual(
      objects.map(({ object }) => [object, 'failed', 'source_auth']),
    );
  });
});

describe('finishRunIfComplete with an object that the API key cannot read', () => {
  const refusal = { code: 'source_forbidden', message: 'You are not authorized.' } as const;
  const done = { completeAsOf: new Date(), completeBackTo: new Date(0) };
  const forbid = async (objectRunId: string) =>
    t.store.extraction.stop(await acquire(t, objectRunId), 'forbidden', refusal, { incremental: 1 });
  const finish = async (objectRunId: string) =>
    t.store.extraction.commitStep(await acquire(t, objectRunId), buildStep({ coverage: done, isLast: true }));
  const getLists = async (pipelineId: string) =>
    (await t.store.pipelines.listObjects(pipelineId)).find(({ object }) => object === 'lists');

  test('the other objects continue, and the run succeeds with a warning if no API key has ever read the object (I7)', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    await forbid(run.getObjectRunId('lists'));
    await finish(run.getObjectRunId('children'));
    const { status, objects } = await t.store.runs.get(run.id);
    expect(status).toBe('succeeded');
    expect(objects).toMatchObject([
      { object: 'children', status: 'succeeded', warnings: [] },
      {
        object: 'lists',
        status: 'forbidden',
        warnings: [{ code: 'object_unavailable', message: expect.stringContaining(refusal.message) }],
      },
    ]);
    expect(await getLists(pipeline.id)).toMatchObject({
      availability: 'forbidden',
      availability_message: refusal.message,
      first_read_at: null,
    });
    expect((await t.store.getBacklog()).freshness.map(({ object }) => object)).not.toContain('lists');
  });

  test('the run is partial if the object was readable before, even if the object was restarted in the meantime', async () => {
    const pipeline = await t.createPipeline();
    const first = await startRun(t, pipeline.id);
    await finish(first.getObjectRunId('lists'));
    await finish(first.getObjectRunId('children'));
    expect(await getLists(pipeline.id)).toMatchObject({
      availability: 'available',
      availability_message: null,
      first_read_at: expect.any(Date),
    });
    await t.store.runs.restartObject(pipeline.id, 'lists');
    const second = await startRun(t, pipeline.id);
    await forbid(second.getObjectRunId('lists'));
    await finish(second.getObjectRunId('children'));
    const { status, objects } = await t.store.runs.get(second.id);
    expect(status).toBe('partial');
    expect(objects[1]).toMatchObject({ status: 'forbidden', error_code: 'source_forbidden', warnings: [] });
  });

  test('the run is partial if a user included the object by name', async () => {
    const pipeline = await t.createPipeline();
    await t.store.pipelines.update(pipeline.id, { objects: { lists: { included: true } } }, null);
    const run = await startRun(t, pipeline.id);
    await forbid(run.getObjectRunId('lists'));
    await finish(run.getObjectRunId('children'));
    expect(await t.store.runs.get(run.id)).toMatchObject({
      status: 'partial',
      objects: [{ status: 'succeeded' }, { status: 'forbidden', warnings: [] }],
    });
  });

  test('the run fails if the API key cannot read any object of the run', async () => {
    const run = await startRun(t, (await t.createPipeline()).id);
    await forbid(run.getObjectRunId('lists'));
    await forbid(run.getObjectRunId('children'));
    expect((await t.store.runs.get(run.id)).status).toBe('failed');
  });

  test('the run is partial if another object failed', async () => {
    const pipeline = await t.createPipeline();
    const { id } = await t.store.runs.start(pipeline.id, 'manual', [
      ...OBJECTS,
      { name: 'more', creditClass: 'incremental' },
    ]);
    const getId = async (name: string) =>
      (await t.store.runs.get(id)).objects.find(({ object }) => object === name)?.id as string;
    await forbid(await getId('lists'));
    await finish(await getId('children'));
    await t.store.extraction.stop(
      await acquire(t, await getId('more')),
      'failed',
      { code: 'source_contract', message: 'no' },
      {},
    );
    expect((await t.store.runs.get(id)).status).toBe('partial');
  });

  test('an empty step of a child object does not prove access while the parent object is still being extracted', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    const child = await acquire(t, run.getObjectRunId('children'));
    await t.store.extraction.commitStep(child, buildStep({}));
    await forbid(run.getObjectRunId('lists'));
    await forbid(run.getObjectRunId('children'));
    const { status, objects } = await t.store.runs.get(run.id);
    expect(status).toBe('failed');
    expect(objects.every(({ warnings }) => warnings[0]?.code === 'object_unavailable')).toBe(true);
  });
});
