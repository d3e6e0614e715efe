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

describe('a load', () => {
  test('marks a record with the time at which it was first found in the trash, and unmarks it after it leaves the trash (T24)', async () => {
    await loader.load([buildBatch([buildThing(1, 0)])]);
    const { batches } = await loader.load([buildBatch([buildThing(1, 1)], { extractedAt: 10, deleteKind: 'trash' })]);
    expect(batches[0]?.counts).toMatchObject({ updated: 1, deleted: 1 });
    await loader.load([buildBatch([buildThing(1, 2)], { extractedAt: 20, deleteKind: 'trash' })]);
    expect(await loader.rows('_freshet_deleted_at, _freshet_delete_kind')).toEqual([
      { _freshet_deleted_at: new Date(toTime(10)), _freshet_delete_kind: 'trash' },
    ]);
    await loader.load([buildBatch([buildThing(1, 3)], { extractedAt: 30 })]);
    expect(await loader.rows('_freshet_deleted_at, _freshet_delete_kind')).toEqual([
      { _freshet_deleted_at: null, _freshet_delete_kind: null },
    ]);
  });

  test('marks rows that a generation lacks, except rows that were extracted after the generation began', async () => {
    await loader.load([buildBatch([buildThing(1, 0), buildThing(2, 0), buildThing(3, 0)], { extractedAt: 0 })]);
    await loader.load([buildBatch([buildThing(3, 1)], { extractedAt: 200 })]);
    const { batches } = await loader.load([
      buildBatch([buildThing(1, 0)], { extractedAt: 100 }, { generation: { id: 'g', began_at: toTime(99) } }),
    ]);
    expect(batches[0]?.counts.deleted).toBe(1);
    expect(await loader.rows('id, _freshet_delete_kind')).toEqual([
      { id: '1', _freshet_delete_kind: null },
      { id: '2', _freshet_delete_kind: 'missing' },
      { id: '3', _freshet_delete_kind: null },
    ]);
    // The mark is removed when the unchanged record is loaded again.
    await loader.load([buildBatch([buildThing(2, 0)], { extractedAt: 300 })]);
    expect(await loader.rows('id, _freshet_delete_kind')).toContainEqual({ id: '2', _freshet_delete_kind: null });
  });

  test('updates rows and marks rows as deleted, even if their time of extraction is in the future because of a wrong clock (I3)', async () => {
    const future = 20 * 365 * 86_400;
    await loader.load([
      buildBatch([buildThing(1, 0, { name: 'one' }), buildThing(2, 0, { name: 'two' })], { extractedAt: future }),
    ]);
    const generation = { generation: { id: 'g', began_at: toTime(60) } };
    const next = buildBatch(
      [buildThing(1, 0, { name: 'changed without a newer version' })],
      { extractedAt: 60 },
      generation,
    );
    await loader.load([next]);
    const rows = await loader.rows('id, name, _freshet_delete_kind as deleted');
    expect(rows).toEqual([
      { id: '1', name: 'changed without a newer version', deleted: null },
      { id: '2', name: 'two', deleted: 'missing' },
    ]);
  });

  test('marks only those children of a parent that the parent’s complete list lacks', async () => {
    const child = (id: number, parent_id: number) => buildThing(id, 0, { parent_id });
    await loader.load([buildBatch([child(1, 7), child(2, 7), child(3, 8)])]);
    const complete = (parent: string, ...keys: string[]) => ({
      complete: { where: { parent_id: parent }, keys: keys.map((k) => [k]), began_at: toTime(50), confirmed: true },
    });
    await loader.load([buildBatch([child(2, 7)], { extractedAt: 50 }, complete('7', '2'))]);
    expect(await loader.rows('id, _freshet_delete_kind')).toEqual([
      { id: '1', _freshet_delete_kind: 'missing' },
      { id: '2', _freshet_delete_kind: null },
      { id: '3', _freshet_delete_kind: null },
    ]);
    await loader.load([buildBatch([], { extractedAt: 60 }, complete('8'))]);
    expect(await loader.rows('id, _freshet_delete_kind')).toContainEqual({ id: '3', _freshet_delete_kind: 'missing' });
  });

  test('marks the children of a parent with an empty list only after a second empty list (I7)', async () => {
    const child = (id: number, parent_id: number) => buildThing(id, 0, { parent_id });
    const empty = (parent: number, more: object = {}) => ({
      complete: { where: { parent_id: String(parent) }, keys: [], began_at: toTime(50), ...more },
    });
    await loader.load([buildBatch([child(1, 7), child(2, 7), child(3, 8)])]);
    const first = await loader.load([buildBatch([], { extractedAt: 50 }, empty(7), empty(9))]);
    expect(first.unconfirmedDeletions).toEqual(['7']);
    expect(first.batches[0]?.counts.deleted).toBe(0);
    const second = await loader.load([buildBatch([], { extractedAt: 60 }, empty(7, { confirmed: true }))]);
    expect(second.unconfirmedDeletions).toEqual([]);
    expect(await loader.rows('id::int, _freshet_delete_kind as kind')).toEqual([
      { id: 1, kind: 'missing' },
      { id: 2, kind: 'missing' },
      { id: 3, kind: null },
    ]);
  });

  test('marks a record that a request found to be deleted, unless the record was extracted after this request', async () => {
    await loader.load([buildBatch([buildThing(1, 10), buildThing(2, 20)])]);
    await loader.load([buildBatch([buildThing(3, 30)], { extractedAt: 500 })]);
    const buildDeletion = (id: number, kind: string) => ({ gone: { key: [String(id)], kind, at: toTime(400) } });
    const { batches } = await loader.load([
      buildBatch(
        [],
        { extractedAt: 400, isAudit: true },
        buildDeletion(1, 'not_found'),
        buildDeletion(2, 'became_agent'),
        buildDeletion(3, 'not_found'),
        buildDeletion(9, 'not_found'),
        {
          audited: { at: toTime(350) },
        },
      ),
    ]);
    expect(batches[0]?.counts.deleted).toBe(2);
    expect(await loader.rows('_freshet_delete_kind as kind')).toEqual([
      { kind: 'not_found' },
      { kind: 'became_agent' },
      { kind: null },
    ]);
    expect(await database.sql`select last_audit_at from acme._freshet_objects`).toEqual([
      { last_audit_at: new Date(toTime(350)) },
    ]);
    // The mark is removed when the record is loaded again.
    await loader.load([buildBatch([buildThing(1, 10)], { extractedAt: 600 })]);
    expect((await loader.rows('_freshet_delete_kind as kind'))[0]).toEqual({ kind: null });
  });
});

