import { describe, expect, test } from 'vitest';
import { isDay } from './days.ts';
import {
  describePreviousPeriod,
  findRangeProblem,
  formatInterval,
  formatPeriod,
  getDay,
  getDefaultGrouping,
  getPeriod,
  getPreviousPeriod,
  listIntervals,
} from './periods.ts';
import { parseReportSearch } from './report-search.ts';

const TODAY = '2026-03-01';

describe('getPeriod', () => {
  test('the period ends with today, and the end is the day after', () => {
    expect(getPeriod({ range: '7d' }, TODAY)).toEqual({ from: '2026-02-23', to: '2026-03-02' });
    expect(getPeriod({}, TODAY)).toEqual({ from: '2026-01-31', to: '2026-03-02' });
    expect(getPeriod({ range: 'quarter' }, TODAY)).toEqual({ from: '2025-12-01', to: '2026-03-02' });
  });

  test('a custom period contains its last day', () => {
    const search = { range: 'custom', from: '2026-02-28', to: '2026-02-28' } as const;
    expect(getPeriod(search, TODAY)).toEqual({ from: '2026-02-28', to: '2026-03-01' });
  });
});

test('the previous period has the same length, and ends where the period begins', () => {
  const period = { from: '2026-03-01', to: '2026-03-31' };
  expect(getPreviousPeriod(period)).toEqual({ from: '2026-01-30', to: '2026-03-01' });
  expect(describePreviousPeriod(period)).toBe('previous 30 days');
  expect(describePreviousPeriod({ from: '2026-03-01', to: '2026-03-02' })).toBe('previous day');
  expect(describePreviousPeriod(getPeriod({ range: 'quarter' }, TODAY))).toBe('previous 13 weeks');
});

test('getDay returns the day in the time zone', () => {
  const time = Date.parse('2026-11-28T23:30:00Z');
  expect(getDay(time, 'Europe/Berlin')).toBe('2026-11-29');
  expect(getDay(time, 'America/New_York')).toBe('2026-11-28');
});

describe('listIntervals', () => {
  test('lists each day, also across a clock change', () => {
    expect(listIntervals({ from: '2026-03-28', to: '2026-03-31' }, 'day')).toEqual([
      '2026-03-28',
      '2026-03-29',
      '2026-03-30',
    ]);
  });

  test('begins with the Monday of the week, or the first day of the month, of the first day', () => {
    expect(listIntervals({ from: '2026-03-01', to: '2026-03-10' }, 'week')).toEqual([
      '2026-02-23',
      '2026-03-02',
      '2026-03-09',
    ]);
    expect(listIntervals({ from: '2026-01-31', to: '2026-04-01' }, 'month')).toEqual([
      '2026-01-01',
      '2026-02-01',
      '2026-03-01',
    ]);
  });

  test('the default interval grows with the period', () => {
    expect(getDefaultGrouping({ from: '2026-01-01', to: '2026-01-31' })).toBe('day');
    expect(getDefaultGrouping(getPeriod({ range: 'quarter' }, TODAY))).toBe('week');
    expect(getDefaultGrouping({ from: '2024-01-01', to: '2026-01-01' })).toBe('month');
  });
});

test('labels have years only if they are needed', () => {
  const oneYear = { from: '2026-01-01', to: '2027-01-01' };
  expect(formatInterval('2026-11-28', 'day', oneYear)).toBe('28 Nov');
  expect(formatInterval('2026-11-01', 'month', oneYear)).toBe('Nov 2026');
  expect(formatInterval('2026-11-28', 'week', { from: '2025-12-31', to: '2026-12-31' })).toBe('28 Nov 26');
  expect(formatPeriod({ from: '2026-10-30', to: '2026-11-29' })).toBe('30 Oct – 28 Nov 2026');
  expect(formatPeriod({ from: '2025-12-30', to: '2026-01-02' })).toBe('30 Dec 2025 – 1 Jan 2026');
  expect(formatPeriod({ from: '2026-10-30', to: '2026-10-31' })).toBe('30 Oct 2026');
});

test('a custom range must have existing days in their order, and at most ten years', () => {
  expect(findRangeProblem('2026-01-01', '2026-01-01')).toBe(null);
  expect(findRangeProblem('', '2026-01-01')).toContain('Enter');
  expect(findRangeProblem('2026-01-02', '2026-01-01')).toContain('must not be after');
  expect(findRangeProblem('2010-01-01', '2026-01-01')).toContain('3660');
  expect([isDay('2026-02-29'), isDay('2028-02-29'), isDay(20260101)]).toEqual([false, true, false]);
});

describe('parseReportSearch', () => {
  test('reads all parameters of a link', () => {
    const search = {
      pipeline: 'p1',
      range: 'custom',
      from: '2026-01-01',
      to: '2026-02-01',
      by: 'week',
      hours: 'calendar',
      table: 'company',
    };
    expect(parseReportSearch(search)).toEqual(search);
  });

  test('ignores unknown and invalid parameters', () => {
    expect(parseReportSearch({ range: 'custom', from: '2026-02-02', to: '2026-02-01', by: 'year', x: 1 })).toEqual({});
    expect(parseReportSearch({ range: 'custom', from: '2026-02-30', to: '2026-03-01' })).toEqual({});
    expect(parseReportSearch({ range: '7d', pipeline: 5 })).toEqual({ range: '7d' });
  });
});
