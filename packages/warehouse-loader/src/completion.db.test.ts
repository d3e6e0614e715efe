import { randomUUID } from 'node:crypto';
import type { Table } from '@freshet/contracts';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { batch, type Loader, loaderFor, moment, THINGS } from './test-support/loading.ts';

let database: TestDatabase;
let loader: Loader;

beforeAll(async () => {
  database = await createDatabase();
  loader = loaderFor(database);
});
afterAll(async () => {
  await loader[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await database.sql.unsafe('drop schema if exists acme cascade');
});

const thing = (id: number, version: number, more: object = {}) => ({ id, updated_at: moment(version), ...more });
const endOfReading = () => ({
  reached: { run_id: randomUUID(), complete_as_of: moment(1000), complete_back_to: moment(0) },
});
const state = async () =>
  (await database.sql`select completing_since is not null as completing, reread_needed from acme._freshet_objects`)[0];
const COMPLETE = { completing: false, reread_needed: false };
const counts = async (loading: ReturnType<Loader['load']>) => (await loading).batches.map((b) => b.counts)[0];
const withColumns = (change: (column: Table['columns'][number]) => Table['columns'][number] | null): Table => ({
  ...THINGS,
  columns: THINGS.columns.flatMap((c) => change(c) ?? []),
});
const records = [thing(1, 1, { name: 'a', amount: 1.5 }), thing(2, 2, { name: 'b', amount: 2 })];

describe('completion of a table', () => {
  test('a column of the catalogue that an upgrade adds is filled from unchanged records, and counts as an update once', async () => {
    await using older = loaderFor(
      database,
      withColumns((c) => (c.name === 'name' ? null : c)),
    );
    await older.load([batch([thing(1, 1, { amount: 1.5 }), thing(2, 2, { amount: 2 })], {}, endOfReading())]);
    // As the older release has left it.
    await database.sql`update acme._freshet_objects set written_columns = null`;
    const noticed = await loader.load([batch([], { at: 1 }, endOfReading())]);
    expect(noticed.completion).toMatchObject({ isRereadNeeded: false });
    expect(await counts(loader.load([batch([records[0] as object], { at: 2 }, endOfReading())]))).toMatchObject({
      updated: 1,
      unchanged: 0,
    });
    expect(await state()).toEqual({ completing: true, reread_needed: false });
    expect(await counts(loader.load([batch(records, { at: 3 }, endOfReading())]))).toMatchObject({
      updated: 1,
      unchanged: 1,
    });
    expect(await state()).toEqual(COMPLETE);
    expect(await counts(loader.load([batch(records, { at: 4 }, endOfReading())]))).toMatchObject({
      updated: 0,
      unchanged: 2,
    });
    expect(await loader.rows('name')).toEqual([{ name: 'a' }, { name: 'b' }]);
  });

  test('a column that was dropped and added again by hand is filled, and one that a batch widened is not written again', async () => {
    await loader.load([batch(records, {}, endOfReading())]);
    await database.sql.unsafe('alter table acme.things drop column name, add column name text');
    expect(await counts(loader.load([batch(records, { at: 1 }, endOfReading())]))).toMatchObject({ updated: 2 });
    expect(await loader.rows('name, amount')).toEqual([
      { name: 'a', amount: '1.5' },
      { name: 'b', amount: '2' },
    ]);
    await loader.load([batch([thing(3, 3, { open: 'perhaps' })], { at: 2 }, endOfReading())]);
    expect(await counts(loader.load([batch(records, { at: 3 }, endOfReading())]))).toMatchObject({
      updated: 0,
      unchanged: 2,
    });
    expect(await state()).toEqual(COMPLETE);
  });

  test('a column that a user retypes is written again in each type', async () => {
    await loader.load([batch(records, {}, endOfReading())]);
    await database.sql.unsafe("alter table acme.things alter column amount type text using 'lost'");
    await loader.load([batch(records, { at: 1 }, endOfReading())]);
    expect(await loader.rows('amount')).toEqual([{ amount: '1.5' }, { amount: '2' }]);
    await database.sql.unsafe('alter table acme.things alter column amount type double precision using null');
    await loader.load([batch(records, { at: 2 }, endOfReading())]);
    expect(await loader.rows('amount, _freshet_extra')).toEqual([
      { amount: null, _freshet_extra: { amount: 1.5 } },
      { amount: null, _freshet_extra: { amount: 2 } },
    ]);
    await database.sql.unsafe('alter table acme.things alter column amount type numeric');
    await loader.load([batch(records, { at: 3 }, endOfReading())]);
    expect(await loader.rows('amount, _freshet_extra')).toEqual([
      { amount: '1.5', _freshet_extra: null },
      { amount: '2', _freshet_extra: null },
    ]);
    expect(await counts(loader.load([batch(records, { at: 4 }, endOfReading())]))).toMatchObject({
      updated: 0,
      unchanged: 2,
    });
  });

  test('a new field of the account does not write rows again that have no value for it', async () => {
    const some = [thing(1, 1, { custom_fields: { cf_a: 1 } }), thing(2, 2, { custom_fields: { cf_a: null } })];
    await loader.load([batch(some, {}, endOfReading())]);
    const declaring: Table = {
      ...THINGS,
      columns: [
        ...THINGS.columns,
        { name: 'cf_new', type: 'text', description: 'New.', path: ['custom_fields', 'cf_new'] },
      ],
    };
    await using declared = loaderFor(database, declaring);
    const more = thing(3, 3, { custom_fields: { cf_a: 2, cf_new: 'x', cf_other: 'y' }, unknown: 1 });
    expect(await counts(declared.load([batch([...some, more], { at: 1 }, endOfReading())]))).toMatchObject({
      updated: 0,
      unchanged: 2,
      inserted: 1,
    });
    expect(await counts(declared.load([batch([...some, more], { at: 2 }, endOfReading())]))).toMatchObject({
      updated: 0,
      unchanged: 3,
    });
    expect(await state()).toEqual(COMPLETE);
    // A row that has the value in custom_fields only, as after a user has dropped the column.
    await database.sql.unsafe('alter table acme.things drop column cf_a');
    expect(await counts(declared.load([batch([...some, more], { at: 3 }, endOfReading())]))).toMatchObject({
      updated: 3,
    });
    expect(await declared.rows('cf_a')).toEqual([{ cf_a: '1' }, { cf_a: null }, { cf_a: '2' }]);
  });

  test('a field whose rule no longer drops it needs its records to be read again, because stored batches lack it', async () => {
    await using dropping = loaderFor(
      database,
      withColumns((c) => (c.name === 'name' ? { ...c, dropped: true } : c)),
    );
    await dropping.load([batch([thing(1, 1, { name: null })], {}, endOfReading())]);
    const noticed = await loader.load([batch([thing(1, 1, { name: null })], { at: 1, audit: true })]);
    expect(noticed.completion).toMatchObject({ isRereadNeeded: true });
    // Records whose rows differ only by a column are repaired by an audit, and no finding of it.
    expect(noticed.batches[0]?.counts).toMatchObject({ updated: 1, stale: 0 });
    // The rule emptied the column, and drops it again: nothing is missing.
    await dropping.load([batch([], { at: 2 }, endOfReading())]);
    expect((await dropping.load([batch([], { at: 3 }, endOfReading())])).completion).toBeNull();
  });

  test('rows that were written before a restart are written again once, whatever the hash of their records', async () => {
    const restartedAt = new Date('2020-01-01T00:00:00Z');
    await loader.load([batch(records, {}, endOfReading())]);
    await database.sql`update acme.things set name = 'by hand'`;
    expect(await counts(loader.load([batch(records, { at: 1 })]))).toMatchObject({ updated: 0, unchanged: 2 });
    expect(await counts(loader.load([batch(records, { at: 2 })], { restartedAt }))).toMatchObject({ updated: 2 });
    expect(await counts(loader.load([batch(records, { at: 3 })], { restartedAt }))).toMatchObject({
      updated: 0,
      unchanged: 2,
    });
    expect(await loader.rows('name')).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect(await state()).toEqual(COMPLETE);
  });

  test('a row that was read from a newer version is not replaced by an older one that is written again (I4)', async () => {
    await loader.load([batch([thing(1, 5, { name: 'newer' })], { at: 5 })]);
    await database.sql.unsafe('alter table acme.things drop column amount');
    await loader.load([batch([thing(1, 1, { name: 'older', amount: 7 })], { at: 1, rewrite: true }, endOfReading())]);
    expect(await loader.rows('name, amount')).toEqual([{ name: 'newer', amount: null }]);
    expect(await state()).toMatchObject({ completing: true });
  });

  test('the versions in a history get the values of the column, and no version is added', async () => {
    const history = true;
    await loader.load([batch(records, {}, endOfReading())], { history });
    await database.sql.unsafe(
      'alter table acme.things drop column name; alter table acme.things alter column amount type text using null',
    );
    await loader.load([batch(records, { at: 1 }, endOfReading())], { history });
    expect([
      ...(await database.sql`select id::int, name, amount, valid_to from acme.things_history order by id`),
    ]).toEqual([
      { id: 1, name: 'a', amount: '1.5', valid_to: null },
      { id: 2, name: 'b', amount: '2', valid_to: null },
    ]);
  });
});
