import { randomBytes } from 'node:crypto';
import type { CreditClass } from '@freshet/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LoadOutcome, type ObjectRunLease, openControlStore, type Step } from './index.ts';
import { openTestStore, type TestStore } from './test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(async () => {
  await t.database
    .sql`truncate freshet.pipelines, freshet.child_work, freshet.credentials, freshet.destinations, freshet.credit_buckets, freshet.webhooks, freshet.events cascade`;
  await t.database.sql`delete from pgboss.job`;
});

const OBJECTS = [
  { name: 'lists', creditClass: 'incremental' as const },
  { name: 'children', creditClass: 'children' as const },
];

const step = (parts: Partial<Step> = {}): Step => ({
  position: { n: 1 },
  customColumns: null,
  batch: null,
  erasedKeys: [],
  childWork: [],
  completedUnits: [],
  failedUnits: [],
  progress: null,
  credits: { incremental: 1 },
  coverage: null,
  isLast: false,
  ...parts,
});
const staged = (records = 3) => ({
  body: Buffer.from('compressed'),
  rawBytes: 100,
  records,
  generation: null,
  extractedAt: new Date(),
});
const work = (parentId: string, version: string) => ({ object: 'children', parentId, version });

async function start(pipelineId: string) {
  const { id } = await t.store.runs.start(pipelineId, 'manual', OBJECTS);
  const run = await t.store.runs.get(id);
  const objectRun = (name: string) => run.objects.find((o) => o.object === name)?.id as string;
  return { id, objectRun };
}

const claimed = async (objectRunId: string) => (await t.store.extraction.acquire(objectRunId)) as ObjectRunLease;

async function everything() {
  const { sql } = t.database;
  const [positions, batches, parents, counts, jobs] = await Promise.all([
    sql`select object, position from freshet.pipeline_objects order by object`,
    sql`select object, records from freshet.batches`,
    sql`select parent_id, version, done_version from freshet.child_work order by parent_id`,
    sql`select object, records_extracted, credits_used from freshet.object_runs order by object`,
    sql`select count(*)::int from pgboss.job where name = 'load'`,
  ]);
  return {
    positions: [...positions],
    batches: [...batches],
    parents: [...parents],
    counts: [...counts],
    jobs: [...jobs],
  };
}

const outcome = (parts: Partial<LoadOutcome>): LoadOutcome => ({
  batches: [],
  rejectedRecords: [],
  coverage: null,
  deletionCandidates: [],
  rejectedGenerations: [],
  unconfirmedDeletions: [],
  completion: null,
  schemaChanges: [],
  misfits: [],
  ...parts,
});

async function pendingParents(): Promise<number> {
  const [row] = await t.database
    .sql`select count(*)::int as n from freshet.child_work where done_version is distinct from version`;
  return row?.['n'] as number;
}

