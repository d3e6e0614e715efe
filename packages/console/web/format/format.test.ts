import { expect, test } from 'vitest';
import {
  formatApproximate,
  formatBytes,
  formatCount,
  formatDuration,
  formatDurationBriefly,
  formatPercent,
  listDurationTicks,
} from './numbers.ts';
import { formatHistorySince, formatRelative, formatUtc } from './times.ts';

test('durations have their two largest units', () => {
  expect(formatDuration(0)).toBe('0 s');
  expect(formatDuration(0.2)).toBe('< 1 s');
  expect(formatDuration(108)).toBe('1 min 48 s');
  expect(formatDuration(11_520)).toBe('3 h 12 min');
  expect(formatDuration(86_400 * 3)).toBe('3 days');
});

test('a brief duration has one unit', () => {
  expect(formatDurationBriefly(0)).toBe('0 s');
  expect(formatDurationBriefly(100)).toMatch(/^1[.,]7 min$/);
  expect(formatDurationBriefly(172_800)).toBe('2 days');
});

test.each([
  [0, ['0 s', '1 s', '2 s']],
  [37, ['0 s', '10 s', '20 s', '30 s', '40 s']],
  [3000, ['0 s', '20 min', '40 min', '1 h']],
  [30_000, ['0 s', '3 h', '6 h', '9 h']],
  [86_400 * 900, ['0 s', '225 days', '450 days', '675 days', '900 days']],
])('an axis with durations up to %i s has round labels', (maximum, labels) => {
  expect(listDurationTicks(maximum).map(formatDurationBriefly)).toEqual(labels);
});

test('a share is 100 % only if nothing is left', () => {
  expect(formatPercent(0.999)).toBe('99 %');
  expect(formatPercent(1)).toBe('100 %');
});

test('numbers and sizes have units', () => {
  expect(formatApproximate(1_204_311)).toMatch(/^1[.,]2 million$/);
  expect(formatBytes(1536)).toMatch(/^1[.,]5 KiB$/);
  expect(formatBytes(0)).toBe('0 B');
  expect(formatCount(1, 'batch', 'batches')).toBe('1 batch');
});

test('times are relative to now, in the past and in the future', () => {
  const now = Date.parse('2026-01-01T12:00:00Z');
  expect(formatRelative('2026-01-01T11:56:00Z', now)).toBe('4 min ago');
  expect(formatRelative('2026-01-01T12:56:30Z', now)).toBe('in 56 min');
  expect(formatRelative('2025-12-29T11:00:00Z', now)).toBe('3 days ago');
  expect(formatRelative(null, now)).toBe('never');
  expect(formatUtc('2026-01-01T09:00:12.345Z')).toBe('2026-01-01 09:00:12 UTC');
});

test('a history since 1970 is all history', () => {
  expect(formatHistorySince('1970-01-01T00:00:00.000Z')).toBe('all');
  expect(formatHistorySince(null)).toBe('—');
});
