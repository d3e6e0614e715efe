import { randomUUID } from 'node:crypto';
import type { Table } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import {
  buildBatch,
  buildThing,
  openTestLoader,
  TEST_TABLE,
  type TestLoader,
  toTime,
} from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();

const coverageLine = () => ({
  reached: { run_id: randomUUID(), complete_as_of: toTime(1000), complete_back_to: toTime(0) },
});
const readState = async () =>
  (await database.sql`select completing_since is not null as completing, reread_needed from acme._freshet_objects`)[0];
const COMPLETE = { completing: false, reread_needed: false };
const getCounts = async (loading: ReturnType<TestLoader['load']>) => (await loading).batches.map((b) => b.counts)[0];
const changeColumns = (change: (column: Table['columns'][number]) => Table['columns'][number] | null): Table => ({
  ...TEST_TABLE,
  columns: TEST_TABLE.columns.flatMap((c) => change(c) ?? []),
});
const records = [buildThing(1, 1, { name: 'a', amount: 1.5 }), buildThing(2, 2, { name: 'b', amount: 2 })];

describe('the completion of a table', () => {
  test('fills a documented column that an upgrade adds, and counts each filled row as updated exactly once', async () => {
    await using olderRelease = openTestLoader(
      database,
      changeColumns((c) => (c.name === 'name' ? null : c)),
    );
    await olderRelease.load([
      buildBatch([buildThing(1, 1, { amount: 1.5 }), buildThing(2, 2, { amount: 2 })], {}, coverageLine()),
    ]);
    // The older release did not store `written_columns`.
    await database.sql`update acme._freshet_objects set written_columns = null`;
    const result = await loader.load([buildBatch([], { extractedAt: 1 }, coverageLine())]);
    expect(result.completion).toMatchObject({ isRereadNeeded: false });
    expect(
      await getCounts(loader.load([buildBatch([records[0] as object], { extractedAt: 2 }, coverageLine())])),
    ).toMatchObject({
      updated: 1,
      unchanged: 0,
    });
    expect(await readState()).toEqual({ completing: true, reread_needed: false });
    expect(await getCounts(loader.load([buildBatch(records, { extractedAt: 3 }, coverageLine())]))).toMatchObject({
      updated: 1,
      unchanged: 1,
    });
    expect(await readState()).toEqual(COMPLETE);
    expect(await getCounts(loader.load([buildBatch(records, { extractedAt: 4 }, coverageLine())]))).toMatchObject({
      updated: 0,
      unchanged: 2,
    });
    expect(await loader.rows('name')).toEqual([{ name: 'a' }, { name: 'b' }]);
  });

  test('rewrites the rows after a user has dropped a column and added it again, but not after a load with a value that does not fit its column', async () => {
    await loader.load([buildBatch(records, {}, coverageLine())]);
    await database.sql.unsafe('alter table acme.things drop column name, add column name text');
    expect(await getCounts(loader.load([buildBatch(records, { extractedAt: 1 }, coverageLine())]))).toMatchObject({
      updated: 2,
    });
    expect(await loader.rows('name, amount')).toEqual([
      { name: 'a', amount: '1.5' },
      { name: 'b', amount: '2' },
    ]);
    await loader.load([buildBatch([buildThing(3, 3, { open: 'perhaps' })], { extractedAt: 2 }, coverageLine())]);
    expect(await getCounts(loader.load([buildBatch(records, { extractedAt: 3 }, coverageLine())]))).toMatchObject({
      updated: 0,
      unchanged: 2,
    });
    expect(await readState()).toEqual(COMPLETE);
  });

  test('rewrites the rows every time a user changes the type of a column', async () => {
    await loader.load([buildBatch(records, {}, coverageLine())]);
    await database.sql.unsafe("alter table acme.things alter column amount type text using 'lost'");
    await loader.load([buildBatch(records, { extractedAt: 1 }, coverageLine())]);
    expect(await loader.rows('amount')).toEqual([{ amount: '1.5' }, { amount: '2' }]);
    await database.sql.unsafe('alter table acme.things alter column amount type double precision using null');
    await loader.load([buildBatch(records, { extractedAt: 2 }, coverageLine())]);
    expect(await loader.rows('amount, _freshet_extra')).toEqual([
      { amount: null, _freshet_extra: { amount: 1.5 } },
      { amount: null, _freshet_extra: { amount: 2 } },
    ]);
    await database.sql.unsafe('alter table acme.things alter column amount type numeric');
    await loader.load([buildBatch(records, { extractedAt: 3 }, coverageLine())]);
    expect(await loader.rows('amount, _freshet_extra')).toEqual([
      { amount: '1.5', _freshet_extra: null },
      { amount: '2', _freshet_extra: null },
    ]);
    expect(await getCounts(loader.load([buildBatch(records, { extractedAt: 4 }, coverageLine())]))).toMatchObject({
      updated: 0,
      unchanged: 2,
    });
  });

  test('does not rewrite rows that have no value for a new custom field, but rewrites all rows after a user has dropped a column', async () => {
    const existing = [
      buildThing(1, 1, { custom_fields: { cf_a: 1 } }),
      buildThing(2, 2, { custom_fields: { cf_a: null } }),
    ];
    await loader.load([buildBatch(existing, {}, coverageLine())]);
    const declared: Table = {
      ...TEST_TABLE,
      columns: [
        ...TEST_TABLE.columns,
        { name: 'cf_new', type: 'text', description: 'New.', path: ['custom_fields', 'cf_new'] },
      ],
    };
    await using declaringLoader = openTestLoader(database, declared);
    const added = buildThing(3, 3, { custom_fields: { cf_a: 2, cf_new: 'x', cf_other: 'y' }, unknown: 1 });
    expect(
      await getCounts(declaringLoader.load([buildBatch([...existing, added], { extractedAt: 1 }, coverageLine())])),
    ).toMatchObject({
      updated: 0,
      unchanged: 2,
      inserted: 1,
    });
    expect(
      await getCounts(declaringLoader.load([buildBatch([...existing, added], { extractedAt: 2 }, coverageLine())])),
    ).toMatchObject({
      updated: 0,
      unchanged: 3,
    });
    expect(await readState()).toEqual(COMPLETE);
    // After a user has dropped the column cf_a, only custom_fields contains its values.
    await database.sql.unsafe('alter table acme.things drop column cf_a');
    expect(
      await getCounts(declaringLoader.load([buildBatch([...existing, added], { extractedAt: 3 }, coverageLine())])),
    ).toMatchObject({
      updated: 3,
    });
    expect(await declaringLoader.rows('cf_a')).toEqual([{ cf_a: '1' }, { cf_a: null }, { cf_a: '2' }]);
  });

  test('requires a new extraction when a field rule no longer drops a field, because the stored batches lack the values of the field', async () => {
    await using dropping = openTestLoader(
      database,
      changeColumns((c) => (c.name === 'name' ? { ...c, dropped: true } : c)),
    );
    await dropping.load([buildBatch([buildThing(1, 1, { name: null })], {}, coverageLine())]);
    const result = await loader.load([
      buildBatch([buildThing(1, 1, { name: null })], { extractedAt: 1, isAudit: true }),
    ]);
    expect(result.completion).toMatchObject({ isRereadNeeded: true });
    // The audit does not count rows that differ only in a new column as stale.
    expect(result.batches[0]?.counts).toMatchObject({ updated: 1, stale: 0 });
    // The field is dropped again, so no values are missing.
    await dropping.load([buildBatch([], { extractedAt: 2 }, coverageLine())]);
    expect((await dropping.load([buildBatch([], { extractedAt: 3 }, coverageLine())])).completion).toBeNull();
  });

  test('rewrites the rows of unchanged records exactly once after a restart of the object', async () => {
    const restartedAt = new Date('2020-01-01T00:00:00Z');
    await loader.load([buildBatch(records, {}, coverageLine())]);
    await database.sql`update acme.things set name = 'manual'`;
    expect(await getCounts(loader.load([buildBatch(records, { extractedAt: 1 })]))).toMatchObject({
      updated: 0,
      unchanged: 2,
    });
    expect(await getCounts(loader.load([buildBatch(records, { extractedAt: 2 })], { restartedAt }))).toMatchObject({
      updated: 2,
    });
    expect(await getCounts(loader.load([buildBatch(records, { extractedAt: 3 })], { restartedAt }))).toMatchObject({
      updated: 0,
      unchanged: 2,
    });
    expect(await loader.rows('name')).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect(await readState()).toEqual(COMPLETE);
  });

  test('does not replace a row with an older version of its record (I4)', async () => {
    await loader.load([buildBatch([buildThing(1, 5, { name: 'newer' })], { extractedAt: 5 })]);
    await database.sql.unsafe('alter table acme.things drop column amount');
    await loader.load([
      buildBatch([buildThing(1, 1, { name: 'older', amount: 7 })], { extractedAt: 1, isRewrite: true }, coverageLine()),
    ]);
    expect(await loader.rows('name, amount')).toEqual([{ name: 'newer', amount: null }]);
    expect(await readState()).toMatchObject({ completing: true });
  });

  test('fills new and changed columns in the current versions of the history, without adding versions', async () => {
    await loader.load([buildBatch(records, {}, coverageLine())], { hasHistory: true });
    await database.sql.unsafe(
      'alter table acme.things drop column name; alter table acme.things alter column amount type text using null',
    );
    await loader.load([buildBatch(records, { extractedAt: 1 }, coverageLine())], { hasHistory: true });
    expect([
      ...(await database.sql`select id::int, name, amount, valid_to from acme.things_history order by id`),
    ]).toEqual([
      { id: 1, name: 'a', amount: '1.5', valid_to: null },
      { id: 2, name: 'b', amount: '2', valid_to: null },
    ]);
  });
});
