import { describe, expect, test } from 'vitest';
import { toMean, toPercent, toPercentile } from './test-support/averages.ts';
import { compareRows } from './test-support/compare-rows.ts';
import { formatUnits, parseUnits, toMinutes } from './test-support/minutes.ts';
import {
  listOpenIntervals,
  measureOpenTime,
  type ScheduleVersion,
  type TrueSchedule,
} from './test-support/open-intervals.ts';

const HOUR = 3_600_000;
const FROM = Date.parse('2026-01-01T00:00:00Z');
const TO = Date.parse('2027-01-01T00:00:00Z');

function buildSchedule(
  timeZone: string,
  hours: ScheduleVersion['hours'],
  options: { readonly holidays?: readonly string[]; readonly later?: ScheduleVersion } = {},
): TrueSchedule {
  const { holidays = [], later } = options;
  const versions = [{ validFrom: Number.NEGATIVE_INFINITY, hours }, ...(later === undefined ? [] : [later])];
  return { id: 1, timeZone, versions, holidays: new Set(holidays) };
}

function measureHours(schedule: TrueSchedule, from: string, to: string): number {
  return measureOpenTime(listOpenIntervals(schedule, FROM, TO), Date.parse(from), Date.parse(to)) / HOUR;
}

describe('listOpenIntervals', () => {
  const night = { saturday: { start_time: '8:00 pm', end_time: '4:00 am' } };

  test('a shift during which the clock changes has an hour less or more', () => {
    const schedule = buildSchedule('America/New_York', night);
    expect(measureHours(schedule, '2026-03-07T12:00:00Z', '2026-03-08T20:00:00Z')).toBe(7);
    expect(measureHours(schedule, '2026-03-14T12:00:00Z', '2026-03-15T20:00:00Z')).toBe(8);
    expect(measureHours(schedule, '2026-10-31T12:00:00Z', '2026-11-01T20:00:00Z')).toBe(9);
  });

  test('a holiday closes only the part of an overnight shift that is on the holiday', () => {
    const isClosed = (day: string) => buildSchedule('America/New_York', night, { holidays: [day] });
    expect(measureHours(isClosed('2026-06-06'), '2026-06-06T12:00:00Z', '2026-06-07T20:00:00Z')).toBe(4);
    expect(measureHours(isClosed('2026-06-07'), '2026-06-06T12:00:00Z', '2026-06-07T20:00:00Z')).toBe(4);
  });

  test('an interval from midnight to midnight is open for the whole day', () => {
    const schedule = buildSchedule('America/Santiago', {
      saturday: { start_time: '12:00 am', end_time: '12:00 am' },
      sunday: { start_time: '12:00 am', end_time: '12:00 am' },
    });
    // The clock changes at the end of Saturday: this Saturday has 25 hours.
    expect(measureHours(schedule, '2026-04-03T00:00:00Z', '2026-04-07T00:00:00Z')).toBe(49);
    // The clock changes at the start of Sunday: this Sunday has 23 hours.
    expect(measureHours(schedule, '2026-09-04T00:00:00Z', '2026-09-08T00:00:00Z')).toBe(47);
  });

  test('a later version of a schedule applies from the time of its edit', () => {
    const friday = { friday: { start_time: '8:00 am', end_time: '3:30 pm' } };
    const later = {
      validFrom: Date.parse('2026-06-05T10:00:00Z'),
      hours: { friday: { start_time: '6:00 am', end_time: '12:30 pm' } },
    };
    // Berlin is two hours ahead of UTC. The edit is at noon, so the day is open from 8:00 to 12:30.
    expect(
      measureHours(buildSchedule('Europe/Berlin', friday, { later }), '2026-06-05T00:00:00Z', '2026-06-06T00:00:00Z'),
    ).toBe(4.5);
  });
});

test('minutes have four decimals, and halves are rounded up', () => {
  expect([0, 3, 2, 9, 60_000, 90_000, 1000, 61_006].map(toMinutes)).toEqual([
    '0',
    '0.0001',
    '0',
    '0.0002',
    '1',
    '1.5',
    '0.0167',
    '1.0168',
  ]);
  expect(['0', '0.0001', '12.5', '7'].map((text) => formatUnits(parseUnits(text)))).toEqual([
    '0',
    '0.0001',
    '12.5',
    '7',
  ]);
});

test('averages are interpolated and rounded', () => {
  expect(toPercentile(['1', '2', '10'], 50)).toBe('2');
  expect(toPercentile(['1', '2'], 50)).toBe('1.5');
  expect(toPercentile(['1', '2'], 90)).toBe('1.9');
  expect(toPercentile(['0.0001', '0.0002'], 50)).toBe('0.0002');
  expect(toMean(['1', '2', '2'])).toBe('1.6667');
  expect(toPercent(2, 3)).toBe(66.67);
  expect([toPercentile([], 50), toMean([]), toPercent(0, 0)]).toEqual([null, null, null]);
});

describe('compareRows', () => {
  const expected = [
    { id: 1, minutes: '1.5', at: '2026-01-01T00:00:00Z' },
    { id: 2, minutes: null, at: null },
  ];
  const actual = [
    { id: 2, minutes: null, at: null },
    { id: 1, minutes: 1.5, at: '2026-01-01T01:00:00+01:00' },
  ];
  const compare = (rows: readonly Record<string, unknown>[]) =>
    compareRows({ model: 'm', key: ['id'], expected, actual: rows });

  test('accepts equal rows in any order', () => {
    expect(compare(actual)).toEqual([]);
  });

  test('reports a different value, a missing row, an unexpected row and an unexpected column', () => {
    expect(compare([actual[0] ?? {}, { ...actual[1], minutes: 1.5001 }])).toEqual([
      'm, id 1, minutes: expected 1.5, got 1.5001',
    ]);
    expect(compare(actual.slice(1))).toEqual([
      'm, id 2: the row is missing; expected {"id":2,"minutes":null,"at":null}',
    ]);
    expect(compare([...actual, { id: 3 }])).toEqual(['m, id 3: the row is not expected: {"id":3}']);
    expect(compare(actual.map((row) => ({ ...row, added: 1 })))).toEqual([
      'm, id 1, added: expected no column, got 1',
      'm, id 2, added: expected no column, got 1',
    ]);
  });
});
