import { describe, expect, test } from 'vitest';
import { buildBatch, buildThing, toTime } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { loader } = await useTestLoader();

describe('RowWriter', () => {
  test('keeps all digits of integers beyond 2^53 and of decimals that a double cannot represent (I10)', async () => {
    await loader.load([
      buildBatch([
        `{"id":9223372036854775807,"amount":0.12345678901234567890,"tags":[18482956273954458110],"updated_at":"${toTime(0)}"}`,
      ]),
    ]);
    expect(await loader.rows('id::text, amount::text, tags::text')).toEqual([
      { id: '9223372036854775807', amount: '0.12345678901234567890', tags: '[18482956273954458110]' },
    ]);
  });

  test('replaces NUL and lone surrogates in values and names, and notes the locations (I10)', async () => {
    await loader.load([
      buildBatch([`{"id":1,"name":"a\\u0000b","tags":{"k\\u0000":["x\\ud800y"]},"updated_at":"${toTime(0)}"}`]),
    ]);
    const [row] = await loader.rows('name, tags, _freshet_notes');
    expect(row).toMatchObject({ name: 'a\ufffdb', tags: { 'k\ufffd': ['x\ufffdy'] } });
    expect(row?.['_freshet_notes']).toMatchObject({
      nul_replaced: ['/name', '/tags/k\ufffd'],
      surrogate_replaced: ['/tags/k\ufffd/0'],
    });
  });

  test('rejects records that are not JSON objects or have no valid key, and loads all other records (I10)', async () => {
    const { batches, rejectedRecords } = await loader.load([
      buildBatch([{ name: 'no key' }, buildThing(1, 0), '[1]', { id: 'abc', updated_at: toTime(0) }]),
    ]);
    expect(rejectedRecords.map((r) => [r.line, r.reason])).toEqual([
      [0, 'key_missing: id'],
      [2, 'not_an_object'],
      [3, 'key_not_bigint: id'],
    ]);
    expect(rejectedRecords[0]?.raw).toContain('no key');
    expect(batches[0]?.counts).toMatchObject({ records: 4, inserted: 1, rejected: 3 });
  });

  test('does not widen a documented column, so values that do not fit are stored in _freshet_extra with a note (I10)', async () => {
    const values = ['2024-02-30', '0000-00-00', '', 'infinity', '12024-01-01', 1700000000, true, { a: 1 }];
    const records = values.map((day, n) => buildThing(n + 1, 0, { day, name: `kept ${n}` }));
    const { misfits, schemaChanges, batches, rejectedRecords } = await loader.load([
      buildBatch([...records, buildThing(100, 0, { day: '2024-02-29' })]),
    ]);
    expect(schemaChanges).toEqual([{ change: 'table_added', table: 'things', column: null, type: null }]);
    expect(batches[0]?.counts).toMatchObject({ inserted: values.length + 1, rejected: 0 });
    expect(rejectedRecords).toEqual([]);
    expect(misfits).toEqual([
      { batchId: batches[0]?.batchId, column: 'day', type: 'date', note: 'kept_in_extra', count: values.length },
    ]);
    expect(await loader.rows('day::text, name, _freshet_extra, _freshet_notes')).toEqual([
      ...values.map((day, n) => ({
        day: null,
        name: `kept ${n}`,
        _freshet_extra: { day },
        _freshet_notes: { kept_in_extra: ['day'] },
      })),
      { day: '2024-02-29', name: null, _freshet_extra: null, _freshet_notes: null },
    ]);
  });

  test('rejects a record if a value does not fit its column and the policy is `freeze`, but only discards the value if the policy is `discard`', async () => {
    await loader.load([buildBatch([buildThing(1, 0)])]);
    const frozen = await loader.load([buildBatch([buildThing(2, 0, { amount: 'x' })], { extractedAt: 1 })], {
      schemaPolicy: 'freeze',
    });
    expect(frozen.rejectedRecords).toMatchObject([{ reason: 'value_not_numeric: amount' }]);
    await loader.load([buildBatch([buildThing(3, 0, { amount: 'x' })], { extractedAt: 2 })], {
      schemaPolicy: 'discard',
    });
    expect(await loader.rows('id, amount, _freshet_notes')).toEqual([
      { id: '1', amount: null, _freshet_notes: null },
      { id: '3', amount: null, _freshet_notes: { discarded: ['amount'] } },
    ]);
  });
});
