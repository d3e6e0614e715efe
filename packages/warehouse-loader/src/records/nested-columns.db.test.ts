import type { Column, Table } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import { buildBatch, buildThing, openTestLoader, TEST_TABLE, toTime } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();

const buildColumn = (name: string, type: Column['type'], path?: readonly string[]): Column => ({
  name,
  type,
  description: `${name}.`,
  documented: true,
  ...(path === undefined ? {} : { path }),
});

/** A table with columns for fields of the nested JSON object `stats`. */
const TABLE: Table = {
  ...TEST_TABLE,
  columns: [
    ...TEST_TABLE.columns,
    buildColumn('stats', 'jsonb'),
    buildColumn('stats_closed_at', 'timestamptz', ['stats', 'closed_at']),
    buildColumn('label', 'text', ['stats', 'label']),
  ],
};
const COLUMNS = 'stats, stats_closed_at::text, label, _freshet_extra, _freshet_notes';

describe('columns of a nested documented object', () => {
  test('are filled beside the column of the object, and other fields of the object get no column', async () => {
    await using nested = openTestLoader(database, TABLE);
    const stats = { closed_at: toTime(5), label: 'a"b', other: 1 };
    await nested.load([
      buildBatch([
        buildThing(1, 1, { stats, custom_fields: { closed_at: 'custom' } }),
        buildThing(2, 1, { stats: { closed_at: null, label: 7 } }),
        buildThing(3, 1, { stats: {} }),
        buildThing(4, 1, { stats: null }),
        buildThing(5, 1),
        buildThing(6, 1, { stats: 'text' }),
        buildThing(7, 1, { stats: [{ label: 'x' }] }),
      ]),
    ]);
    const row = { stats_closed_at: null, label: null, _freshet_extra: null, _freshet_notes: null };
    expect(await nested.rows(COLUMNS)).toEqual([
      { ...row, stats, stats_closed_at: '2026-01-01 00:00:05+00', label: 'a"b' },
      { ...row, stats: { closed_at: null, label: 7 }, label: '7' },
      { ...row, stats: {} },
      { ...row, stats: null },
      { ...row, stats: null },
      { ...row, stats: 'text' },
      { ...row, stats: [{ label: 'x' }] },
    ]);
    const columns = await database.sql`
      select column_name as name from information_schema.columns
      where table_schema = 'acme' and table_name = 'things' and column_name !~ '^_' order by ordinal_position`;
    expect(columns.map(({ name }) => name as string).slice(TEST_TABLE.columns.length)).toEqual([
      'stats',
      'stats_closed_at',
      'label',
      'cf_closed_at',
    ]);
  });

  test('keep a value that does not fit in _freshet_extra, with a note (I10)', async () => {
    await using nested = openTestLoader(database, TABLE);
    await nested.load([buildBatch([buildThing(1, 1, { stats: { closed_at: 'soon' } })])]);
    expect(await nested.rows(COLUMNS)).toEqual([
      {
        stats: { closed_at: 'soon' },
        stats_closed_at: null,
        label: null,
        _freshet_extra: { 'stats.closed_at': 'soon' },
        _freshet_notes: { kept_in_extra: ['stats_closed_at'] },
      },
    ]);
  });

  test('are filled in existing rows after an upgrade adds them, and keep their names in later loads', async () => {
    await loader.load([buildBatch([buildThing(1, 1, { stats: { closed_at: toTime(5), label: 'a' } })])]);
    await using nested = openTestLoader(database, TABLE);
    const batch = () =>
      buildBatch([buildThing(1, 1, { stats: { closed_at: toTime(5), label: 'a' } })], { extractedAt: 1 });
    const first = await nested.load([batch()]);
    expect(first.completion).not.toBeUndefined();
    expect(first.batches.map((b) => b.counts.updated)).toEqual([1]);
    expect((await nested.load([batch()])).batches.map((b) => b.counts.unchanged)).toEqual([1]);
    expect(await nested.rows('stats_closed_at::text, label')).toEqual([
      { stats_closed_at: '2026-01-01 00:00:05+00', label: 'a' },
    ]);
  });

  test('a rename applies to the column', async () => {
    const columns = TABLE.columns.map((c) => (c.name === 'label' ? { ...c, name: 'renamed' } : c));
    await using nested = openTestLoader(database, { ...TABLE, columns, renames: { 'stats.label': 'renamed' } });
    await nested.load([buildBatch([buildThing(1, 1, { stats: { label: 'a' } })])]);
    expect(await nested.rows('renamed')).toEqual([{ renamed: 'a' }]);
  });
});
