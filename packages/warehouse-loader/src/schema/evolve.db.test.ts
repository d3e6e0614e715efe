import type { Column } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import { buildBatch, buildThing, openTestLoader, TEST_TABLE, toTime } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();

describe('evolveTable', () => {
  test('adds a column for each unknown field that has a value, with the type of the value', async () => {
    await loader.load([
      buildBatch([
        buildThing(1, 0, { n: 5, f: 1.5, b: true, s: 'x', t: toTime(0), o: { a: 1 }, l: [], nothing: null }),
      ]),
    ]);
    const types =
      await database.sql`select column_name as c, data_type as t from information_schema.columns where table_schema = 'acme' and table_name = 'things'`;
    const typesByColumn = Object.fromEntries(types.map((r) => [r['c'], r['t']]));
    expect(typesByColumn).toMatchObject({
      n: 'bigint',
      f: 'numeric',
      b: 'boolean',
      s: 'text',
      t: 'timestamp with time zone',
      o: 'jsonb',
      l: 'jsonb',
    });
    expect(typesByColumn).not.toHaveProperty('nothing');
    // A second loader, which has not added the columns, fills them, too.
    await using other = openTestLoader(database);
    await other.load([buildBatch([buildThing(2, 0, { n: 6, s: 'y' })], { extractedAt: 1 })]);
    expect(await loader.rows('n, s')).toEqual([
      { n: '5', s: 'x' },
      { n: '6', s: 'y' },
    ]);
  });

  test('widens a custom column when most values do not fit, and moves values from _freshet_extra into the column (I10, T15)', async () => {
    const buildRecord = (id: number, cf_n: unknown) => buildThing(id, 0, { custom_fields: { cf_n } });
    await loader.load([buildBatch([buildRecord(1, 5), buildRecord(2, 6)])]);
    // One outlier does not change the type.
    const outlier = await loader.load([buildBatch([buildRecord(3, 'many')], { extractedAt: 1 })]);
    expect(outlier.schemaChanges).toEqual([]);
    expect(outlier.misfits).toMatchObject([{ column: 'cf_n', type: 'bigint', note: 'kept_in_extra', count: 1 }]);
    await loader.load([buildBatch([buildRecord(4, 5.25)], { extractedAt: 2 })]);
    expect(await loader.rows('cf_n, _freshet_extra, _freshet_notes')).toEqual([
      { cf_n: '5', _freshet_extra: null, _freshet_notes: null },
      { cf_n: '6', _freshet_extra: null, _freshet_notes: null },
      { cf_n: null, _freshet_extra: { 'custom_fields.cf_n': 'many' }, _freshet_notes: { kept_in_extra: ['cf_n'] } },
      { cf_n: null, _freshet_extra: { 'custom_fields.cf_n': 5.25 }, _freshet_notes: { kept_in_extra: ['cf_n'] } },
    ]);
    // Three values now do not fit, and only two values fit.
    const { schemaChanges, misfits } = await loader.load([buildBatch([buildRecord(5, 7.5)], { extractedAt: 3 })]);
    expect(schemaChanges).toEqual([{ change: 'column_widened', table: 'things', column: 'cf_n', type: 'numeric' }]);
    expect(misfits).toEqual([]);
    expect(await loader.rows('cf_n, _freshet_extra')).toEqual([
      { cf_n: '5', _freshet_extra: null },
      { cf_n: '6', _freshet_extra: null },
      { cf_n: null, _freshet_extra: { 'custom_fields.cf_n': 'many' } },
      { cf_n: '5.25', _freshet_extra: null },
      { cf_n: '7.5', _freshet_extra: null },
    ]);
    const more = [
      buildBatch(
        Array.from({ length: 4 }, (_, i) => buildRecord(6 + i, 'lots')),
        { extractedAt: 4 },
      ),
    ];
    expect((await loader.load(more, { hasHistory: true })).schemaChanges).toEqual([
      { change: 'column_widened', table: 'things', column: 'cf_n', type: 'text' },
    ]);
    expect((await loader.rows('cf_n')).map((r) => r['cf_n'])).toEqual([
      '5',
      '6',
      'many',
      '5.25',
      '7.5',
      'lots',
      'lots',
      'lots',
      'lots',
    ]);
    expect(await loader.rows('distinct _freshet_extra, _freshet_notes, 1 as id')).toEqual([
      { _freshet_extra: null, _freshet_notes: null, id: 1 },
    ]);
  });

  test('widens a column to the narrowest type that most values fit, so that an outlier among decimals does not change the type to text', async () => {
    const buildRecord = (id: number, cf_n: unknown) => buildThing(id, 0, { custom_fields: { cf_n } });
    await loader.load([buildBatch([buildRecord(1, 5), buildRecord(2, 6)])]);
    const { schemaChanges, misfits } = await loader.load([
      buildBatch([buildRecord(3, 1.5), buildRecord(4, 'many'), buildRecord(5, 2.5), buildRecord(6, 3.5)], {
        extractedAt: 1,
      }),
    ]);
    expect(schemaChanges).toEqual([{ change: 'column_widened', table: 'things', column: 'cf_n', type: 'numeric' }]);
    expect(misfits).toMatchObject([{ column: 'cf_n', type: 'numeric', count: 1 }]);
    expect((await loader.rows('cf_n')).map((r) => r['cf_n'])).toEqual(['5', '6', '1.5', null, '2.5', '3.5']);
  });

  test('widens the column of a hashed field to text, although the column has a different documented type', async () => {
    await loader.load([buildBatch([buildThing(1, 0, { parent_id: 5 }), buildThing(2, 0, { parent_id: 6 })])]);
    const { documented, ...parent } = TEST_TABLE.columns.find((c) => c.name === 'parent_id') as Column;
    const hashed: Column = { ...parent, type: 'text', path: ['parent_id'] };
    const table = { ...TEST_TABLE, columns: TEST_TABLE.columns.map((c) => (c.name === 'parent_id' ? hashed : c)) };
    const { misfits } = await loader.load([buildBatch([buildThing(1, 1, { parent_id: 'a1b2' })], { extractedAt: 1 })], {
      table,
    });
    expect(misfits).toEqual([]);
    expect(documented).toBe(true);
    expect((await loader.rows('parent_id')).map((r) => r['parent_id'])).toEqual(['a1b2', '6']);
  });

  test('chooses the same type for any order of the records', async () => {
    const values: unknown[] = [1, 2, 'x', 3, 4, true, 5, 'y', 6];
    for (const order of [values, values.toReversed()]) {
      await database.sql.unsafe('drop schema if exists acme cascade');
      await loader.load([buildBatch([buildThing(0, 0, { custom_fields: { cf_n: 0 } })])]);
      for (const [id, cf_n] of order.entries())
        await loader.load([buildBatch([buildThing(id + 1, 0, { custom_fields: { cf_n } })], { extractedAt: id })]);
      expect(await loader.rows('distinct pg_typeof(cf_n)::text as type, 1 as id')).toEqual([{ type: 'bigint', id: 1 }]);
      expect(
        await database.sql`select count(*)::int as n from acme.things where cf_n is null and _freshet_extra is not null`,
      ).toEqual([{ n: 3 }]);
    }
  });

  test('widens a custom column to the declared type of its field, even for a single value', async () => {
    const fieldOf = (type: 'bigint' | 'numeric' | 'text') => ({
      ...TEST_TABLE,
      columns: [...TEST_TABLE.columns, { name: 'cf_n', type, description: 'N.', path: ['custom_fields', 'cf_n'] }],
    });
    const buildRecord = (id: number, cf_n: unknown) => buildThing(id, 0, { custom_fields: { cf_n } });
    await loader.load([buildBatch([buildRecord(1, 1), buildRecord(2, 2), buildRecord(3, 3)])], {
      table: fieldOf('bigint'),
    });
    expect(
      (await loader.load([buildBatch([buildRecord(4, 'a')], { extractedAt: 1 })], { table: fieldOf('bigint') }))
        .misfits,
    ).toHaveLength(1);
    const { schemaChanges, misfits } = await loader.load([buildBatch([buildRecord(5, 'b')], { extractedAt: 2 })], {
      table: fieldOf('text'),
    });
    expect(schemaChanges).toEqual([{ change: 'column_widened', table: 'things', column: 'cf_n', type: 'text' }]);
    expect(misfits).toEqual([]);
    // The type is not narrowed again.
    await loader.load([buildBatch([buildRecord(6, 'c')], { extractedAt: 3 })], { table: fieldOf('bigint') });
    expect((await loader.rows('cf_n')).map((r) => r['cf_n'])).toEqual(['1', '2', '3', 'a', 'b', 'c']);
  });

  test('does not revert a user’s change to the type of a documented column, and uses _freshet_extra if it cannot write the new type (I10)', async () => {
    await loader.load([buildBatch([buildThing(1, 0, { amount: 5, day: '2024-02-29', open: true })])]);
    await database.sql.unsafe(
      'alter table acme.things alter column amount type text using amount::text, alter column day type timestamp using day::timestamp, alter column open type double precision using 1, alter column name type varchar',
    );
    const { misfits } = await loader.load([
      buildBatch([buildThing(2, 0, { amount: 'lots', day: '2024-03-01', open: false, name: 'short' })], {
        extractedAt: 1,
      }),
    ]);
    expect(misfits.map(({ column, type }) => [column, type])).toEqual([
      ['day', null],
      ['open', null],
    ]);
    expect(await loader.rows('amount, day, open, name, _freshet_extra, _freshet_notes')).toMatchObject([
      { amount: '5', open: 1, _freshet_extra: null },
      {
        amount: 'lots',
        day: null,
        open: null,
        name: 'short',
        _freshet_extra: { day: '2024-03-01', open: false },
        _freshet_notes: { kept_in_extra: ['day', 'open'] },
      },
    ]);
    // A type with a maximum length could reject values, so Freshet does not write it and stores the
    // values in _freshet_extra.
    await database.sql.unsafe('alter table acme.things alter column name type varchar(10)');
    const limited = await loader.load([
      buildBatch([buildThing(3, 0, { name: 'longer than ten characters' })], { extractedAt: 2 }),
    ]);
    expect(limited.rejectedRecords).toEqual([]);
    expect((await loader.rows('id, _freshet_extra')).at(-1)).toMatchObject({
      id: '3',
      _freshet_extra: { name: 'longer than ten characters' },
    });
    expect(
      (
        await loader.load([buildBatch([buildThing(4, 0, { open: true })], { extractedAt: 3 })], {
          schemaPolicy: 'freeze',
        })
      ).rejectedRecords,
    ).toMatchObject([{ reason: 'column_not_writable: open' }]);
    await database.sql.unsafe('alter table acme.things alter column updated_at type timestamp');
    await expect(loader.load([buildBatch([buildThing(5, 0)], { extractedAt: 4 })])).rejects.toMatchObject({
      code: 'warehouse_data',
      message: expect.stringContaining('updated_at'),
    });
  });

  test.each([
    ['u_int', '5', '1.5', 'numeric', ['5', '1.5']],
    ['u_int', '5', '9223372036854775808', 'numeric', ['5', '9223372036854775808']],
    ['u_int', '5', '"x"', 'text', ['5', 'x']],
    ['u_int', '5', 'true', 'text', ['5', 'true']],
    ['u_int', '5', '{"a": 1}', 'text', ['5', '{"a":1}']],
    ['u_decimal', '1.50', '"x"', 'text', ['1.50', 'x']],
    ['u_decimal', '1.50', 'false', 'text', ['1.50', 'false']],
    ['u_decimal', '1.50', '[1]', 'text', ['1.50', '[1]']],
    ['u_flag', 'true', '1', 'text', ['true', '1']],
    ['u_flag', 'true', '"yes"', 'text', ['true', 'yes']],
    [
      'cf_day',
      '"2024-02-29"',
      '"2024-03-01T10:00:00Z"',
      'timestamp with time zone',
      ['2024-02-29 00:00:00+00', '2024-03-01 10:00:00+00'],
    ],
    ['cf_day', '"2024-02-29"', '"2024-02-30"', 'text', ['2024-02-29', '2024-02-30']],
    ['cf_day', '"2024-02-29"', '5', 'text', ['2024-02-29', '5']],
    ['u_seen', '"2024-03-01T10:00:00Z"', '"never"', 'text', ['2024-03-01 10:00:00+00', 'never']],
    ['u_seen', '"2024-03-01T10:00:00Z"', '5', 'text', ['2024-03-01 10:00:00+00', '5']],
    // These types accept every value.
    ['name', '"x"', '5', 'text', ['x', '5']],
    ['name', '"x"', '{"a": 1}', 'text', ['x', '{"a":1}']],
    ['tags', '["x"]', '5', 'jsonb', ['["x"]', '5']],
  ])('stores column %s with one value %s and two values %s as %s (T15)', async (field, first, second, type, stored) => {
    await database.sql.unsafe(`alter database ${database.name} set timezone = 'UTC'`);
    const table = {
      ...TEST_TABLE,
      columns: [
        ...TEST_TABLE.columns,
        { name: 'cf_day', type: 'date' as const, description: 'Day.', path: ['custom_fields', 'day'] },
      ],
    };
    const record = (id: number, value: string) =>
      `{"id":${id},${field === 'cf_day' ? `"custom_fields":{"day":${value}}` : `"${field}":${value}`}}`;
    await loader.load([buildBatch([record(1, first)])], { table });
    await loader.load([buildBatch([record(2, second), record(3, second)], { extractedAt: 1 })], { table });
    const [column] =
      await database.sql`select data_type as type from information_schema.columns where table_schema = 'acme' and table_name = 'things' and column_name = ${field}`;
    expect(column?.['type']).toBe(type);
    const rows = await database.sql
      .unsafe(`set timezone = 'UTC'; select ${field}::text as v from acme.things order by id`)
      .simple();
    const expected = [...stored, stored.at(-1) as string].map((v) => v.replaceAll(' ', ''));
    expect((rows.at(-1) as unknown as { v: string }[]).map((r) => r.v.replaceAll(' ', '').replace('T', ''))).toEqual(
      expected,
    );
  });

  test('fails with `warehouse_busy` if it cannot lock the table quickly to add a column, so that readers are not blocked', async () => {
    await loader.load([buildBatch([buildThing(1, 0)])]);
    const reader = await database.sql.reserve();
    await reader`begin`;
    await reader`select count(*) from acme.things`;
    await expect(
      loader.load([buildBatch([buildThing(2, 0, { brand_new: 1 })], { extractedAt: 1 })]),
    ).rejects.toMatchObject({
      code: 'warehouse_busy',
    });
    // Later readers are not blocked.
    expect(await loader.rows('id')).toEqual([{ id: '1' }]);
    await reader`commit`;
    reader.release();
    await loader.load([buildBatch([buildThing(2, 0, { brand_new: 1 })], { extractedAt: 1 })]);
    expect(await loader.rows('brand_new')).toEqual([{ brand_new: null }, { brand_new: '1' }]);
  });

  test('stores further unknown fields in _freshet_extra when the table has the maximum number of columns', async () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`field_${i}`, i]));
    await loader.load([buildBatch([buildThing(1, 0, many)])]);
    const [row] = await loader.rows();
    const columns = Object.keys(row as object).filter((c) => c.startsWith('field_'));
    expect(columns.length).toBe(300 - TEST_TABLE.columns.length);
    expect(Object.keys(row?.['_freshet_extra'] as object)).toHaveLength(400 - columns.length);
  });
});
