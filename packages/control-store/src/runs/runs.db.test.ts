import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquire, buildParent, buildStep, countPendingParents, OBJECTS, startRun } from '../test-support/builders.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

describe('Runs.start', () => {
  test('returns the same run to concurrent callers (T20)', async () => {
    const pipeline = await t.createPipeline();
    const started = await Promise.all(
      Array.from({ length: 8 }, () => t.store.runs.start(pipeline.id, 'manual', OBJECTS)),
    );
    expect(new Set(started.map((s) => s.id)).size).toBe(1);
    expect(started.filter((s) => s.isNew)).toHaveLength(1);
  });

  test('returns a new sync as `get` reads it', async () => {
    const pipeline = await t.createPipeline();
    const finishFirstSync = (object: string) => t.database.sql`
      update freshet.pipeline_objects set position = '{}', is_full_sync_due = ${object === 'lists'}
      where pipeline_id = ${pipeline.id} and object = ${object}`;
    const modes: string[][] = [];
    for (let round = 0; round < 3; round++) {
      const { id, run } = await t.store.runs.start(pipeline.id, 'manual', OBJECTS);
      expect(run).toEqual(await t.store.runs.get(id));
      modes.push((run?.objects ?? []).map(({ object, mode }) => `${object} ${mode}`));
      await t.store.runs.cancel(id);
      if (round === 0) for (const { name } of OBJECTS) await finishFirstSync(name);
    }
    const list = (mode: string) => OBJECTS.map(({ name }) => `${name} ${mode}`).toSorted();
    expect(modes).toEqual([
      list('full'),
      list('incremental').map((line) => (line.startsWith('lists') ? 'lists full' : line)),
      // The previous run has performed the full sync that was due.
      list('incremental'),
    ]);
  });

  test('returns a sync without objects', async () => {
    const pipeline = await t.createPipeline();
    const { id, run } = await t.store.runs.start(pipeline.id, 'manual', []);
    expect(run).toEqual(await t.store.runs.get(id));
  });
});

describe('Runs.list', () => {
  test('pages remain stable while runs are added', async () => {
    const pipeline = await t.createPipeline();
    const ids: string[] = [];
    const add = async () => {
      const { id } = await t.store.runs.start(pipeline.id, 'manual', []);
      await t.store.runs.cancel(id);
      ids.unshift(id);
    };
    for (let i = 0; i < 7; i++) await add();
    const expected = [...ids];
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof t.store.runs.list>> = await t.store.runs.list(
        { limit: 3, cursor },
        { pipelineId: pipeline.id, status: null, kind: null },
      );
      seen.push(...page.data.map((r) => r.id));
      cursor = page.nextCursor;
      await add();
    } while (cursor !== null);
    expect(seen).toEqual(expected);
  });
});

describe('Runs.restartObject', () => {
  test('restarts the object within an open run, fences off the old worker, and replaces the job (T21)', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    const lease = await acquire(t, run.getObjectRunId('lists'));
    await t.store.extraction.commitStep(lease, buildStep({ position: { page: 7 } }));
    const listJobs = () =>
      t.database.sql`select id from pgboss.job
          where name = 'extract' and data ->> 'objectRunId' = ${run.getObjectRunId('lists')}`;
    const before = (await listJobs()).length;
    await t.store.runs.restartObject(pipeline.id, 'lists');
    await expect(t.store.extraction.commitStep(lease, buildStep())).rejects.toMatchObject({ code: 'fenced' });
    expect((await listJobs()).length).toBe(before + 1);
    expect((await acquire(t, run.getObjectRunId('lists'))).position).toBeNull();
  });

  test('makes the children of every parent pending', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('lists')),
      buildStep({ childWork: [buildParent('7', 'v1'), buildParent('8', 'v1')] }),
    );
    const children = await acquire(t, run.getObjectRunId('children'));
    await t.store.extraction.commitStep(
      children,
      buildStep({ completedUnits: [buildParent('7', 'v1'), buildParent('8', 'v1')] }),
    );
    expect(await countPendingParents(t)).toBe(0);
    await t.store.runs.restartObject(pipeline.id, 'children');
    expect(await countPendingParents(t)).toBe(2);
  });
});

describe('Runs.setPosition', () => {
  test('changes the current position, and rejects an object that has no position', async () => {
    const pipeline = await t.createPipeline();
    const update = () => t.store.runs.setPosition(pipeline.id, 'lists', (position) => ({ ...position, moved: true }));
    await expect(update()).rejects.toMatchObject({ code: 'conflict' });
    const run = await startRun(t, pipeline.id);
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('lists')),
      buildStep({ position: { page: 7 } }),
    );
    await update();
    expect((await acquire(t, run.getObjectRunId('lists'))).position).toEqual({ page: 7, moved: true });
  });
});