describe('I1: a step commits whole or not at all', () => {
  test('a transaction whose connection is lost does nothing more, even where the pool has made the connection anew, and takes nobody with it', async () => {
    const names = async () =>
      (await t.store.credentials.list({ limit: 200, cursor: null })).data.map(({ name }) => name);
    const make = (name: string) => t.store.credentials.create({ name, type: 'freshdesk_api_key', secret: 'x' });
    for (let round = 0; round < 10; round++) {
      const late: PromiseSettledResult<unknown>[] = [];
      const lost = t.store.transaction(async () => {
        await make(`before ${round}`);
        await t.database.sql`
          select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'freshet' and state = 'idle in transaction'`;
        // Others use the pool meanwhile; they are outside of the transaction's context.
        await Promise.all(others);
        late.push(...(await Promise.allSettled([make(`after ${round}`), make(`later ${round}`)])));
      });
      const others = Array.from({ length: 10 }, () => t.store.ping());
      await expect(lost, `round ${round}`).rejects.toThrow();
      await Promise.all(Array.from({ length: 10 }, () => t.store.ping()));
      expect(await names(), `round ${round}`).toEqual([]);
    }
    await t.store.transaction(() => make('well'));
    expect(await names()).toEqual(['well']);
  });

  test('batch, position, child work, counters and load job come together', async () => {
    const run = await start((await t.createPipeline()).id);
    await t.store.extraction.commitStep(
      await claimed(run.objectRun('lists')),
      step({ batch: staged(), childWork: [work('7', 'v1')] }),
    );
    expect(await everything()).toMatchObject({
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

  test('whichever part fails, nothing of the step is there', async () => {
    const run = await start((await t.createPipeline()).id);
    const claim = await claimed(run.objectRun('lists'));
    const before = await everything();
    for (const table of ['batches', 'child_work', 'pipeline_objects', 'object_runs']) {
      await t.database.sql.unsafe(
        `create function freshet.fail() returns trigger language plpgsql as $$ begin raise exception 'injected'; end $$`,
      );
      await t.database.sql.unsafe(
        `create trigger fail before insert or update on freshet.${table} for each row execute function freshet.fail()`,
      );
      await expect(
        t.store.extraction.commitStep(claim, step({ batch: staged(), childWork: [work('7', 'v1')] })),
        table,
      ).rejects.toThrow('injected');
      await t.database.sql.unsafe('drop function freshet.fail cascade');
      expect(await everything(), table).toEqual(before);
    }
    // The queue's own insert, last of all.
    await t.database.sql.unsafe(`alter table pgboss.job add constraint no_loads check (name <> 'load') not valid`);
    await expect(t.store.extraction.commitStep(claim, step({ batch: staged() }))).rejects.toThrow(/no_loads/);
    await t.database.sql.unsafe('alter table pgboss.job drop constraint no_loads');
    expect(await everything()).toEqual(before);
  });

  test('I8: a worker that was taken over from can store nothing more', async () => {
    const run = await start((await t.createPipeline()).id);
    const paused = await claimed(run.objectRun('lists'));
    const successor = await claimed(run.objectRun('lists'));
    await t.store.extraction.commitStep(successor, step({ position: { n: 2 } }));
    const before = await everything();
    await expect(
      t.store.extraction.commitStep(paused, step({ position: { n: 1 }, batch: staged() })),
    ).rejects.toMatchObject({ code: 'fenced' });
    await expect(
      t.store.extraction.requeue(paused, { afterMs: 0, status: 'running', credits: {} }),
    ).rejects.toMatchObject({ code: 'fenced' });
    expect(await everything()).toEqual(before);
  });

  test('a cancelled run and a paused pipeline take no step; a resumed one goes on', async () => {
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    const claim = await claimed(run.objectRun('lists'));
    await t.store.pipelines.setStatus(pipeline.id, 'paused');
    await expect(t.store.extraction.commitStep(claim, step())).rejects.toMatchObject({ code: 'fenced' });
    expect(await t.store.extraction.acquire(run.objectRun('lists'))).toBeNull();
    await t.store.pipelines.setStatus(pipeline.id, 'active');
    await t.store.extraction.commitStep(await claimed(run.objectRun('lists')), step());
    await t.store.runs.cancel(run.id);
    await expect(t.store.extraction.commitStep(claim, step())).rejects.toMatchObject({ code: 'fenced' });
    expect((await t.store.runs.get(run.id)).status).toBe('cancelled');
  });
});

describe('the work list of children', () => {
  test('a parent is pending until its present version was read; none twice in one slice', async () => {
    const run = await start((await t.createPipeline()).id);
    const lists = await claimed(run.objectRun('lists'));
    await t.store.extraction.commitStep(
      lists,
      step({ childWork: Array.from({ length: 50 }, (_, i) => work(String(i), 'v1')) }),
    );
    const claim = await claimed(run.objectRun('children'));
    const next = t.store.extraction.createWorkFetcher(claim);
    const seen: string[] = [];
    for (let got = await next(7); got.length > 0; got = await next(7)) seen.push(...got.map((p) => p.parentId));
    expect(seen.sort()).toEqual(Array.from({ length: 50 }, (_, i) => String(i)).sort());
    await t.store.extraction.commitStep(claim, step({ completedUnits: [work('1', 'v1'), work('2', 'v1')] }));
    // One of them has changed while it was read.
    await t.store.extraction.commitStep(lists, step({ childWork: [work('2', 'v2'), work('1', 'v1')] }));
    expect(await pendingParents()).toBe(49);
  });
});

describe('runs', () => {
  test('T20: two callers at once get the same run', async () => {
    const pipeline = await t.createPipeline();
    const started = await Promise.all(
      Array.from({ length: 8 }, () => t.store.runs.start(pipeline.id, 'manual', OBJECTS)),
    );
    expect(new Set(started.map((s) => s.id)).size).toBe(1);
    expect(started.filter((s) => s.isNew)).toHaveLength(1);
  });

  test('T14: a run is finished when its last batch is loaded, and its counts are what landed', async () => {
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    const done = { completeAsOf: new Date('2026-01-01T00:00:00Z'), completeBackTo: new Date(0) };
    await t.store.extraction.commitStep(
      await claimed(run.objectRun('children')),
      step({ coverage: done, isLast: true }),
    );
    await t.store.extraction.commitStep(
      await claimed(run.objectRun('lists')),
      step({ batch: staged(3), coverage: done, isLast: true }),
    );
    expect((await t.store.runs.get(run.id)).status).toBe('running');
    const claim = await t.store.loading.acquire(pipeline.id, 'lists');
    if (!claim) throw new Error('nothing to load');
    const [pending] = await t.store.loading.listPendingBatches(claim, 1);
    const counts = { records: 3, inserted: 1, updated: 1, unchanged: 1, rejected: 0, deleted: 0, missing: 0, stale: 0 };
    await t.store.loading.markLoaded(
      claim,
      outcome({ batches: [{ batchId: pending?.id as string, counts }], coverage: done }),
    );
    // Saying it again counts nothing twice.
    await t.store.loading.markLoaded(claim, outcome({ batches: [{ batchId: pending?.id as string, counts }] }));
    expect(await t.store.runs.get(run.id)).toMatchObject({
      status: 'succeeded',
      objects: [{}, { records_inserted: 1, records_updated: 1, records_unchanged: 1 }],
    });
    expect(await t.store.pipelines.listObjects(pipeline.id)).toContainEqual(
      expect.objectContaining({ object: 'lists', complete_as_of: done.completeAsOf }),
    );
  });

  test('I7: a parent whose list is doubted is read again, and told so; a second empty list is believed', async () => {
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    await t.store.extraction.commitStep(await claimed(run.objectRun('lists')), step({ childWork: [work('1', 'v')] }));
    const children = await claimed(run.objectRun('children'));
    const next = async () => t.store.extraction.createWorkFetcher(children)(10);
    expect(await next()).toEqual([{ object: 'children', parentId: '1', version: 'v', needsConfirmation: false }]);
    await t.store.extraction.commitStep(children, step({ batch: staged(0), completedUnits: [work('1', 'v')] }));
    expect(await next()).toEqual([]);
    const claim = await t.store.loading.acquire(pipeline.id, 'children');
    if (!claim) throw new Error('nothing to load');
    const [pending] = await t.store.loading.listPendingBatches(claim, 1);
    const counts = { records: 0, inserted: 0, updated: 0, unchanged: 0, rejected: 0, deleted: 0, missing: 0, stale: 0 };
    await t.store.loading.markLoaded(
      claim,
      outcome({ batches: [{ batchId: pending?.id as string, counts }], unconfirmedDeletions: ['1'] }),
    );
    expect(await next()).toEqual([{ object: 'children', parentId: '1', version: 'v', needsConfirmation: true }]);
    await t.store.extraction.commitStep(children, step({ completedUnits: [work('1', 'v')] }));
    expect(await next()).toEqual([]);
  });

  test('misfits of loaded batches become one warning of the object run for each column, and a repeated report counts once', async () => {
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    const lists = await claimed(run.objectRun('lists'));
    await t.store.extraction.commitStep(lists, step({ batch: staged(3) }));
    await t.store.extraction.commitStep(lists, step({ batch: staged(3) }));
    const claim = await t.store.loading.acquire(pipeline.id, 'lists');
    if (!claim) throw new Error('nothing to load');
    const counts = { records: 3, inserted: 3, updated: 0, unchanged: 0, rejected: 0, deleted: 0, missing: 0, stale: 0 };
    for (const { id } of await t.store.loading.listPendingBatches(claim, 1000)) {
      const loaded = outcome({
        batches: [{ batchId: id, counts }],
        misfits: [{ batchId: id, column: 'due_by', type: 'timestamptz', note: 'kept_in_extra', count: 1 }],
      });
      await t.store.loading.markLoaded(claim, loaded);
      await t.store.loading.markLoaded(claim, loaded);
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

  test('T14: a run whose counts do not agree has not succeeded', async () => {
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    const done = { completeAsOf: new Date(), completeBackTo: new Date(0) };
    await t.store.extraction.commitStep(
      await claimed(run.objectRun('children')),
      step({ coverage: done, isLast: true }),
    );
    await t.store.extraction.commitStep(
      await claimed(run.objectRun('lists')),
      step({ batch: staged(3), coverage: done, isLast: true }),
    );
    const claim = await t.store.loading.acquire(pipeline.id, 'lists');
    if (!claim) throw new Error('nothing to load');
    const [pending] = await t.store.loading.listPendingBatches(claim, 1);
    await t.store.loading.markLoaded(
      claim,
      outcome({
        batches: [
          {
            batchId: pending?.id as string,
            counts: {
              records: 3,
              inserted: 2,
              updated: 0,
              unchanged: 0,
              rejected: 0,
              deleted: 0,
              missing: 0,
              stale: 0,
            },
          },
        ],
      }),
    );
    const over = await t.store.runs.get(run.id);
    expect(over.status).toBe('partial');
    expect(over.objects[1]).toMatchObject({
      status: 'failed',
      error_message: 'Record counts disagree: 3 extracted, 2 accounted for.',
    });
  });

  test('a key that is refused is refused to all: whatever is not read yet stops with it, and what was read is loaded', async () => {
    const run = await start((await t.createPipeline()).id);
    const { objects } = await t.store.runs.get(run.id);
    const claims = await Promise.all(objects.slice(0, 2).map(({ id }) => claimed(id)));
    const stopped = await Promise.allSettled(
      claims.map((claim) =>
        t.store.extraction.stop(
          claim,
          'failed',
          { code: 'source_auth', message: 'The key is refused.' },
          { incremental: 1 },
        ),
      ),
    );
    // The second one finds that it has been stopped already.
    expect(stopped.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const over = await t.store.runs.get(run.id);
    expect(over.status).toBe('failed');
    expect(over.objects.map((o) => [o.object, o.status, o.error_code])).toEqual(
      objects.map(({ object }) => [object, 'failed', 'source_auth']),
    );
  });

  describe('an object that the API key cannot read', () => {
    const refusal = { code: 'source_forbidden', message: 'You are not authorized.' } as const;
    const done = { completeAsOf: new Date(), completeBackTo: new Date(0) };
    const forbid = async (objectRunId: string) =>
      t.store.extraction.stop(await claimed(objectRunId), 'forbidden', refusal, { incremental: 1 });
    const finish = async (objectRunId: string) =>
      t.store.extraction.commitStep(await claimed(objectRunId), step({ coverage: done, isLast: true }));
    const lists = async (pipelineId: string) =>
      (await t.store.pipelines.listObjects(pipelineId)).find(({ object }) => object === 'lists');

    test('does not stop the others, and is a warning of a succeeded run if no key could ever read it (I7)', async () => {
      const pipeline = await t.createPipeline();
      const run = await start(pipeline.id);
      await forbid(run.objectRun('lists'));
      await finish(run.objectRun('children'));
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
      expect(await lists(pipeline.id)).toMatchObject({
        availability: 'forbidden',
        availability_message: refusal.message,
        first_read_at: null,
      });
      expect((await t.store.getBacklog()).freshness.map(({ object }) => object)).not.toContain('lists');
    });

    test('makes the run partial if it was readable before, also after a restart of the object', async () => {
      const pipeline = await t.createPipeline();
      const first = await start(pipeline.id);
      await finish(first.objectRun('lists'));
      await finish(first.objectRun('children'));
      expect(await lists(pipeline.id)).toMatchObject({
        availability: 'available',
        availability_message: null,
        first_read_at: expect.any(Date),
      });
      await t.store.runs.restartObject(pipeline.id, 'lists');
      const second = await start(pipeline.id);
      await forbid(second.objectRun('lists'));
      await finish(second.objectRun('children'));
      const { status, objects } = await t.store.runs.get(second.id);
      expect(status).toBe('partial');
      expect(objects[1]).toMatchObject({ status: 'forbidden', error_code: 'source_forbidden', warnings: [] });
    });

    test('makes the run partial if a user included it by name', async () => {
      const pipeline = await t.createPipeline();
      await t.store.pipelines.update(pipeline.id, { objects: { lists: { included: true } } }, null);
      const run = await start(pipeline.id);
      await forbid(run.objectRun('lists'));
      await finish(run.objectRun('children'));
      expect(await t.store.runs.get(run.id)).toMatchObject({
        status: 'partial',
        objects: [{ status: 'succeeded' }, { status: 'forbidden', warnings: [] }],
      });
    });

    test('fails the run if the key can read no other object either', async () => {
      const run = await start((await t.createPipeline()).id);
      await forbid(run.objectRun('lists'));
      await forbid(run.objectRun('children'));
      expect((await t.store.runs.get(run.id)).status).toBe('failed');
    });

    test('leaves a run partial in which another object failed', async () => {
      const pipeline = await t.createPipeline();
      const { id } = await t.store.runs.start(pipeline.id, 'manual', [
        ...OBJECTS,
        { name: 'more', creditClass: 'incremental' },
      ]);
      const of = async (name: string) =>
        (await t.store.runs.get(id)).objects.find(({ object }) => object === name)?.id as string;
      await forbid(await of('lists'));
      await finish(await of('children'));
      await t.store.extraction.stop(
        await claimed(await of('more')),
        'failed',
        { code: 'source_contract', message: 'no' },
        {},
      );
      expect((await t.store.runs.get(id)).status).toBe('partial');
    });

    test('a child whose parent is still being read proves nothing', async () => {
      const pipeline = await t.createPipeline();
      const run = await start(pipeline.id);
      const child = await claimed(run.objectRun('children'));
      await t.store.extraction.commitStep(child, step({}));
      await forbid(run.objectRun('lists'));
      await forbid(run.objectRun('children'));
      const { status, objects } = await t.store.runs.get(run.id);
      expect(status).toBe('failed');
      expect(objects.every(({ warnings }) => warnings[0]?.code === 'object_unavailable')).toBe(true);
    });
  });

  test('a due pipeline is started once by however many schedulers, and its next time is set', async () => {
    const pipeline = await t.createPipeline();
    const taken = await Promise.all(Array.from({ length: 5 }, () => t.store.schedule.startDueRuns(10, () => OBJECTS)));
    expect(taken.reduce((a, b) => a + b)).toBe(1);
    expect(
      (await t.store.runs.list({ limit: 10, cursor: null }, { pipelineId: pipeline.id, status: null, kind: null }))
        .data,
    ).toHaveLength(1);
    expect((await t.store.pipelines.get(pipeline.id)).next_run_at.getTime()).toBeGreaterThan(Date.now() + 359 * 60_000);
    expect(await t.store.schedule.startDueRuns(10, () => OBJECTS)).toBe(0);
  });

  test('lists stay stable while rows are added', async () => {
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

describe('freshness', () => {
  test('a table that is further behind than it may be is told of once, and so is that it has caught up', async () => {
    const { id } = await t.createPipeline();
    await t.store.pipelines.update(
      id,
      { objects: { tickets: { included: true, max_staleness_minutes: 60 }, roles: { included: true } } },
      null,
    );
    await t.store.webhooks.create({
      name: 'w',
      url: 'http://127.0.0.1:1/',
      events: ['freshness.missed', 'freshness.restored'],
      enabled: true,
    });
    const { sql } = t.database;
    await sql`insert into freshet.pipeline_objects (pipeline_id, object, complete_as_of) values (${id}, 'tickets', now() - interval '59 minutes'), (${id}, 'roles', now() - interval '9 days')`;
    const told = async () =>
      [...(await sql`select type, data from freshet.events order by id`)].map(
        ({ type, data }) => `${type} ${data.object} ${data.max_staleness_minutes}`,
      );
    expect(await t.store.schedule.checkFreshness()).toBe(0);
    await sql`update freshet.pipeline_objects set complete_as_of = now() - interval '61 minutes' where object = 'tickets'`;
    const counts = await Promise.all([t.store.schedule.checkFreshness(), t.store.schedule.checkFreshness()]);
    expect(counts.sort()).toEqual([0, 1]);
    expect((await t.store.pipelines.listObjects(id)).find((o) => o.object === 'tickets')?.stale_since).toBeInstanceOf(
      Date,
    );
    await sql`update freshet.pipeline_objects set complete_as_of = now() where object = 'tickets'`;
    expect(await t.store.schedule.checkFreshness()).toBe(1);
    expect(await told()).toEqual(['freshness.missed tickets 60', 'freshness.restored tickets 60']);
    // Nobody is told of a paused pipeline, nor of one that was never asked about.
    await sql`update freshet.pipeline_objects set complete_as_of = now() - interval '9 days'`;
    await t.store.pipelines.setStatus(id, 'paused');
    expect(await t.store.schedule.checkFreshness()).toBe(0);
  });
});

describe('lags', () => {
  test('the longest of each day is kept, from what a table was complete up to until that moved on, and goes when it is old', async () => {
    const { sql } = t.database;
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    const claim = await claimed(run.objectRun('lists'));
    const load = async (completeAsOf: Date) => {
      await t.store.extraction.commitStep(claim, step({ batch: staged() }));
      const table = await t.store.loading.acquire(pipeline.id, 'lists');
      if (!table) throw new Error('nothing to load');
      const [pending] = await t.store.loading.listPendingBatches(table, 1);
      const counts = {
        records: 3,
        inserted: 3,
        updated: 0,
        unchanged: 0,
        rejected: 0,
        deleted: 0,
        missing: 0,
        stale: 0,
      };
      await t.store.loading.markLoaded(
        table,
        outcome({
          batches: [{ batchId: pending?.id as string, counts }],
          coverage: { completeAsOf, completeBackTo: new Date(0) },
        }),
      );
    };
    const hours = async () =>
      (await sql`select extract(epoch from until - since)::float8 / 3600 as h from freshet.lags`).map(
        ({ h }) => Math.round(h * 10) / 10,
      );
    const ago = (h: number) => new Date(Date.now() - h * 3_600_000);
    await load(ago(5));
    expect(await hours()).toEqual([]);
    await load(ago(1));
    expect(await hours()).toEqual([5]);
    // A shorter one of the same day, and one that has not moved.
    await load(ago(0.5));
    await load(ago(0.5));
    expect(await hours()).toEqual([5]);
    expect(await t.store.schedule.pruneLags(1)).toBe(0);
    await sql`update freshet.lags set until = now() - interval '2 days'`;
    expect(await t.store.schedule.pruneLags(1)).toBe(1);
  });
});

describe('positions', () => {
  test('T21: an object restarted in the middle of a run is read anew by it: the old worker is fenced, and another job takes its place', async () => {
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    const claim = await claimed(run.objectRun('lists'));
    await t.store.extraction.commitStep(claim, step({ position: { page: 7 } }));
    const jobs = () =>
      t.database
        .sql`select id from pgboss.job where name = 'extract' and data ->> 'objectRunId' = ${run.objectRun('lists')}`;
    const before = (await jobs()).length;
    await t.store.runs.restartObject(pipeline.id, 'lists');
    await expect(t.store.extraction.commitStep(claim, step())).rejects.toMatchObject({ code: 'fenced' });
    expect((await jobs()).length).toBe(before + 1);
    expect((await claimed(run.objectRun('lists'))).position).toBeNull();
  });

  test('children that are restarted are read of every parent', async () => {
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    await t.store.extraction.commitStep(
      await claimed(run.objectRun('lists')),
      step({ childWork: [work('7', 'v1'), work('8', 'v1')] }),
    );
    const children = await claimed(run.objectRun('children'));
    await t.store.extraction.commitStep(children, step({ completedUnits: [work('7', 'v1'), work('8', 'v1')] }));
    expect(await pendingParents()).toBe(0);
    await t.store.runs.restartObject(pipeline.id, 'children');
    expect(await pendingParents()).toBe(2);
  });

  test('a position is moved from what it is, and one that is not there cannot be', async () => {
    const pipeline = await t.createPipeline();
    const move = () => t.store.runs.setPosition(pipeline.id, 'lists', (known) => ({ ...known, moved: true }));
    await expect(move()).rejects.toMatchObject({ code: 'conflict' });
    const run = await start(pipeline.id);
    await t.store.extraction.commitStep(await claimed(run.objectRun('lists')), step({ position: { page: 7 } }));
    await move();
    expect((await claimed(run.objectRun('lists'))).position).toEqual({ page: 7, moved: true });
  });
});

describe('audits', () => {
  const AUDITED = OBJECTS.map(({ name }) => ({ name, creditClass: 'audit' as const }));

  /** A pipeline whose lists were read, with two parents whose children were. */
  async function synced() {
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    const parents = [work('7', 'v1'), work('8', 'v1')];
    await t.store.extraction.commitStep(
      await claimed(run.objectRun('lists')),
      step({ position: { synced: 1 }, childWork: parents, isLast: true }),
    );
    await t.store.extraction.commitStep(
      await claimed(run.objectRun('children')),
      step({ completedUnits: [work('7', 'v1')], isLast: true }),
    );
    const auditId = (await t.store.runs.start(pipeline.id, 'manual', AUDITED, 'audit')).id;
    const audit = await t.store.runs.get(auditId);
    return { pipeline, audit, objectRun: (name: string) => audit.objects.find((o) => o.object === name)?.id as string };
  }

  test('an audit goes on beside the syncs, in the lowest class, and leaves their positions alone', async () => {
    const { pipeline, audit, objectRun } = await synced();
    expect(audit).toMatchObject({ kind: 'audit', status: 'queued' });
    expect(audit.objects).toMatchObject([
      { mode: 'audit', credit_class: 'audit' },
      { mode: 'audit', credit_class: 'audit' },
    ]);
    expect(await t.store.runs.start(pipeline.id, 'manual', AUDITED, 'audit')).toEqual({ id: audit.id, created: false });
    const sync = await start(pipeline.id);
    expect(sync.id).not.toBe(audit.id);
    const inAudit = await claimed(objectRun('lists'));
    const inSync = await claimed(sync.objectRun('lists'));
    expect(inAudit).toMatchObject({ isAudit: true, position: { synced: { synced: 1 } } });
    await t.store.extraction.commitStep(inAudit, step({ position: { audited: 1 } }));
    await t.store.extraction.commitStep(inSync, step({ position: { synced: 2 } }));
    expect((await claimed(objectRun('lists'))).position).toEqual({ audited: 1 });
    expect((await claimed(sync.objectRun('lists'))).position).toEqual({ synced: 2 });
    await expect(t.store.extraction.commitStep(inAudit, step())).rejects.toMatchObject({ code: 'fenced' });
  });

  test('the parents whose children were read lately are read again; those that wait anyway are not', async () => {
    const { objectRun } = await synced();
    const claim = await claimed(objectRun('children'));
    expect((await t.store.extraction.createWorkFetcher(claim)(10)).map((p) => p.parentId)).toEqual(['7']);
    await t.store.extraction.commitStep(claim, step({ completedUnits: [work('7', 'parent')] }));
    expect(await t.store.extraction.createWorkFetcher(await claimed(objectRun('children')))(10)).toEqual([]);
  });

  test('suspects that loading finds are asked for once, are counted by what they were, and those that are lasting never again', async () => {
    const { pipeline, audit, objectRun } = await synced();
    const found = async (claim: ObjectRunLease) => {
      await t.store.extraction.commitStep(claim, step({ batch: staged(0) }));
      expect(await t.store.extraction.isLoaded(claim)).toBe(false);
      const loading = await t.store.loading.acquire(pipeline.id, 'lists');
      if (!loading) throw new Error('nothing to load');
      const [pending] = await t.store.loading.listPendingBatches(loading, 1);
      expect(pending?.isAudit).toBe(true);
      const batchId = pending?.id as string;
      const counts = {
        records: 0,
        inserted: 0,
        updated: 0,
        unchanged: 0,
        rejected: 0,
        deleted: 0,
        missing: 0,
        stale: 0,
      };
      const suspects = (['1', '2', '3'] as const).map((key) => ({
        key,
        reason: key === '1' ? ('unseen' as const) : ('gap' as const),
        batchId,
      }));
      await t.store.loading.markLoaded(
        loading,
        outcome({ batches: [{ batchId, counts }], deletionCandidates: suspects }),
      );
      expect(await t.store.extraction.isLoaded(claim)).toBe(true);
      return t.store.extraction.createWorkFetcher(claim)(10);
    };
    const claim = await claimed(objectRun('lists'));
    const suspects = await found(claim);
    expect(suspects).toEqual([
      { object: 'lists', parentId: '1', version: 'unseen' },
      { object: 'lists', parentId: '2', version: 'gap' },
      { object: 'lists', parentId: '3', version: 'gap' },
    ]);
    const settle = (n: number, name: string, lasting: boolean) => ({
      ...(suspects[n] as (typeof suspects)[number]),
      outcome: { name, isFinal: lasting },
    });
    await t.store.extraction.commitStep(
      claim,
      step({ completedUnits: [settle(0, 'present', false), settle(1, 'not_found', true)] }),
    );
    await t.store.extraction.commitStep(claim, step({ completedUnits: [settle(2, 'not_found', true)], isLast: true }));
    const run = await t.store.runs.get(audit.id);
    expect(run.objects.find((o) => o.object === 'lists')?.explained).toEqual({ present: 1, not_found: 2 });
    await t.store.runs.cancel(audit.id);
    const next = await t.store.runs.get((await t.store.runs.start(pipeline.id, 'schedule', AUDITED, 'audit')).id);
    expect(
      (await found(await claimed(next.objects.find((o) => o.object === 'lists')?.id as string))).map((s) => s.parentId),
    ).toEqual(['1']);
  });

  test('what was never read is not audited, and an audit of nothing is over at once', async () => {
    const pipeline = await t.createPipeline();
    const { id } = await t.store.runs.start(pipeline.id, 'manual', AUDITED, 'audit');
    expect(await t.store.runs.get(id)).toMatchObject({ status: 'succeeded', objects: [] });
  });

  test('it is due by its own frequency, unless that is null', async () => {
    const pipeline = await t.createPipeline();
    const due = () => t.store.schedule.startDueAudits(10, () => AUDITED);
    expect(await due()).toBe(0);
    await t.database.sql`update freshet.pipelines set next_audit_at = now() - interval '1 hour'`;
    expect(await due()).toBe(1);
    expect(await due()).toBe(0);
    expect((await t.store.pipelines.get(pipeline.id)).next_audit_at.getTime()).toBeGreaterThan(
      Date.now() + 6.9 * 86_400_000,
    );
    await t.store.pipelines.update(pipeline.id, { audit_frequency_days: null }, null);
    await t.database.sql`update freshet.pipelines set next_audit_at = now() - interval '1 hour'`;
    expect(await due()).toBe(0);
  });
});

describe('I5: within budget', () => {
  const budgets = () => t.store.budgets;
  const learnt = async (total: number, bucket = 'account') => {
    await budgets().take('acme', [bucket], 1, 100, 'incremental');
    await budgets().reconcile('acme', [{ bucket, total, remaining: total - 1, used: 1 }]);
  };

  test('many workers at once never take more than the share of the limit', async () => {
    await learnt(100);
    const taken = await Promise.all(
      Array.from({ length: 200 }, () => budgets().take('acme', ['account'], 1, 80, 'incremental')),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(79);
    expect(Math.max(...taken)).toBeLessThanOrEqual(61_000);
  });

  test('of two buckets, both pay or none does', async () => {
    await learnt(100);
    await learnt(10, 'list');
    const taken = await Promise.all(
      Array.from({ length: 30 }, () => budgets().take('acme', ['account', 'list'], 2, 100, 'incremental')),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(4);
    const rows = await t.database.sql`select bucket, used::int from freshet.credit_buckets order by bucket`;
    expect([...rows]).toEqual([
      { bucket: 'account', used: 9 },
      { bucket: 'list', used: 9 },
    ]);
  });

  test('credits that others spend are seen by what remains', async () => {
    await learnt(100);
    await budgets().reconcile('acme', [{ bucket: 'account', total: 100, remaining: 5, used: 1 }]);
    const taken = await Promise.all(
      Array.from({ length: 20 }, () => budgets().take('acme', ['account'], 1, 100, 'incremental')),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(5);
  });

  test('T10: a limit that changes in the middle holds from the next answer on', async () => {
    await learnt(100);
    await budgets().reconcile('acme', [{ bucket: 'account', total: 20, remaining: 10, used: 1 }]);
    const taken = await Promise.all(
      Array.from({ length: 50 }, () => budgets().take('acme', ['account'], 1, 100, 'incremental')),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(10);
  });

  test('T11: after a 429 nobody calls before the end of its Retry-After', async () => {
    await learnt(100);
    await budgets().block('acme', 34_000);
    const waits = await Promise.all(
      Array.from({ length: 10 }, () => budgets().take('acme', ['account'], 1, 100, 'incremental')),
    );
    for (const wait of waits) expect(wait).toBeGreaterThan(30_000);
    expect(await budgets().take('other', ['account'], 1, 100, 'incremental')).toBe(0);
    await expect(budgets().forAccount('acme', 100).take(['account'], 1, 'incremental')).rejects.toMatchObject({
      code: 'out_of_credits',
    });
  });

  test('a list that counts calls is charged calls, and one that counts credits credits', async () => {
    await learnt(100);
    await learnt(10, 'calls');
    await learnt(10, 'credits');
    // After a first call of 3 credits, one that counts calls has spent 1 more, and one that counts credits 3.
    await budgets().take('acme', ['account', 'calls'], 3, 100, 'incremental');
    await budgets().reconcile('acme', [{ bucket: 'calls', total: 10, remaining: 8, used: 3 }]);
    await budgets().take('acme', ['account', 'credits'], 3, 100, 'incremental');
    await budgets().reconcile('acme', [{ bucket: 'credits', total: 10, remaining: 6, used: 3 }]);
    const granted = async (bucket: string) => {
      const waits = await Promise.all(
        Array.from({ length: 20 }, () => budgets().take('acme', [bucket], 3, 100, 'incremental')),
      );
      return waits.filter((wait) => wait === 0).length;
    };
    expect(await granted('calls')).toBe(8);
    expect(await granted('credits')).toBe(2);
  });

  test('an answer that describes the account’s own limit corrects the account’s count, too', async () => {
    await learnt(50);
    await budgets().take('acme', ['account', 'list'], 1, 100, 'incremental');
    await budgets().reconcile('acme', [{ bucket: 'list', total: 50, remaining: 9, used: 1 }]);
    expect((await budgets().listBuckets('acme')).map((b) => [b.bucket, b.used])).toEqual([
      ['account', 41],
      ['list', 41],
    ]);
  });

  test('a class that was refused goes before all lower ones when the next window begins', async () => {
    await learnt(10);
    const take = (creditClass: CreditClass) => budgets().take('acme', ['account'], 1, 100, creditClass);
    const nextWindow = () => t.database.sql`update freshet.credit_buckets set window_ends_at = now(),
      reserved_until = (select array_agg(w - (window_ends_at - now()) order by i) from unnest(reserved_until) with ordinality as u(w, i))`;
    for (let n = 0; n < 9; n++) expect(await take('children')).toBe(0);
    expect(await take('incremental')).toBeGreaterThan(55_000);
    await nextWindow();
    // The more urgent work has not come back yet: its place is kept for five seconds.
    const kept = await take('children');
    expect(kept).toBeGreaterThan(3000);
    expect(kept).toBeLessThanOrEqual(5000);
    expect(await take('by_hand')).toBe(0);
    expect(await take('incremental')).toBe(0);
    // … and for two more after each of its calls.
    const after = await take('audit');
    expect(after).toBeGreaterThan(1000);
    const [bucket] = await budgets().listBuckets('acme');
    expect(bucket?.classes.map((c) => c.used)).toEqual([1, 1, 0, 0, 0]);
    expect(bucket?.classes.map((c) => c.reservedUntil !== null)).toEqual([false, true, true, false, true]);
  });

  test('one who waits for a more urgent class that goes on and on does not hold its slot for that', async () => {
    await learnt(100);
    const again = () =>
      t.database.sql`update freshet.credit_buckets set reserved_until[2] = now() + interval '1500 milliseconds'`;
    await again();
    const goesOn = setInterval(() => void again().execute(), 200);
    try {
      await expect(budgets().forAccount('acme', 100).take(['account'], 1, 'children')).rejects.toMatchObject({
        code: 'out_of_credits',
      });
    } finally {
      clearInterval(goesOn);
    }
  });

  test('backfill and audit leave a tenth of a window to others until it is nearly over, then use it', async () => {
    await learnt(101);
    const granted = async (creditClass: CreditClass) => {
      const waits = await Promise.all(
        Array.from({ length: 120 }, () => budgets().take('acme', ['account'], 1, 100, creditClass)),
      );
      return { granted: waits.filter((wait) => wait === 0).length, wait: Math.max(...waits) };
    };
    const most = await granted('backfill');
    expect(most.granted).toBe(89);
    expect(most.wait).toBeLessThanOrEqual(46_100);
    await t.database
      .sql`update freshet.credit_buckets set window_ends_at = now() + interval '14 seconds', reserved_until = array_fill(null::timestamptz, array[5])`;
    expect((await granted('audit')).granted).toBe(11);
  });

  test('before an answer has told the limit, only a few calls are made', async () => {
    const taken = await Promise.all(
      Array.from({ length: 100 }, () => budgets().take('new', ['account'], 1, 80, 'incremental')),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(20);
  });
});

describe('I6: secrets stay secret', () => {
  test('no table holds a secret in clear, and the credential never gives it back', async () => {
    const pipeline = await t.createPipeline();
    await start(pipeline.id);
    const { sql } = t.database;
    const tables = await sql<
      { s: string; t: string }[]
    >`select schemaname as s, tablename as t from pg_tables where schemaname in ('freshet', 'pgboss')`;
    for (const { s, t: table } of tables) {
      const [row] = await sql.unsafe(
        `select count(*)::int as n from "${s}"."${table}" x where x::text like '%the-api-key-of-acme%' or x::text like '%the-password-of-acme%'`,
      );
      expect(row?.['n'], `${s}.${table}`).toBe(0);
    }
    expect(JSON.stringify(await t.store.credentials.list({ limit: 10, cursor: null }))).not.toMatch(
      /the-api-key|"secret"/,
    );
    expect(await t.store.credentials.reveal(pipeline.credential_id, 'freshdesk_api_key')).toBe('the-api-key-of-acme');
  });

  test('a sealed secret that is copied to another row does not open', async () => {
    const a = await t.store.credentials.create({ name: 'a', type: 'freshdesk_api_key', secret: 'aaaa' });
    const b = await t.store.credentials.create({ name: 'b', type: 'freshdesk_api_key', secret: 'bbbb' });
    await t.database
      .sql`update freshet.credentials set secret = (select secret from freshet.credentials where id = ${a.id}) where id = ${b.id}`;
    await expect(t.store.credentials.reveal(b.id, 'freshdesk_api_key')).rejects.toMatchObject({
      code: 'secret_unreadable',
    });
  });

  test('keys rotate by one command, for everything that is sealed, and then the old key may go', async () => {
    const pipeline = await t.createPipeline();
    const run = await start(pipeline.id);
    await t.store.extraction.commitStep(await claimed(run.objectRun('lists')), step({ batch: staged(1) }));
    const claim = await t.store.loading.acquire(pipeline.id, 'lists');
    if (!claim) throw new Error('nothing to load');
    const [batch] = await t.store.loading.listPendingBatches(claim, 1);
    const counts = { records: 1, inserted: 0, updated: 0, unchanged: 0, rejected: 1, deleted: 0, missing: 0, stale: 0 };
    const batchId = batch?.id as string;
    await t.store.loading.markLoaded(
      claim,
      outcome({
        batches: [{ batchId, counts }],
        rejectedRecords: [{ batchId, line: 0, reason: 'key_missing: id', raw: '{"record":{}}' }],
      }),
    );
    const young = `young:${randomBytes(32).toString('base64')}`;
    const open = (secretKeys: string) =>
      openControlStore({ databaseUrl: t.database.url, secretKeys, onError: () => {} });
    const both = await open(`${young},${t.secretKeys}`);
    expect(await both.rotateKeys()).toBe(3);
    expect(await both.rotateKeys()).toBe(0);
    await both.close(1000);
    const after = await open(young);
    expect(await after.credentials.reveal(pipeline.credential_id, 'freshdesk_api_key')).toBe('the-api-key-of-acme');
    await after.close(1000);
    await expect(t.store.credentials.reveal(pipeline.credential_id, 'freshdesk_api_key')).rejects.toMatchObject({
      code: 'secret_unreadable',
    });
  });

  test('a credential in use is not deleted, and the refusal names who uses it', async () => {
    const pipeline = await t.createPipeline('busy');
    await expect(t.store.credentials.delete(pipeline.credential_id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('pipeline "busy"'),
    });
  });
});

test('the store opens on a database that is migrated already, by many processes at once', async () => {
  const stores = await Promise.all(
    Array.from({ length: 4 }, () =>
      openControlStore({ databaseUrl: t.database.url, secretKeys: t.secretKeys, onError: () => {} }),
    ),
  );
  await Promise.all(stores.map((s) => s.ping()));
  await Promise.all(stores.map((s) => s.close(1000)));
});
