import { expect, test } from 'vitest';
import { estimateMinutes, sumEstimates } from './estimates.ts';

test('the totals contain only the selected objects', () => {
  const objects = [
    { object: 'tickets', records: 100, credits: 5, unchanged_credits: 2, minutes: 0, basis: 'counted' as const },
    {
      object: 'conversations',
      records: 300,
      credits: 100,
      unchanged_credits: 0,
      minutes: 0,
      basis: 'typical' as const,
    },
  ];
  expect(sumEstimates(objects, ['tickets'])).toEqual({ records: 100, credits: 5, unchangedCredits: 2 });
  expect(sumEstimates(objects, ['tickets', 'conversations']).credits).toBe(105);
});

test('the duration depends on the share of the rate limit', () => {
  expect(estimateMinutes(3200, 400, 80)).toBeCloseTo(9.53, 1);
  expect(estimateMinutes(3200, 400, 40)).toBeGreaterThan(19);
  expect(estimateMinutes(300, null, 80)).toBe(0.5);
  expect(estimateMinutes(0, 400, 80)).toBe(0);
});
