import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ObjectRunLease } from '../index.ts';
import {
  acquire,
  acquireBatch,
  buildBatch,
  buildCounts,
  buildOutcome,
  buildParent,
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

describe('audits', () => {
  const AUDITED = OBJECTS.map(({ name }) => ({ name, creditClass: 'audit' as const }));

  /**
   * Creates a pipeline with two extracted parents, 7 and 8, and an open audit. Only the children of
   * parent 7 were extracted.
   */
  async function createAuditedPipeline() {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    const parents = [buildParent('7', 'v1'), buildParent('8', 'v1')];
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('lists')),
      buildStep({ position: { synced: 1 }, childWork: parents, isLast: true }),
    );
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('children')),
      buildStep({ completedUnits: [buildParent('7', 'v1')], isLast: true }),
    );
    const auditId = (await t.store.runs.start(pipeline.id, 'manual', AUDITED, 'audit')).id;
    const audit = await t.store.runs.get(auditId);
    return {
      pipeline,
      audit,
      getObjectRunId: (name: string) => audit.objects.find((o) => o.object === name)?.id as string,
    };
  }

  test('an audit runs alongside a sync, in the lowest credit class, and does not change the position of the sync', async () => {
    const { pipeline, audit, getObjectRunId } = await createAuditedPipeline();
    expect(audit).toMatchObject({ kind: 'audit', status: 'queued' });
    expect(audit.objects).toMatchObject([
      { mode: 'audit', credit_class: 'audit' },
      { mode: 'audit', credit_class: 'audit' },
    ]);
    expect(await t.store.runs.start(pipeline.id, 'manual', AUDITED, 'audit')).toMatchObject({
      id: audit.id,
      isNew: false,
    });
    const sync = await startRun(t, pipeline.id);
    expect(sync.id).not.toBe(audit.id);
    const inAudit = await acquire(t, getObjectRunId('lists'));
    const inSync = await acquire(t, sync.getObjectRunId('lists'));
    expect(inAudit).toMatchObject({ isAudit: true, position: { synced: { synced: 1 } } });
    await t.store.extraction.commitStep(inAudit, buildStep({ position: { audited: 1 } }));
    await t.store.extraction.commitStep(inSync, buildStep({ position: { synced: 2 } }));
    expect((await acquire(t, getObjectRunId('lists'))).position).toEqual({ audited: 1 });
    expect((await acquire(t, sync.getObjectRunId('lists'))).position).toEqual({ synced: 2 });
    await expect(t.store.extraction.commitStep(inAudit, buildStep())).rejects.toMatchObject({ code: 'fenced' });
  });

  test('an audit extracts the children of recently changed parents again, except for parents that are still pending', async () => {
    const { getObjectRunId } = await createAuditedPipeline();
    const lease = await acquire(t, getObjectRunId('children'));
    expect((await t.store.extraction.createWorkFetcher(lease)(10)).map((p) => p.parentId)).toEqual(['7']);
    await t.store.extraction.commitStep(lease, buildStep({ completedUnits: [buildParent('7', 'parent')] }));
    expect(await t.store.extraction.createWorkFetcher(await acquire(t, getObjectRunId('children')))(10)).toEqual([]);
  });

  test('an audit looks up each deletion candidate once, counts the outcomes, and skips keys with a final outcome from an earlier audit', async () => {
    const { pipeline, audit, getObjectRunId } = await createAuditedPipeline();
    const findCandidates = async (lease: ObjectRunLease) => {
      await t.store.extraction.commitStep(lease, buildStep({ batch: buildBatch(0) }));
      expect(await t.store.extraction.isLoaded(lease)).toBe(false);
      const { lease: tableLease, batch } = await acquireBatch(t, pipeline.id, 'lists');
      expect(batch.isAudit).toBe(true);
      const batchId = batch.id;
      const counts = buildCounts();
      const candidates = (['1', '2', '3'] as const).map((key) => ({
        key,
        reason: key === '1' ? ('unseen' as const) : ('gap' as const),
        batchId,
      }));
      await t.store.loading.markLoaded(
        tableLease,
        buildOutcome({ batches: [{ batchId, counts }], deletionCandidates: candidates }),
      );
      expect(await t.store.extraction.isLoaded(lease)).toBe(true);
      return t.store.extraction.createWorkFetcher(lease)(10);
    };
    const lease = await acquire(t, getObjectRunId('lists'));
    const candidates = await findCandidates(lease);
    expect(candidates).toEqual([
      { object: 'lists', parentId: '1', version: 'unseen' },
      { object: 'lists', parentId: '2', version: 'gap' },
      { object: 'lists', parentId: '3', version: 'gap' },
    ]);
    const complete = (n: number, name: string, isFinal: boolean) => ({
      ...(candidates[n] as (typeof candidates)[number]),
      outcome: { name, isFinal },
    });
    await t.store.extraction.commitStep(
      lease,
      buildStep({ completedUnits: [complete(0, 'present', false), complete(1, 'not_found', true)] }),
    );
    await t.store.extraction.commitStep(
      lease,
      buildStep({ completedUnits: [complete(2, 'not_found', true)], isLast: true }),
    );
    const run = await t.store.runs.get(audit.id);
    expect(run.objects.find((o) => o.object === 'lists')?.explained).toEqual({ present: 1, not_found: 2 });
    await t.store.runs.cancel(audit.id);
    const next = await t.store.runs.get((await t.store.runs.start(pipeline.id, 'schedule', AUDITED, 'audit')).id);
    expect(
      (await findCandidates(await acquire(t, next.objects.find((o) => o.object === 'lists')?.id as string))).map(
        (s) => s.parentId,
      ),
    ).toEqual(['1']);
  });

  test('an audit excludes objects that were never extracted, and finishes at once if no object is left', async () => {
    const pipeline = await t.createPipeline();
    const { id } = await t.store.runs.start(pipeline.id, 'manual', AUDITED, 'audit');
    expect(await t.store.runs.get(id)).toMatchObject({ status: 'succeeded', objects: [] });
  });
});
