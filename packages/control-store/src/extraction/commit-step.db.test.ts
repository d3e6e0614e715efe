import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquire, buildBatch, buildParent, buildStep, startRun } from '../test-support/builders.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

async function readState() {
  const { sql } = t.database;
  const [positions, batches, parents, counts, jobs, failures] = await Promise.all([
    sql`select object, position from freshet.pipeline_objects order by object`,
    sql`select object, records from freshet.batches`,
    sql`select parent_id, version, done_version from freshet.child_work order by parent_id`,
    sql`select object, records_extracted, credits_used from freshet.object_runs order by object`,
    sql`select count(*)::int from pgboss.job where name = 'load'`,
    sql`select key from freshet.failed_units order by key`,
  ]);
  return {
    positions: [...positions],
    batches: [...batches],
    parents: [...parents],
    counts: [...counts],
    jobs: [...jobs],
    failures: [...failures],
  };
}

describe('ExtractionStore.commitStep', () => {
  test('commits the batch, the position, the child work, the counters and the load job together (I1)', async () => {
    const run = await startRun(t, (await t.createPipeline()).id);
    await t.store.extraction.commitStep(
      await acquire(t, run.getObjectRunId('lists')),
      buildStep({ batch: buildBatch(), childWork: [buildParent('7', 'v1')] }),
    );
    expect(await readState()).toMatchObject({
      positions: [
        { object: 'children', position: null },
        { object: 'lists', position: { n: 1 } },
      ],
      batches: [{ object: 'lists', records: 3 }],
      parents: [{ parent_id: '7', version: 'v1', done_version: null }],
      counts: [{ records_extracted: '0' }, { records_extracted: '3', credits_used: '1' }],
      jobs: [{ count: 1 }],
    });
  });

  test('rolls back the whole step when any part of the step fails (I1)', async () => {
    const run = await startRun(t, (await t.createPipeline()).id);
    const lease = await acquire(t, run.getObjectRunId('lists'));
    const before = await readState();
    for (const table of ['batches', 'child_work', 'pipeline_objects', 'object_runs']) {
      await t.database.sql.unsafe(
        `create function freshet.fail() returns trigger language plpgsql as $$ begin raise exception 'injected'; end $$`,
      );
      await t.database.sql.unsafe(
        `create trigger fail before insert or update on freshet.${table} for each row execute function freshet.fail()`,
      );
      await expect(
        t.store.extraction.commitStep(lease, buildStep({ batch: buildBatch(), childWork: [buildParent('7', 'v1')] })),
        table,
      ).rejects.toThrow('injected');
      await t.database.sql.unsafe('drop function freshet.fail cascade');
      expect(await readState(), table).toEqual(before);
    }
    // Fail the insert of the load job, which is the last statement of the step.
    await t.database.sql.unsafe(`alter table pgboss.job add constraint no_loads check (name <> 'load') not valid`);
    await expect(t.store.extraction.commitStep(lease, buildStep({ batch: buildBatch() }))).rejects.toThrow(/no_loads/);
    await t.database.sql.unsafe('alter table pgboss.job drop constraint no_loads');
    expect(await readState()).toEqual(before);
  });

  test('rejects commits of a worker after a second worker has acquired the lease (I8)', async () => {
    const run = await startRun(t, (await t.createPipeline()).id);
    const stale = await acquire(t, run.getObjectRunId('lists'));
    const successor = await acquire(t, run.getObjectRunId('lists'));
    await t.store.extraction.commitStep(successor, buildStep({ position: { n: 2 } }));
    const before = await readState();
    // Each statement that stores a failed unit follows the response to the previous statement. No
    // such statement may be sent after the rollback.
    const failedUnits = ['1', '2', '3'].map(
      (key) => ({ object: 'lists', key, code: 'source_unavailable', message: 'Status 500.' }) as const,
    );
    await expect(
      t.store.extraction.commitStep(stale, buildStep({ position: { n: 1 }, batch: buildBatch(), failedUnits })),
    ).rejects.toMatchObject({ code: 'fenced' });
    await expect(
      t.store.extraction.requeue(stale, { afterMs: 0, status: 'running', credits: {} }),
    ).rejects.toMatchObject({ code: 'fenced' });
    expect(await readState()).toEqual(before);
  });

  test('rejects commits while the pipeline is paused, and after the run was cancelled', async () => {
    const pipeline = await t.createPipeline();
    const run = await startRun(t, pipeline.id);
    const lease = await acquire(t, run.getObjectRunId('lists'));
    await t.store.pipelines.setStatus(pipeline.id, 'paused');
    await expect(t.store.extraction.commitStep(lease, buildStep())).rejects.toMatchObject({ code: 'fenced' });
    expect(await t.store.extraction.acquire(run.getObjectRunId('lists'))).toBeNull();
    await t.store.pipelines.setStatus(pipeline.id, 'active');
    await t.store.extraction.commitStep(await acquire(t, run.getObjectRunId('lists')), buildStep());
    await t.store.runs.cancel(run.id);
    await expect(t.store.extraction.commitStep(lease, buildStep())).rejects.toMatchObject({ code: 'fenced' });
    expect((await t.store.runs.get(run.id)).status).toBe('cancelled');
  });
});
