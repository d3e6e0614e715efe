import { createDatabase, type TestDatabase } from '@freshet/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PreparingClient, prepare } from './preparing-client.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createDatabase();
  const options = { connectionString: database.url, max: 1, Client: PreparingClient };
  pool = new pg.Pool(options as pg.PoolConfig);
  // `pool.end` does not wait until the server has closed the connections, so the removal of the
  // database may terminate them, which the pool reports as an error.
  pool.on('error', () => {});
  await pool.query('create table jobs (id int, data text)');
});
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

const FETCH = `
  with next as (select id from jobs order by id limit 1 for update skip locked )
  update jobs j set data = 'active' from next where j.id = next.id returning j.*`;

const countPrepared = async () => {
  const { rows } = await pool.query('select count(*)::int as n from pg_prepared_statements');
  return rows[0].n as number;
};

test('prepares the statement that fetches jobs, but not other statements, and executes it unprepared after the table has changed (I8)', async () => {
  await pool.query('insert into jobs select n from generate_series(1, 3) n');
  await pool.query('select data from jobs where id = $1', [1]);
  expect(await countPrepared()).toBe(0);
  for (let n = 0; n < 2; n++) expect((await pool.query(FETCH)).rows).toEqual([{ id: 1, data: 'active' }]);
  expect(await countPrepared()).toBe(1);
  await pool.query('alter table jobs add column attempts int default 0');
  await expect(pool.query(FETCH)).rejects.toMatchObject({ code: '0A000' });
  for (let n = 0; n < 2; n++) expect((await pool.query(FETCH)).rows).toMatchObject([{ attempts: 0 }]);
  expect(await countPrepared()).toBe(0);
});

test('prepares the statements that are passed to `prepare`, also if they have parameters', async () => {
  const before = await countPrepared();
  const list = prepare('select id from unnest($1::int[]) as t (id) order by id');
  const count = prepare('select 1 as n');
  for (const ids of [[1, 2], [3]]) {
    expect((await pool.query(list, [ids])).rows).toEqual(ids.map((id) => ({ id })));
    expect((await pool.query(count)).rows).toEqual([{ n: 1 }]);
  }
  expect(await countPrepared()).toBe(before + 2);
});
