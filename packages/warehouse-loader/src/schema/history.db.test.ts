import { describe, expect, test } from 'vitest';
import { buildBatch, buildThing, openTestLoader, TEST_TABLE, toTime } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();

describe('the history of a table', () => {
  const history = true;
  const versions = async () => [
    ...(await database.sql`select id::int, name, valid_from as from, valid_to as to, _freshet_delete_kind as kind from acme.things_history order by id, valid_from`),
  ];
  const asOf = async (seconds: number) => [
    ...(await database.sql`select id::int, name from acme.things_as_of(${toTime(seconds)}) order by id`),
  ];
  const at = (seconds: number) => new Date(toTime(seconds));

  test('stores the versions of each row with their time ranges, and returns the table as it was at a given time', async () => {
    await loader.load(
      [buildBatch([buildThing(1, 10, { name: 'a' }), buildThing(2, 20, { name: 'x' })], { extractedAt: 100 })],
      {
        hasHistory: history,
      },
    );
    await loader.load(
      [buildBatch([buildThing(1, 30, { name: 'b' }), buildThing(2, 20, { name: 'x' })], { extractedAt: 200 })],
      {
        hasHistory: history,
      },
    );
    // An older version arrives late and is not stored. Then a record is moved to the trash.
    await loader.load([buildBatch([buildThing(1, 15, { name: 'late' })], { extractedAt: 250 })], {
      hasHistory: history,
    });
    await loader.load([buildBatch([buildThing(2, 40, { name: 'y' })], { extractedAt: 300, deleteKind: 'trash' })], {
      hasHistory: history,
    });
    expect(await versions()).toEqual([
      { id: 1, name: 'a', from: at(10), to: at(30), kind: null },
      { id: 1, name: 'b', from: at(30), to: null, kind: null },
      { id: 2, name: 'x', from: at(20), to: at(300), kind: null },
      { id: 2, name: 'y', from: at(300), to: null, kind: 'trash' },
    ]);
    expect([await asOf(5), await asOf(25), await asOf(35)]).toEqual([
      [],
      [
        { id: 1, name: 'a' },
        { id: 2, name: 'x' },
      ],
      [
        { id: 1, name: 'b' },
        { id: 2, name: 'x' },
      ],
    ]);
  });

  test('adds no version when a batch is loaded again, but adds a version for a changed record whose updated_at is unchanged (I2)', async () => {
    const b = buildBatch([buildThing(1, 10, { name: 'a' })], { extractedAt: 100 });
    await loader.load([b], { hasHistory: history });
    await loader.load([b], { hasHistory: history });
    await loader.load([buildBatch([buildThing(1, 10, { name: 'repaired' })], { extractedAt: 200, isAudit: true })], {
      hasHistory: history,
    });
    const [first, second] = (await versions()) as [{ name: string; to: Date }, { name: string; from: Date; to: null }];
    expect([first.name, second.name, second.to]).toEqual(['a', 'repaired', null]);
    expect(second.from).toEqual(first.to);
  });

  test('ends the current versions of rows that are marked as deleted, and of their child rows', async () => {
    await using folders = openTestLoader(database, { ...TEST_TABLE, name: 'folders' });
    const below = [{ name: 'folders', column: 'parent_id', parent: 'things', parentKey: 'id' }];
    await loader.load([buildBatch([buildThing(1, 10), buildThing(2, 20)])], { hasHistory: history });
    await folders.load([buildBatch([buildThing(10, 5, { parent_id: 1 })])], { hasHistory: history });
    await loader.load(
      [buildBatch([buildThing(2, 20)], { extractedAt: 100 }, { generation: { id: 'g', began_at: toTime(99) } })],
      {
        childTables: below,
        hasHistory: history,
      },
    );
    expect((await versions()).map((v) => [v['id'], v['kind'], v['to']])).toEqual([
      [1, null, at(99)],
      [1, 'missing', null],
      [2, null, null],
    ]);
    expect([
      ...(await database.sql`select _freshet_delete_kind as kind, valid_to as to from acme.folders_history order by valid_from`),
    ]).toEqual([
      { kind: null, to: at(99) },
      { kind: 'missing', to: null },
    ]);
  });

  test('starts with the current rows, adopts new and widened columns, and adds changes that were made while the history was disabled', async () => {
    await loader.load([buildBatch([buildThing(1, 10, { name: 'a' }), buildThing(2, 20, { name: 'x' })])]);
    await loader.load([buildBatch([buildThing(1, 30, { name: 'b', extra: 1 })], { extractedAt: 100 })], {
      hasHistory: history,
    });
    const { schemaChanges } = await loader.load(
      [
        buildBatch([buildThing(1, 40, { name: 'c', extra: 'text' }), buildThing(2, 20, { name: 'x', extra: 'text' })], {
          extractedAt: 200,
        }),
      ],
      {
        hasHistory: history,
      },
    );
    expect(schemaChanges).toEqual([{ change: 'column_widened', table: 'things', column: 'extra', type: 'text' }]);
    expect((await versions()).map((v) => `${v['id']} ${v['name']}`)).toEqual(['1 a', '1 b', '1 c', '2 x', '2 x']);
    expect(
      [...(await database.sql`select extra from acme.things_history where id = 1 order by valid_from`)].map(
        (r) => r['extra'],
      ),
    ).toEqual([null, '1', 'text']);
    await loader.load([buildBatch([buildThing(2, 50, { name: 'paused' })], { extractedAt: 300 })]);
    expect(await versions()).toHaveLength(5);
    await loader.load([buildBatch([buildThing(1, 60, { name: 'd' })], { extractedAt: 400 })], { hasHistory: history });
    expect((await versions()).map((v) => `${v['id']} ${v['name']}`)).toEqual([
      '1 a',
      '1 b',
      '1 c',
      '1 d',
      '2 x',
      '2 x',
      '2 paused',
    ]);
    expect((await asOf(45)).map((r) => r['name'])).toEqual(['c', 'x']);
  });
});
