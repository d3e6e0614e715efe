import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countModelRows, eraseModelRows } from './erasure.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  await database.sql.unsafe(`
    create schema acme_analytics;
    create table acme_analytics.ticket_metrics (ticket_id bigint, requester_id text, "Odd name" text);
    create table acme_analytics.other (day date);
    create table acme_analytics._freshet_changed_tickets (ticket_id bigint);
    create view acme_analytics.labels as select * from acme_analytics.ticket_metrics;
    create schema acme;
    create table acme.facts (ticket_id bigint)`);
});
afterAll(() => database[Symbol.asyncDispose]());

const target = { schema: 'acme', tablePrefix: '', timeZone: null };
const filters = [
  { column: 'ticket_id', values: ['1', '2'] },
  { column: 'requester_id', values: ['7'] },
  { column: 'absent', values: ['1'] },
];

test('the rows of erased records are counted and deleted in the tables of models, and nowhere else', async () => {
  const { sql } = database;
  await sql`
    insert into acme_analytics.ticket_metrics (ticket_id, requester_id) values (1, '7'), (2, '8'), (3, '7'), (4, '9'), (5, null)`;
  await sql`insert into acme_analytics._freshet_changed_tickets values (1)`;
  await sql`insert into acme.facts values (1)`;
  expect(await countModelRows(sql, target, filters)).toBe(4);
  expect(await eraseModelRows(sql, target, filters)).toBe(3);
  expect(await countModelRows(sql, target, filters)).toBe(0);
  expect(await sql`select ticket_id::int from acme_analytics.ticket_metrics order by 1`).toEqual([
    { ticket_id: 4 },
    { ticket_id: 5 },
  ]);
  expect(await sql`select ticket_id::int from acme_analytics._freshet_changed_tickets`).toEqual([{ ticket_id: 1 }]);
  expect(await sql`select ticket_id::int from acme.facts`).toEqual([{ ticket_id: 1 }]);
});

test('a pipeline without models has no rows to erase', async () => {
  expect(await countModelRows(database.sql, { ...target, schema: 'nothing' }, filters)).toBe(0);
  expect(await eraseModelRows(database.sql, { ...target, schema: 'nothing' }, filters)).toBe(0);
});
