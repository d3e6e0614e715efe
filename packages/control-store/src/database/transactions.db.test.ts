import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

describe('ControlStore.transaction', () => {
  test('executes no further statements after its connection is lost, even if the pool reconnects, and other callers are not affected (I1)', async () => {
    const listNames = async () =>
      (await t.store.credentials.list({ limit: 200, cursor: null })).data.map(({ name }) => name);
    const create = (name: string) => t.store.credentials.create({ name, type: 'freshdesk_api_key', secret: 'x' });
    for (let round = 0; round < 10; round++) {
      const late: PromiseSettledResult<unknown>[] = [];
      const lost = t.store.transaction(async () => {
        await create(`before ${round}`);
        await t.database.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'freshet' and state = 'idle in transaction'`;
        // Other callers use the pool at the same time, outside of the transaction's context.
        await Promise.all(others);
        late.push(...(await Promise.allSettled([create(`after ${round}`), create(`later ${round}`)])));
      });
      const others = Array.from({ length: 10 }, () => t.store.ping());
      await expect(lost, `round ${round}`).rejects.toThrow();
      await Promise.all(Array.from({ length: 10 }, () => t.store.ping()));
      expect(await listNames(), `round ${round}`).toEqual([]);
    }
    await t.store.transaction(() => create('committed'));
    expect(await listNames()).toEqual(['committed']);
  });
});
