import { afterAll, beforeAll, expect, test } from 'vitest';
import { openControlStore } from '../index.ts';
import { openTestStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());

test('lists a process from its start, and marks it as stopped when its store is closed', async () => {
  const store = await openControlStore({
    name: 'load-worker',
    databaseUrl: t.database.url,
    secretKeys: t.secretKeys,
    onError: (error) => {
      throw error;
    },
  });
  const find = async () => (await t.store.processes.list()).find(({ name }) => name === 'load-worker');
  const listed = await find();
  expect(listed).toMatchObject({ pid: process.pid, state: 'alive' });
  expect(listed?.cpu).toBeGreaterThanOrEqual(0);
  expect(listed?.memory_bytes).toBeGreaterThan(1024 * 1024);
  await store.close(1000);
  expect(await find()).toMatchObject({ id: listed?.id, state: 'stopped' });
});

test('lists a process as quiet after three missing heartbeats, and omits it after an hour', async () => {
  const { sql } = t.database;
  await sql`
    insert into freshet.processes (id, name, host, pid, seen_at) values
      (gen_random_uuid(), 'quiet', 'h', 1, now() - interval '91 seconds'),
      (gen_random_uuid(), 'alive', 'h', 2, now() - interval '89 seconds'),
      (gen_random_uuid(), 'old', 'h', 3, now() - interval '61 minutes')`;
  const states = Object.fromEntries((await t.store.processes.list()).map(({ name, state }) => [name, state]));
  expect(states).toMatchObject({ quiet: 'quiet', alive: 'alive' });
  expect(states).not.toHaveProperty('old');
});
