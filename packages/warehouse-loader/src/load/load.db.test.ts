import { describe, expect, test } from 'vitest';
import { buildBatch, buildThing, toTime } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();

describe('loadBatches', () => {
  test('returns the same counts and changes nothing when a batch is loaded again (I2)', async () => {
    const b = buildBatch([buildThing(1, 0), buildThing(2, 0)]);
    const first = await loader.load([b]);
    const before = await loader.rows();
    expect(first.schemaChanges).toEqual([{ change: 'table_added', table: 'things', column: null, type: null }]);
    expect(await loader.load([b])).toEqual({ ...first, schemaChanges: [] });
    expect(await loader.rows()).toEqual(before);
    expect(first.batches[0]?.counts).toEqual({
      records: 2,
      inserted: 2,
      updated: 0,
      unchanged: 0,
      rejected: 0,
      deleted: 0,
      missing: 0,
      stale: 0,
    });
  });

  test('inserts exactly the number of rows that the ledger counts as inserted (I2)', async () => {
    for (let i = 0; i < 5; i++)
      await loader.load([
        buildBatch([buildThing(i, i), buildThing(i + 1, i), buildThing(i + 2, i)], { extractedAt: i }),
      ]);
    const [sum] =
      await database.sql`select sum(inserted)::int as inserted, sum(records - inserted - updated - unchanged - rejected)::int as lost from acme._freshet_batches`;
    expect(sum).toEqual({ inserted: (await loader.rows()).length, lost: 0 });
    expect(await database.sql`select row_count::int from acme._freshet_objects`).toEqual([{ row_count: 7 }]);
  });

  test('rejects a load whose epoch is lower than the epoch of the table (I2)', async () => {
    await loader.load([buildBatch([buildThing(1, 0)])], { epoch: 5 });
    await expect(loader.load([buildBatch([buildThing(1, 1)])], { epoch: 4 })).rejects.toMatchObject({ code: 'fenced' });
    expect(await loader.rows('id, updated_at')).toEqual([{ id: '1', updated_at: new Date(toTime(0)) }]);
    expect(await database.sql`select count(*)::int from acme._freshet_batches`).toEqual([{ count: 1 }]);
  });

  test('stores the newest version of each record when loads of the same table run concurrently (I2)', async () => {
    const batches = Array.from({ length: 8 }, (_, i) =>
      buildBatch(
        Array.from({ length: 50 }, (_, n) => buildThing(n, i, { name: `v${i}` })),
        { extractedAt: i },
      ),
    );
    await Promise.all(batches.map((b) => loader.load([b])));
    expect((await loader.rows('name')).every((row) => row['name'] === 'v7')).toBe(true);
  });

  test('finds the records that PostgreSQL rejects, and loads all other records (I10)', async () => {
    // The user adds a constraint that the loader does not know.
    await loader.load([buildBatch([buildThing(1000, 0)])]);
    await database.sql.unsafe('alter table acme.things add constraint small check (amount < 100)');
    const { rejectedRecords, batches } = await loader.load([
      buildBatch(Array.from({ length: 300 }, (_, i) => buildThing(i, 0, { amount: i === 137 ? 5000 : 1 }))),
    ]);
    expect(rejectedRecords).toHaveLength(1);
    expect(JSON.parse(rejectedRecords[0]?.raw as string)).toMatchObject({ record: { id: 137 } });
    expect(batches[0]?.counts).toMatchObject({ inserted: 299, rejected: 1 });
    // PostgreSQL rejects two records of a batch that is larger than one chunk of COPY.
    const large = Array.from({ length: 2000 }, (_, i) =>
      buildThing(2000 + i, 0, { amount: i === 300 || i === 1700 ? 5000 : 1, name: 'x'.repeat(200) }),
    );
    const second = await loader.load([buildBatch(large, { extractedAt: 1 })]);
    expect(
      second.rejectedRecords.map((r) => (JSON.parse(r.raw) as { record: { id: number } }).record.id).sort(),
    ).toEqual([2300, 3700]);
    expect(second.batches[0]?.counts).toMatchObject({ inserted: 1998, rejected: 2 });
  });

  test('reports the same rejected records and the same counts of values that do not fit their columns when a batch is loaded again (I2)', async () => {
    const batch = buildBatch([
      buildThing(1, 0, { day: 'never' }),
      buildThing(2, 0, { day: 'never' }),
      buildThing(3, 0),
    ]);
    const first = await loader.load([batch]);
    expect(await loader.load([batch])).toEqual({ ...first, schemaChanges: [] });
    const frozen = buildBatch([buildThing(4, 0, { day: 'never' }), buildThing(5, 0)], { extractedAt: 1 });
    const refused = await loader.load([frozen], { schemaPolicy: 'freeze' });
    expect(refused.rejectedRecords).toMatchObject([{ line: 0, reason: 'value_not_date: day' }]);
    expect(await loader.load([frozen], { schemaPolicy: 'freeze' })).toEqual(refused);
  });
});
