import { describe, expect, test } from 'vitest';
import { sortRows } from '../../components/data-table.tsx';
import { compareCounts, compareMinutes, comparePercentages } from './comparison.ts';
import { buildHeatMap, getLevel, listLevels } from './heat-map-values.ts';
import { getFileName } from './report-queries.ts';
import {
  formatMinutes,
  formatMinutesBriefly,
  formatPercentage,
  getDurationUnit,
  getNumber,
  getSeries,
  insertArguments,
} from './report-values.ts';

describe('comparisons with the previous period', () => {
  test('more or fewer tickets are neither good nor bad', () => {
    expect(compareCounts(104, 100)).toEqual({ direction: 'up', tone: 'neutral', text: '4 % more' });
    expect(compareCounts(90, 100)).toEqual({ direction: 'down', tone: 'neutral', text: '10 % fewer' });
    expect(compareCounts(100, 100)).toMatchObject({ direction: null, text: 'no change' });
  });

  test('a shorter time is an improvement', () => {
    expect(compareMinutes(38, 50, 'business')).toEqual({ direction: 'down', tone: 'good', text: '12 min faster' });
    expect(compareMinutes(2 * 1440, 1440, 'calendar')).toEqual({
      direction: 'up',
      tone: 'failed',
      text: '1 day slower',
    });
    expect(compareMinutes(38.2, 38.4, 'business').text).toBe('no change');
  });

  test('a higher percentage is an improvement, in percentage points', () => {
    expect(comparePercentages(93.4, 92.2)).toMatchObject({
      direction: 'up',
      tone: 'good',
      text: /^1[.,]2 points higher$/,
    });
    expect(comparePercentages(88, 90)).toEqual({ direction: 'down', tone: 'failed', text: '2 points lower' });
    expect(comparePercentages(89, 90).text).toBe('1 point lower');
  });

  test('without a value in one of the periods, there is nothing to compare', () => {
    const none = { direction: null, tone: 'neutral', text: null };
    expect(compareCounts(5, 0)).toEqual(none);
    expect(compareMinutes(null, 5, 'calendar')).toEqual(none);
    expect(compareMinutes(5, null, 'calendar')).toEqual(none);
    expect(comparePercentages(90, null)).toEqual(none);
  });
});

describe('values', () => {
  const rows = [
    { group: '2026-01-02', created: 3, minutes: null },
    { group: '2026-01-03', created: '12345678901', minutes: 1.5 },
  ];

  test('an interval without a row has the missing value, and null stays null', () => {
    const intervals = ['2026-01-01', '2026-01-02', '2026-01-03'];
    expect(getSeries({ rows }, intervals, 'created', 0)).toEqual([0, 3, 12345678901]);
    expect(getSeries({ rows }, intervals, 'minutes', null)).toEqual([null, null, 1.5]);
    expect(getNumber(undefined, 'created')).toBe(null);
  });

  test('business time has hours and minutes, and calendar time also has days', () => {
    expect(formatMinutes(38.25, 'business')).toBe('38 min');
    expect(formatMinutes(1500, 'business')).toBe('25 h');
    expect(formatMinutes(1510, 'business')).toBe('25 h 10 min');
    expect(formatMinutes(6010, 'business')).toBe('100 h');
    expect(formatMinutes(1500, 'calendar')).toBe('1 day 1 h');
    expect(formatMinutes(0.4, 'calendar')).toBe('< 1 min');
    expect(formatMinutes(0, 'business')).toBe('0 min');
    expect(formatPercentage(88.89)).toMatch(/^88[.,]9 %$/);
  });

  test('in tables, a time has one unit', () => {
    expect(formatMinutesBriefly(43.4, 'business')).toBe('43 min');
    expect(formatMinutesBriefly(145, 'business')).toMatch(/^2[.,]4 h$/);
    expect(formatMinutesBriefly(3 * 1440, 'business')).toBe('72 h');
    expect(formatMinutesBriefly(3 * 1440, 'calendar')).toBe('3 days');
  });

  test('an axis of durations has one unit', () => {
    expect(getDurationUnit(90, 'calendar').name).toBe('min');
    expect(getDurationUnit(600, 'calendar').name).toBe('h');
    expect(getDurationUnit(10_000, 'calendar').name).toBe('days');
    expect(getDurationUnit(10_000, 'business').name).toBe('h');
  });

  test('the displayed SQL contains the arguments as literals', () => {
    const sql = "select $1::date, $2::date, $3::text, '$10'\n  \n\n limit $4";
    const result = {
      sql,
      arguments: { from: '2026-01-01', to: '2026-02-01', group_by: 'day', time_zone: null },
      time_zone: "Mars'; drop",
    };
    expect(insertArguments(result, 100)).toBe(
      "select '2026-01-01'::date, '2026-02-01'::date, 'Mars''; drop'::text, '$10'\n limit 100;\n",
    );
  });
});

test('an exported file has the name of the schema, the report and the period', () => {
  const pipeline = { destination_schema: 'freshdesk_acme' } as never;
  const request = { pipeline, report: 'csat', period: { from: '2026-01-01', to: '2026-02-01' } };
  expect(getFileName(request, 'png')).toBe('freshdesk_acme-csat-2026-01-01-2026-02-01.png');
});

describe('the heat map', () => {
  test('has a value for each hour of each weekday', () => {
    const rows = [
      { weekday: 1, hour: 9, created: 4 },
      { weekday: 7, hour: 23, created: 10 },
    ];
    const { values, maximum, peak } = buildHeatMap({ rows }, 'created');
    expect([values.length, values[0]?.length]).toEqual([7, 24]);
    expect([values[0]?.[9], values[6]?.[23], values[3]?.[12]]).toEqual([4, 10, 0]);
    expect({ maximum, peak }).toEqual({ maximum: 10, peak: { weekday: 6, hour: 23 } });
  });

  test.each([1, 3, 5, 7, 12, 100])('each value up to %d is in the range of its shade in the legend', (maximum) => {
    const levels = listLevels(maximum);
    for (let value = 0; value <= maximum; value++) {
      const matching = levels.filter(({ first, last }) => first <= value && value <= last);
      expect(
        matching.map(({ level }) => level),
        String(value),
      ).toEqual([getLevel(value, maximum)]);
    }
  });
});

describe('sortRows', () => {
  const columns = [
    { title: 'Name', sortValue: (row: { name: string }) => row.name },
    { title: 'Value', sortValue: (row: { value: number | null }) => row.value },
  ] as never;
  const rows = [
    { name: 'b', value: null },
    { name: 'a', value: 2 },
    { name: 'ä', value: 10 },
  ];
  const names = (title: string, isDescending: boolean) =>
    sortRows(rows, columns, { title, isDescending }).map(({ name }) => name);

  test('sorts numbers as numbers and texts as texts, and rows without a value are always last', () => {
    expect(names('Value', false)).toEqual(['a', 'ä', 'b']);
    expect(names('Value', true)).toEqual(['ä', 'a', 'b']);
    expect(names('Name', false)).toEqual(['a', 'ä', 'b']);
    expect(sortRows(rows, columns, null)).toBe(rows);
  });
});
