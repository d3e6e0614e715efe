import { describe, expect, test } from 'vitest';
import { buildBatch, buildThing, toTime } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();

describe('an audit', () => {
  const reached = (asOf: number, backTo: number) => ({
    reached: {
      run_id: '00000000-0000-7000-8000-000000000000',
      complete_as_of: toTime(asOf),
      complete_back_to: toTime(backTo),
    },
  });

  test('counts missing and stale rows, and does not count new records as missing', async () => {
    await loader.load([buildBatch([buildThing(1, 10), buildThing(2, 20), buildThing(3, 30)], {}, reached(100, 5))]);
    await loader.load([buildBatch([buildThing(4, 40)], { extractedAt: 1, deleteKind: 'missing' })]);
    const { batches } = await loader.load([
      buildBatch(
        [
          buildThing(1, 10), // unchanged
          buildThing(2, 20, { name: 'other' }), // stale
          buildThing(3, 31, { name: 'newer' }), // newer than the row, so not stale
          buildThing(4, 40), // marked as deleted, though it exists
          buildThing(5, 50), // missing
          buildThing(6, 101), // newer than the covered range
          buildThing(7, 4), // older than the covered range
        ],
        { extractedAt: 200, isAudit: true },
      ),
    ]);
    expect(batches[0]?.counts).toEqual({
      records: 7,
      inserted: 3,
      updated: 3,
      unchanged: 1,
      rejected: 0,
      deleted: 0,
      missing: 2,
      stale: 1,
    });
    // In a batch that does not belong to an audit, no rows are counted as missing or stale.
    const sync = await loader.load([
      buildBatch([buildThing(1, 10, { name: 'other' }), buildThing(8, 50)], { extractedAt: 300 }),
    ]);
    expect(sync.batches[0]?.counts).toMatchObject({ inserted: 1, updated: 1, missing: 0, stale: 0 });
  });

  test('returns the keys of rows that the generation lacks, and unused ids, as deletion candidates, even if the batch is loaded again', async () => {
    await loader.load([buildBatch([buildThing(1, 10), buildThing(2, 20), buildThing(4, 40), buildThing(7, 70)])]);
    await loader.load([buildBatch([buildThing(6, 60)], { extractedAt: 1, deleteKind: 'trash' })]);
    const audit = buildBatch(
      [buildThing(2, 20), buildThing(7, 70)],
      { extractedAt: 200, isAudit: true },
      { generation: { id: 'g', began_at: toTime(200), suspects: { gaps: true } } },
    );
    for (let n = 0; n < 2; n++) {
      const { deletionCandidates } = await loader.load([audit]);
      expect(deletionCandidates.map(({ key, reason }) => `${reason} ${key}`)).toEqual([
        'unseen 4',
        'unseen 1',
        'gap 5',
        'gap 3',
      ]);
      expect(deletionCandidates.every((s) => s.batchId === audit.id)).toBe(true);
    }
    expect(await loader.rows('_freshet_delete_kind as kind')).toEqual([
      { kind: null },
      { kind: null },
      { kind: null },
      { kind: 'trash' },
      { kind: null },
    ]);
    const shallow = buildBatch(
      [buildThing(7, 70)],
      { extractedAt: 300, isAudit: true },
      { generation: { id: 'h', began_at: toTime(300), since: toTime(30), suspects: { gaps: false } } },
    );
    expect((await loader.load([shallow])).deletionCandidates.map((s) => s.key)).toEqual(['4']);
  });

  test('rejects a generation that is marked `guarded` and lacks more than a fifth of the rows (I7)', async () => {
    await loader.load([buildBatch(Array.from({ length: 30 }, (_, i) => buildThing(i, i)))]);
    const audit = (count: number, seconds: number) =>
      loader.load([
        buildBatch(
          Array.from({ length: count }, (_, i) => buildThing(i, i)),
          { extractedAt: seconds, isAudit: true },
          { generation: { id: `g${seconds}`, began_at: toTime(seconds), guarded: true } },
        ),
      ]);
    const empty = await audit(0, 100);
    expect(empty.rejectedGenerations).toEqual([{ batchId: empty.batches[0]?.batchId, rows: 30 }]);
    expect((await audit(20, 200)).rejectedGenerations).toMatchObject([{ rows: 10 }]);
    const accepted = await audit(26, 300);
    expect(accepted.rejectedGenerations).toEqual([]);
    expect(accepted.batches[0]?.counts.deleted).toBe(4);
    // An empty generation that is marked `guarded` is always rejected, even for a small table.
    await database.sql.unsafe('delete from acme.things where id > 1');
    expect((await audit(0, 400)).rejectedGenerations).toMatchObject([{ rows: 2 }]);
  });
});
