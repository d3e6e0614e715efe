import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { openControlStore } from '../index.ts';
import { createControlDatabase } from '../test-support/store.ts';

test('a connection that the server terminates after the store was closed causes no error', async () => {
  await using database = await createControlDatabase();
  const secretKeys = `test:${randomBytes(32).toString('base64')}`;
  const onError = vi.fn();
  const store = await openControlStore({ databaseUrl: database.url, secretKeys, onError });
  // The connections of the pool stay open, as if the server did not yet know that they have ended.
  // Only the pool passes a callback.
  const ended: pg.Client[] = [];
  const original = Reflect.get(pg.Client.prototype, 'end') as () => Promise<void>;
  const end = vi.spyOn(pg.Client.prototype, 'end').mockImplementation(function (
    this: pg.Client,
    callback?: () => void,
  ) {
    if (callback === undefined) return original.call(this);
    ended.push(this);
    callback();
    return Promise.resolve();
  } as typeof pg.Client.prototype.end);
  try {
    await store.close(1000);
  } finally {
    end.mockRestore();
  }
  expect(ended).not.toEqual([]);
  const closed = ended.map((client) => new Promise((resolve) => client.once('end', resolve)));
  await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'freshet-queue'`;
  await Promise.all(closed);
  expect(onError).not.toHaveBeenCalled();
});
