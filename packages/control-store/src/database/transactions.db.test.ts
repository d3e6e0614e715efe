import { setImmediate } from 'node:timers/promises';
import { createDatabase } from '@freshet/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';
import { connect, createAmbientSql, settleAll } from './database.ts';
import { NIL_UUID } from './ids.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

const create = (name: string) => t.store.credentials.create({ name, type: 'freshdesk_api_key', secret: 'x' });
const listNames = async () =>
  (await t.store.credentials.list({ limit: 200, cursor: null })).data.map(({ name }) => name);

/** Appends an audit log entry, which is sent together with the commit. */
const append = (action: string, actorId = NIL_UUID) =>
  t.store.auditLog.append({
    actor_id: actorId,
    actor_name: 'a',
    actor_role: 'observer',
    address: '127.0.0.1',
    request_id: 'r',
    action,
    resource: 'credentials',
    before: null,
    after: null,
  });

describe('ControlStore.transaction', () => {
  test('rolls back and throws if a statement that is sent together with the commit fails (I1)', async () => {
    // Each connection prepares the statement in its first round.
    for (let round = 0; round < 10; round++) {
      const failed = t.store.transaction(async () => {
        await create(`rolled back ${round}`);
        await append('failed', 'not a UUID');
      });
      await expect(failed, `round ${round}`).rejects.toThrow('uuid');
      await t.store.transaction(async () => {
        await create(`committed ${round}`);
        await append('committed');
      });
    }
    expect((await listNames()).toSorted()).toEqual(Array.from({ length: 10 }, (_, round) => `committed ${round}`));
    const entries = await t.store.auditLog.list({ limit: 100, cursor: null }, {});
    expect(entries.data.map(({ action }) => action)).toEqual(Array.from({ length: 10 }, () => 'committed'));
  });

  test('throws if the server no longer knows such a statement, and the connection stays usable (I1)', async () => {
    await using database = await createDatabase();
    const pool = connect(database.url, 1);
    const { sql, transaction, runWithCommit } = createAmbientSql(pool, pool);
    await pool`create table names (name text)`;
    const insert = (name: string, isForgotten: boolean) =>
      transaction(async () => {
        await sql`insert into names values (${name})`;
        // As a connection pooler does when it assigns a different connection.
        if (isForgotten) await sql.unsafe('deallocate all');
        await runWithCommit(sql`insert into names select ${`${name} with the commit`}::text`);
      });
    await insert('first', false);
    await expect(insert('second', true)).rejects.toMatchObject({ code: '26000' });
    // The other statement of the transaction is prepared again after it has failed once, too.
    await expect(insert('third', false)).rejects.toMatchObject({ code: '26000' });
    await insert('fourth', false);
    expect((await pool`select name from names order by name`).map(({ name }) => name)).toEqual([
      'first',
      'first with the commit',
      'fourth',
      'fourth with the commit',
    ]);
    await pool.end();
  });

  test('throws the error of the work if the work fails after a statement of runWithCommit has failed', async () => {
    const failed = t.store.transaction(async () => {
      await append('failed', 'not a UUID');
      // The statement has failed when the next one returns.
      await expect(t.store.credentials.list({ limit: 1, cursor: null })).rejects.toThrow();
      throw new Error('The work failed.');
    });
    await expect(failed).rejects.toThrow('The work failed.');
  });

  test('a nested transaction in which a statement of runWithCommit fails rolls back without the outer transaction', async () => {
    await t.store.transaction(async () => {
      await create('outer');
      const nested = t.store.transaction(async () => {
        await create('nested');
        await append('failed', 'not a UUID');
      });
      await expect(nested).rejects.toThrow('uuid');
    });
    expect(await listNames()).toEqual(['outer']);
  });

  test('executes no further statements after its connection is lost, even if the pool reconnects, and other callers are not affected (I1)', async () => {
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

describe('settleAll', () => {
  test('waits for all statements of a failed transaction, and throws the error that made the transaction fail (I1)', async () => {
    await using database = await createDatabase();
    const pool = connect(database.url, 1);
    await pool`create table names (name text)`;
    const transaction = pool.begin(async (tx) => {
      const failing = tx`select 1 / 0`.execute();
      const sendLater = async () => {
        await failing.catch(() => {});
        // Without `settleAll`, the rollback would be sent now.
        await setImmediate();
        await tx`insert into names values ('outside of the transaction')`;
      };
      await settleAll([sendLater(), failing]);
    });
    await expect(transaction).rejects.toThrow('division by zero');
    await setImmediate();
    expect(await pool`select from names`).toHaveLength(0);
    await pool.end();
  });
});
