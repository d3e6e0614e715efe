import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

const DAY_MS = 86_400_000;

let t: TestStore;
let sql: postgres.Sql;

beforeAll(async () => {
  t = await openTestStore();
  sql = t.database.sql;
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

const toDay = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY_MS).toISOString().slice(0, 10);
const toName = (daysAgo: number) => `batches_${toDay(daysAgo).replaceAll('-', '')}`;

async function listPartitions(): Promise<string[]> {
  const rows = await sql`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'freshet.batches'::regclass order by 1`;
  return rows.map(({ name }) => name);
}

describe('maintainBatchPartitions', () => {
  test('creates the partitions of the coming days, and drops old partitions whose batches are no longer required', async () => {
    const { schedule } = t.store;
    expect(await listPartitions()).toEqual([toName(0), 'batches_default']);
    // Three schedulers run at the same time.
    expect(await Promise.all([1, 2, 3].map(() => schedule.maintainBatchPartitions(7)))).toEqual([0, 0, 0]);
    const current = [0, -1, -2, -3, -4, -5, -6, -7].map(toName);
    expect(await listPartitions()).toEqual([...current, 'batches_default']);
    const pipeline = await t.createPipeline();
    const { id: runId } = await t.store.runs.start(pipeline.id, 'manual', [
      { name: 'roles', creditClass: 'incremental' },
    ]);
    const [open] = (await t.store.runs.get(runId)).objects;
    const store = (daysAgo: number, loadedDaysAgo: number | null, objectRunId: string = randomUUID()) => sql`
      insert into freshet.batches (id, stored_on, pipeline_id, object, object_run_id, records, raw_bytes,
        extracted_at, body, loaded_at)
      values (gen_random_uuid(), ${toDay(daysAgo)}, ${pipeline.id}, 'roles', ${objectRunId}, 1, 2, now(), '\\x00',
        ${loadedDaysAgo === null ? null : new Date(Date.now() - loadedDaysAgo * DAY_MS)})`;
    for (const day of [20, 19, 18, 17]) {
      await sql.unsafe(
        `create table freshet.${toName(day)} partition of freshet.batches for values from ('${toDay(day)}') to ('${toDay(day - 1)}')`,
      );
      await store(day, 15);
    }
    // Store a pending batch, a recently loaded batch, a batch of an open run, and a batch of a day
    // without a partition.
    await store(19, null);
    await store(18, 3);
    await store(17, 15, open?.id);
    await store(30, 15);
    const reader = await sql.reserve();
    await reader`begin`;
    await reader`select count(*) from freshet.batches`;
    expect(await schedule.maintainBatchPartitions(7), 'a reader holds a lock').toBe(0);
    await reader`rollback`;
    reader.release();
    expect(await schedule.maintainBatchPartitions(7)).toBe(1);
    expect(await listPartitions()).toEqual([toName(19), toName(18), toName(17), ...current, 'batches_default']);
    // Loaded batches of a retained partition are deleted row by row.
    expect(await schedule.pruneLoadedBatches(7)).toBe(4);
    const rows = await sql`
      select stored_on::text as day, loaded_at is null as pending, object_run_id = ${open?.id as string} as open
      from freshet.batches order by 1`;
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { day: toDay(19), pending: true, open: false },
      { day: toDay(18), pending: false, open: false },
      { day: toDay(17), pending: false, open: true },
    ]);
  });

  test('creates no partition for a day whose batches are in the default partition, and these batches are loaded in order', async () => {
    await sql.unsafe(`drop table freshet.${toName(0)}`);
    const pipeline = await t.createPipeline();
    await sql`insert into freshet.pipeline_objects (pipeline_id, object) values (${pipeline.id}, 'roles')`;
    const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
    const store = (id: string) => sql`
      insert into freshet.batches (id, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body)
      values (${id}, ${pipeline.id}, 'roles', ${randomUUID()}, 1, 2, now(), '\\x00')`;
    await store(ids[0]);
    await store(ids[1]);
    await t.store.schedule.maintainBatchPartitions(7);
    await store(ids[2]);
    await t.store.schedule.maintainBatchPartitions(7);
    expect(await listPartitions()).not.toContain(toName(0));
    const lease = await t.store.loading.acquire(pipeline.id, 'roles');
    if (lease === null) throw new Error('The table has no lease.');
    expect((await t.store.loading.listPendingBatches(lease, 1000)).map(({ id }) => id)).toEqual(ids);
    const tables = ['batches', 'batches_default', toName(-1)].map((name) => `freshet.${name}`);
    const storage = await sql`
      select attstorage from pg_attribute where attname = 'body' and attrelid = any(${tables}::text[]::regclass[])`;
    expect(storage.map(({ attstorage }) => attstorage)).toEqual(['e', 'e', 'e']);
  });
});
