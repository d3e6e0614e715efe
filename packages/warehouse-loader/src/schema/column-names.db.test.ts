import { describe, expect, test } from 'vitest';
import { buildBatch, buildThing, openTestLoader, TEST_TABLE } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();

describe('ColumnNames', () => {
  test('fills the columns of declared and undeclared custom fields', async () => {
    const declared = {
      ...TEST_TABLE,
      columns: [
        ...TEST_TABLE.columns,
        { name: 'cf_paid_on', type: 'date' as const, description: 'Paid on.', path: ['custom_fields', 'cf_paid_on'] },
      ],
    };
    await using withField = openTestLoader(database, declared);
    await withField.load([
      buildBatch([buildThing(1, 0, { custom_fields: { cf_paid_on: '2026-01-02', department: 'Einkauf', vip: true } })]),
    ]);
    expect(await loader.rows('cf_paid_on::text, cf_department, cf_vip, custom_fields')).toEqual([
      {
        cf_paid_on: '2026-01-02',
        cf_department: 'Einkauf',
        cf_vip: true,
        custom_fields: { cf_paid_on: '2026-01-02', department: 'Einkauf', vip: true },
      },
    ]);
  });

  test('assigns a separate column to each field, even if names are long, reserved, in upper case or used by a metadata column', async () => {
    const long = (end: string) => `a${'b'.repeat(70)}${end}`;
    await loader.load([
      buildBatch([
        buildThing(1, 0, {
          select: 1,
          Name: 'upper',
          _freshet_hash: 'theirs',
          ctid: 'x',
          [long('1')]: 1,
          [long('2')]: 2,
          'größe "x"': 3,
        }),
      ]),
    ]);
    const [row] = await loader.rows();
    const values = Object.entries(row as object).filter(
      ([c]) => !c.startsWith('_freshet') && !TEST_TABLE.columns.some((t) => t.name === c),
    );
    expect(values.map(([, v]) => v)).toEqual(expect.arrayContaining(['1', 'upper', 'theirs', 'x', '1', '2', '3']));
    expect(values.every(([c]) => Buffer.byteLength(c) <= 63)).toBe(true);
    expect(row).toHaveProperty('select');
  });

  test('supports a column with the same name as its table (T16)', async () => {
    const table = { ...TEST_TABLE, name: 'tags' };
    await using own = openTestLoader(database, table);
    await own.load([buildBatch([buildThing(1, 0, { tags: ['a'] })])]);
    await own.load([buildBatch([buildThing(1, 1, { tags: ['b'] })], { extractedAt: 1 })]);
    expect(await own.rows('tags')).toEqual([{ tags: ['b'] }]);
  });

  test('applies the rules that rename or drop a field to an existing table and to a new table', async () => {
    await loader.load([buildBatch([buildThing(1, 0, { name: 'a', amount: 5 })])]);
    const table = {
      ...TEST_TABLE,
      columns: TEST_TABLE.columns.map((c) =>
        c.name === 'name'
          ? { ...c, name: 'title', path: ['name'] }
          : c.name === 'amount' || c.name === 'day'
            ? { ...c, dropped: true as const }
            : c,
      ),
      renames: { name: 'title', 'custom_fields.cf_x': 'own_x' },
    };
    await using ruled = openTestLoader(database, table);
    await ruled.load([
      buildBatch(
        [
          buildThing(1, 1, { name: 'b', amount: null, custom_fields: { cf_x: 1 } }),
          buildThing(2, 1, { name: 'c', amount: null }),
        ],
        { extractedAt: 1 },
      ),
    ]);
    expect(await loader.rows('name, title, amount, own_x')).toEqual([
      { name: 'a', title: 'b', amount: null, own_x: '1' },
      { name: null, title: 'c', amount: null, own_x: null },
    ]);
    await database.sql.unsafe('drop schema acme cascade');
    await ruled.load([buildBatch([buildThing(1, 0, { name: 'a' })])]);
    const columns =
      await database.sql`select column_name as c from information_schema.columns where table_schema = 'acme' and table_name = 'things'`;
    const names = columns.map((r) => r['c'] as string);
    expect(names).toContain('title');
    expect(names.filter((n) => ['name', 'amount', 'day'].includes(n))).toEqual([]);
  });
});
