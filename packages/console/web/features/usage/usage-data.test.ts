import { expect, test } from 'vitest';
import type { Schemas } from '../../api/client.ts';
import { getChangePercent, getLagByDay, listDays, sumByDay } from './usage-data.ts';

const NOW = Date.parse('2026-03-01T00:30:00Z');
const row = (day: string, fields: Partial<Schemas['UsageByDay']>) =>
  ({ day, lag_seconds: null, ...fields }) as Schemas['UsageByDay'];

test('the days end today, and contain the end of February', () => {
  expect(listDays(NOW, 3)).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']);
});

test('days without rows have the sum 0 and no lag', () => {
  const rows = [
    row('2026-02-28', { records_loaded: 2, lag_seconds: 60 }),
    row('2026-02-28', { records_loaded: 3, lag_seconds: 90 }),
  ];
  expect(sumByDay(rows, listDays(NOW, 3), (r) => r.records_loaded)).toEqual([0, 5, 0]);
  expect(getLagByDay(rows, listDays(NOW, 3))).toEqual([null, 90, null]);
});

test('a change from 0 has no percentage', () => {
  expect(getChangePercent(106, 100)).toBe(6);
  expect(getChangePercent(5, 0)).toBe(null);
});
