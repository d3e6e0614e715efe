import { describe, expect, test } from 'vitest';
import { runReadOnly } from '../read-only.ts';
import { buildBatch, buildThing } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';
import { listRelations, type Relation, type RelationName, readRowCounts } from './relations.ts';
import { type PreviewLimits, previewRows } from './rows.ts';

const { database, loader } = await useTestLoader();

const LIMITS: PreviewLimits = { rowsMax: 50, valueBytesMax: 1024, bytesMax: 1_000_000 };
const inspect = (...names: string[]) =>
  runReadOnly(database.sql, 10_000, (transaction) =>
    listRelations(
      transaction,
      names.map((name): RelationName => ({ schema: 'acme', name })),
    ),
  );
const preview = async (name: string, limits: Partial<PreviewLimits> = {}) => {
  const [relation] = await inspect(name);
  return await runReadOnly(database.sql, 10_000, (transaction) =>
    previewRows(transaction, relation as Relation, { ...LIMITS, ...limits }),
  );
};

describe('listRelations', () => {
  test('describes tables and views, and omits names that do not exist', async () => {
    await loader.load([buildBatch([buildThing(1, 0, { custom_fields: { cf_größe: 'x' } })])]);
    await database.sql.unsafe(`
      create view acme.v as select id, name from acme.things;
      comment on column acme.v.name is 'A name.';
      analyze acme.things`);
    const relations = await inspect('things', 'v', 'missing');
    expect(relations).toHaveLength(2);
    const [things, view] = relations;
    expect(things).toMatchObject({
      schema: 'acme',
      name: 'things',
      isView: false,
      description: 'Things.',
      estimatedRows: 1,
      bytes: expect.any(Number),
      key: ['id'],
    });
    expect(things?.columns[0]).toEqual({ name: 'id', type: 'bigint', isNullable: false, description: 'id.' });
    // The comment of a custom field ends with the path of the field.
    expect(things?.columns.find(({ name }) => name.startsWith('cf_gr'))?.description ?? '').not.toContain('path');
    expect(view).toMatchObject({ isView: true, description: null, estimatedRows: null, bytes: null, key: [] });
    expect(view?.columns).toEqual([
      { name: 'id', type: 'bigint', isNullable: true, description: null },
      { name: 'name', type: 'text', isNullable: true, description: 'A name.' },
    ]);
  });

  test('returns no estimate for a table without statistics, and the columns of a unique index as the key', async () => {
    await database.sql.unsafe(`
      create schema if not exists acme;
      create table acme.keyed (b int, a int not null, c int);
      create unique index on acme.keyed (c) where c > 0;
      create unique index on acme.keyed (lower(c::text));
      create unique index on acme.keyed (a, b) include (c)`);
    expect(await inspect('keyed')).toMatchObject([{ estimatedRows: null, key: ['a', 'b'] }]);
  });

  test('the row counts of the loader equal those of the tables', async () => {
    expect(await runReadOnly(database.sql, 1000, (transaction) => readRowCounts(transaction, 'acme'))).toEqual(
      new Map(),
    );
    await loader.load([buildBatch([buildThing(1, 0), buildThing(2, 0), buildThing(2, 1)])]);
    expect(await runReadOnly(database.sql, 1000, (transaction) => readRowCounts(transaction, 'acme'))).toEqual(
      new Map([['things', 2]]),
    );
  });
});

describe('previewRows', () => {
  test('returns the newest rows first, and states whether there are more', async () => {
    await loader.load([buildBatch(Array.from({ length: 60 }, (_, i) => buildThing(i, 0)))]);
    const { rows, hasMore, cutValues } = await preview('things', { rowsMax: 25 });
    expect(rows.map((row) => row['id'])).toEqual(Array.from({ length: 25 }, (_, i) => 59 - i));
    expect([hasMore, cutValues]).toEqual([true, []]);
    expect(await preview('things', { rowsMax: 60 })).toMatchObject({ hasMore: false, rows: { length: 60 } });
  });

  test('numbers keep every digit, times are in UTC, and JSON stays text (I10)', async () => {
    await database.sql.unsafe(`
      create schema if not exists acme;
      create table acme.types (
        a bigint, b numeric, c numeric, d boolean, e timestamptz, f date, g jsonb, h text, i bytea, j text[]
      );
      insert into acme.types values (
        9007199254740993, 1.50, 12345678901234567.25, false, '2026-01-31 12:00:00.123456+02', '2026-01-31',
        '{"n":12345678901234567890}', null, '\\x00ff', '{a,"b c"}')`);
    expect((await preview('types')).rows).toEqual([
      {
        a: '9007199254740993',
        b: 1.5,
        c: '12345678901234567.25',
        d: false,
        e: '2026-01-31T10:00:00.123456Z',
        f: '2026-01-31',
        g: '{"n": 12345678901234567890}',
        h: null,
        i: '\\x00ff',
        j: '{a,"b c"}',
      },
    ]);
  });

  test('cuts long values at the end of a character, and ends at the limit of bytes (I9)', async () => {
    await database.sql.unsafe(`
      create schema if not exists acme;
      create table acme.long (id int primary key, "select ""x""" text, same text, number numeric);
      insert into acme.long select n, repeat('é', 10), repeat('x', 9), repeat('7', 30)::numeric from generate_series(1, 45) n`);
    const { rows, cutValues, hasMore } = await preview('long', { valueBytesMax: 9, bytesMax: 60 });
    expect(rows[0]).toEqual({ id: 45, 'select "x"': 'éééé', same: 'xxxxxxxxx', number: '777777777' });
    expect(cutValues.slice(0, 2)).toEqual([
      { row: 0, column: 'select "x"', bytes: 20 },
      { row: 0, column: 'number', bytes: 30 },
    ]);
    // Each row has 29 bytes, so the third row exceeds the limit.
    expect([rows.length, hasMore]).toEqual([3, true]);
  });

  test('reads views and tables without columns', async () => {
    await database.sql.unsafe(`
      create schema if not exists acme;
      create table acme.nothing ();
      insert into acme.nothing default values;
      create view acme.one as select 1 as n`);
    expect((await preview('one')).rows).toEqual([{ n: 1 }]);
    expect((await preview('nothing')).rows).toEqual([{}]);
  });
});
