import { describe, expect, test } from 'vitest';
import { buildBatch, buildThing, toTime } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();

describe('mergeRecords', () => {
  test('produces the same table for any order of the batches (I4)', async () => {
    const batches = [
      buildBatch([buildThing(1, 0, { name: 'old' })], { extractedAt: 0 }),
      buildBatch([buildThing(1, 5, { name: 'new' })], { extractedAt: 5 }),
      buildBatch([buildThing(1, 3, { name: 'between' })], { extractedAt: 9 }),
    ];
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
      [1, 2, 0],
    ]) {
      await database.sql.unsafe('drop schema if exists acme cascade');
      for (const i of order) await loader.load([batches[i] as (typeof batches)[number]]);
      expect(await loader.rows('name'), order.join()).toEqual([{ name: 'new' }]);
    }
  });

  test('prefers the record that was extracted later if two records have the same version (I4)', async () => {
    await loader.load([buildBatch([buildThing(1, 0, { name: 'later' })], { extractedAt: 60 })]);
    await loader.load([buildBatch([buildThing(1, 0, { name: 'earlier' })], { extractedAt: 30 })]);
    expect(await loader.rows('name')).toEqual([{ name: 'later' }]);
  });

  test('writes only the newest of several records with the same key in a load, but counts all of them (I4)', async () => {
    const { batches } = await loader.load([
      buildBatch([buildThing(1, 2, { name: 'b' }), buildThing(1, 1, { name: 'a' }), buildThing(1, 2, { name: 'c' })]),
      buildBatch([buildThing(1, 1, { name: 'z' })], { extractedAt: 1 }),
    ]);
    expect(await loader.rows('name')).toEqual([{ name: 'c' }]);
    expect(batches.map((b) => b.counts.inserted + b.counts.updated + b.counts.unchanged)).toEqual([3, 1]);
  });

  test('does not rewrite the row of an unchanged record', async () => {
    await loader.load([buildBatch([buildThing(1, 0, { name: 'x' })])]);
    const before = await loader.rows('*, xmin::text, ctid::text');
    const { batches } = await loader.load([buildBatch([buildThing(1, 0, { name: 'x' })], { extractedAt: 100 })]);
    expect(await loader.rows('*, xmin::text, ctid::text')).toEqual(before);
    expect(batches[0]?.counts.unchanged).toBe(1);
  });

  test('treats a record as unchanged if only the signatures of its URLs differ', async () => {
    const file = (signature: string) => ({
      tags: [{ url: `https://files.example/1?Expires=${signature.length}&Signature=${signature}&Key-Pair-Id=K` }],
    });
    await loader.load([buildBatch([buildThing(1, 0, file('aaa'))])]);
    const { batches } = await loader.load([buildBatch([buildThing(1, 0, file('bbbb'))], { extractedAt: 1 })]);
    expect(batches[0]?.counts).toMatchObject({ unchanged: 1, updated: 0 });
  });

  test('restores lost and changed rows in a rebuild, but neither reverts newer rows nor marks rows as deleted', async () => {
    await loader.load([
      buildBatch([
        buildThing(1, 10, { name: 'a' }),
        buildThing(2, 20, { name: 'b' }),
        buildThing(3, 30, { name: 'c' }),
      ]),
    ]);
    await loader.load([buildBatch([buildThing(3, 50, { name: 'newer' })], { extractedAt: 100 })]);
    await database.sql.unsafe(
      `delete from acme.things where id = 1; update acme.things set name = 'manual' where id = 2`,
    );
    const rebuild = buildBatch(
      [buildThing(1, 10, { name: 'a' }), buildThing(2, 20, { name: 'b' }), buildThing(3, 30, { name: 'c' })],
      { extractedAt: 0, isRewrite: true },
      { generation: { id: 'g', began_at: toTime(200) } },
    );
    const { batches } = await loader.load([rebuild]);
    expect(batches[0]?.counts).toMatchObject({ records: 3, inserted: 1, updated: 1, unchanged: 1, deleted: 0 });
    expect(await loader.rows('name')).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'newer' }]);
    // A load creates the table again after a user has dropped it.
    await database.sql.unsafe('drop table acme.things');
    await loader.load([buildBatch([buildThing(1, 10, { name: 'a' })], { extractedAt: 0, isRewrite: true })]);
    expect(await loader.rows('name')).toEqual([{ name: 'a' }]);
  });
});
