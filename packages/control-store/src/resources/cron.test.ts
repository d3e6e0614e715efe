import { describe, expect, test } from 'vitest';
import { findScheduleProblems, getNextRun } from './cron.ts';

/** The ids of a pipeline without jitter, and of a pipeline with the maximum jitter. */
const [NO_JITTER, MAX_JITTER] = ['00000000-0000-7000-8000-000000000000', '00000000-0000-7000-8000-00000000ea5f'];
const berlin = (cron: string) => ({ cron, time_zone: 'Europe/Berlin' });
const getNext = (cron: string, from: string, id = NO_JITTER) =>
  getNextRun(berlin(cron), new Date(from), id)?.toISOString();

describe('getNextRun', () => {
  test('follows the local time of the time zone when daylight saving time starts and ends', () => {
    expect(getNext('30 6 * * *', '2026-03-28T12:00:00Z')).toBe('2026-03-29T04:30:00.000Z');
    expect(getNext('30 6 * * *', '2026-10-24T12:00:00Z')).toBe('2026-10-25T05:30:00.000Z');
    // On the first day, 02:30 does not exist, so the run starts at the end of the gap. On the
    // second day, 02:30 occurs twice, and the run starts at the first occurrence.
    expect(getNext('30 2 * * *', '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(getNext('30 2 * * *', '2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(getNext('30 2 * * *', '2026-10-25T00:30:01Z')).toBe('2026-10-26T01:30:00.000Z');
  });

  test('delays each pipeline by its jitter, without repeating or skipping a run', () => {
    expect(getNext('0 * * * *', '2026-01-01T10:30:00Z', MAX_JITTER)).toBe('2026-01-01T11:00:59.999Z');
    expect(getNext('0 * * * *', '2026-01-01T11:00:30Z', MAX_JITTER)).toBe('2026-01-01T11:00:59.999Z');
    expect(getNext('0 * * * *', '2026-01-01T11:00:59.999Z', MAX_JITTER)).toBe('2026-01-01T12:00:59.999Z');
    expect(getNext('0 * * * *', '2026-01-01T11:00:00Z', NO_JITTER)).toBe('2026-01-01T12:00:00.000Z');
  });

  test('matches a day by date or by weekday, and returns null if the date never occurs', () => {
    expect(getNext('0 0 13 * 5', '2026-02-13T12:00:00Z')).toBe('2026-02-19T23:00:00.000Z');
    expect(getNextRun(berlin('0 0 30 2 *'), new Date('2026-01-01T00:00:00Z'), NO_JITTER)).toBeNull();
  });
});

describe('findScheduleProblems', () => {
  test.each([
    ['*/10 * * * *', 'Europe/Berlin', /less than 30 minutes/],
    ['0,10 12 * * *', 'UTC', /less than 30 minutes/],
    ['0 0 30 2 *', 'UTC', /never/],
    ['0 25 * * *', 'UTC', /invalid/],
    ['0 0 0 * * *', 'UTC', /five fields/],
    ['@daily', 'UTC', /five fields/],
    ['0 6 * * *', 'Berlin', /time zone/],
    ['0 6 * * *', '+02:00', /time zone/],
  ])('rejects %s in the time zone %s', (cron, time_zone, reason) => {
    expect(findScheduleProblems({ cron, time_zone }, 30)).toEqual([
      { pointer: expect.stringMatching(/^\/schedule\/(cron|time_zone)$/), detail: expect.stringMatching(reason) },
    ]);
  });

  test.each(['0 6 * * *', '*/30 8-18 * * 1-5', '0 0 1 * *', '15 3 L * *'])('accepts %s', (cron) => {
    expect(findScheduleProblems(berlin(cron), 30)).toEqual([]);
  });

  test('rejects an expression whose runs are too close together only at the end of the day', () => {
    const cron = '*/7 0,2,4,6,8,10,12,14,16,18,20,22,23 * * *';
    expect(findScheduleProblems({ cron, time_zone: 'UTC' }, 5)).toEqual([
      { pointer: '/schedule/cron', detail: expect.stringMatching(/less than 5 minutes/) },
    ]);
  });

  test('reports the problems of both fields together, and checks one field even if the other is missing', () => {
    const findPointers = (schedule: object) => findScheduleProblems(schedule, 30).map(({ pointer }) => pointer);
    expect(findPointers({ cron: '61 * * * *', time_zone: 'Berlin' })).toEqual([
      '/schedule/cron',
      '/schedule/time_zone',
    ]);
    expect(findPointers({ cron: '61 * * * *' })).toEqual(['/schedule/cron']);
    expect(findPointers({ time_zone: 'Berlin' })).toEqual(['/schedule/time_zone']);
    expect(findPointers({})).toEqual([]);
  });
});
