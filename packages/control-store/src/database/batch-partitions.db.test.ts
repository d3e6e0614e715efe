import { randomBytes, randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDatabase } from '@freshet/testing';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openControlStore } from '../index.ts';
import { openTestStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;
beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());

const dayOf = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
const nameOf = (daysAgo: number) => `batches_${dayOf(daysAgo).replaceAll('-', '')}`;
const partitions = async (sql: postgres.Sql) =>
  (
    await sql`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'freshet.batches'::regclass order by 1`
  ).map(({ name }) => name);

test('days get their place before they come, and go as a whole when nothing of them is needed', async () => {
  const { sql } = t.database;
  const { schedule } = t.store;
  expect(await partitions(sql)).toEqual([nameOf(0), 'batches_default']);
  // Schedulers start together.
  expect(await Promise.all([1, 2, 3].map(() => schedule.maintainBatchPartitions(7)))).toEqual([0, 0, 0]);
  const kept = [0, -1, -2, -3, -4, -5, -6, -7].map(nameOf);
  expect(await partitions(sql)).toEqual([...kept, 'batches_default']);
  const pipeline = await t.createPipeline();
  const { id: runId } = await t.store.runs.start(pipeline.id, 'manual', [
    { name: 'roles', creditClass: 'incremental' },
  ]);
  const [open] = (await t.store.runs.get(runId)).objects;
  const store = (daysAgo: number, loadedDaysAgo: number | null, objectRunId: string = randomUUID()) => sql`
    insert into freshet.batches (id, stored_on, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body, loaded_at)
    values (gen_random_uuid(), ${dayOf(daysAgo)}, ${pipeline.id}, 'roles', ${objectRunId}, 1, 2, now(), '\\x00',
      ${loadedDaysAgo === null ? null : new Date(Date.now() - loadedDaysAgo * 86_400_000)})`;
  for (const day of [20, 19, 18, 17]) {
    await sql.unsafe(
      `create table freshet.${nameOf(day)} partition of freshet.batches for values from ('${dayOf(day)}') to ('${dayOf(day - 1)}')`,
    );
    await store(day, 15);
  }
  // One that waits still, one that was loaded lately, one of an open run; and a day that has no place of its own.
  await store(19, null);
  await store(18, 3);
  await store(17, 15, open?.id);
  await store(30, 15);
  const holder = await sql.reserve();
  await holder`begin`;
  await holder`select count(*) from freshet.batches`;
  expect(await schedule.maintainBatchPartitions(7), 'somebody reads it').toBe(0);
  await holder`rollback`;
  holder.release();
  expect(await schedule.maintainBatchPartitions(7)).toBe(1);
  expect(await partitions(sql)).toEqual([nameOf(19), nameOf(18), nameOf(17), ...kept, 'batches_default']);
  // What stands beside something that is needed goes in pieces.
  expect(await schedule.pruneLoadedBatches(7)).toBe(4);
  expect(
    (
      await sql`select stored_on::text as day, loaded_at is null as waits, object_run_id = ${open?.id as string} as open from freshet.batches order by 1`
    ).map((row) => ({ ...row })),
  ).toEqual([
    { day: dayOf(19), waits: true, open: false },
    { day: dayOf(18), waits: false, open: false },
    { day: dayOf(17), waits: false, open: true },
  ]);
});

test('what was stored before there were partitions stays, in its order, and is loaded', async () => {
  await using database = await createDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'freshet-migrations-'));
  cpSync(fileURLToPath(new URL('../../migrations', import.meta.url)), folder, { recursive: true });
  const journal = join(folder, 'meta/_journal.json');
  const { entries, ...rest } = JSON.parse(readFileSync(journal, 'utf8')) as { entries: { tag: string }[] };
  const before = entries.slice(
    0,
    entries.findIndex(({ tag }) => tag.endsWith('batch_partitions')),
  );
  writeFileSync(journal, JSON.stringify({ ...rest, entries: before }));
  await migrate(drizzle(database.sql), { migrationsFolder: folder, migrationsSchema: 'freshet_migrations' });
  rmSync(folder, { recursive: true });
  const { sql } = database;
  const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
  const [credential, destination, pipeline] = [randomUUID(), randomUUID(), randomUUID()];
  await sql`insert into freshet.credentials (id, name, type, secret, hint) values (${credential}, 'c', 'freshdesk_api_key', 's', 'h')`;
  await sql`insert into freshet.destinations (id, name, type, host, port, database, username, credential_id, ssl_mode)
    values (${destination}, 'd', 'postgres', 'h', 1, 'd', 'u', ${credential}, 'disable')`;
  await sql`insert into freshet.pipelines (id, name, subdomain, credential_id, credit_share_percent, destination_id, destination_schema, table_prefix, frequency_minutes, objects, schema_policy)
    values (${pipeline}, 'p', 'acme', ${credential}, 80, ${destination}, 's', '', 360, '{}', 'evolve')`;
  await sql`insert into freshet.pipeline_objects (pipeline_id, object) values (${pipeline}, 'roles')`;
  const store = (id: string) => sql`
    insert into freshet.batches (id, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body)
    values (${id}, ${pipeline}, 'roles', ${randomUUID()}, 1, 2, now(), '\\x00')`;
  await store(ids[0]);
  await store(ids[1]);
  const opened = await openControlStore({
    databaseUrl: database.url,
    secretKeys: `k:${randomBytes(32).toString('base64')}`,
    onError: () => {},
  });
  try {
    await store(ids[2]);
    await opened.schedule.maintainBatchPartitions(7);
    expect(await partitions(sql)).not.toContain(nameOf(0));
    const claim = await opened.loading.acquire(pipeline, 'roles');
    if (claim === null) throw new Error('nothing to load');
    expect((await opened.loading.listPendingBatches(claim, 1000)).map(({ id }) => id)).toEqual(ids);
    const storage =
      await sql`select attstorage from pg_attribute where attname = 'body' and attrelid = any(${['batches', 'batches_default', nameOf(-1)].map((name) => `freshet.${name}`)}::text[]::regclass[])`;
    expect(storage.map(({ attstorage }) => attstorage)).toEqual(['e', 'e', 'e']);
  } finally {
    await opened.close(1000);
  }
});
