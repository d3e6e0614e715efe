import { expect, test } from 'vitest';
import { mergeReadings } from './merge-readings.ts';

const toReading = (spent: number, { total = 100, used = 1, bucket = 'account' } = {}) => ({
  bucket,
  total,
  remaining: total - spent,
  used,
});

test('merges consecutive readings of a bucket into the reading with the most used credits (I5)', () => {
  expect(mergeReadings([toReading(20), toReading(22), toReading(21)])).toEqual([toReading(22)]);
});

test('does not merge readings that may begin a window, or whose buckets or limits differ (I5)', () => {
  const readings = [
    toReading(20),
    toReading(1),
    toReading(2),
    toReading(3, { bucket: 'list' }),
    toReading(3),
    toReading(4, { total: 50 }),
    toReading(3, { total: 50, used: 3 }),
  ];
  expect(mergeReadings(readings)).toEqual(readings);
});