describe('markChildRows', () => {
  test('marks the descendants of a deleted record level by level, and unmarks a child that is loaded again', async () => {
    await using folders = openTestLoader(database, { ...TEST_TABLE, name: 'folders' });
    await using files = openTestLoader(database, { ...TEST_TABLE, name: 'files' });
    const below = [
      { name: 'folders', column: 'parent_id', parent: 'things', parentKey: 'id' },
      { name: 'files', column: 'parent_id', parent: 'folders', parentKey: 'id' },
    ];
    await loader.load([buildBatch([buildThing(1, 0), buildThing(2, 0)])]);
    await folders.load([buildBatch([buildThing(10, 0, { parent_id: 1 }), buildThing(20, 0, { parent_id: 2 })])]);
    await files.load([buildBatch([buildThing(100, 0, { parent_id: 10 }), buildThing(200, 0, { parent_id: 20 })])]);
    await loader.load(
      [buildBatch([buildThing(2, 0)], { extractedAt: 100 }, { generation: { id: 'g', began_at: toTime(99) } })],
      {
        childTables: below,
      },
    );
    const kinds = async (l: TestLoader) => (await l.rows('_freshet_delete_kind')).map((r) => r['_freshet_delete_kind']);
    expect([await kinds(loader), await kinds(folders), await kinds(files)]).toEqual([
      ['missing', null],
      ['missing', null],
      ['missing', null],
    ]);
    await files.load([buildBatch([buildThing(100, 0, { parent_id: 10 })], { extractedAt: 200 })]);
    expect(await kinds(files)).toEqual([null, null]);
  });
});
