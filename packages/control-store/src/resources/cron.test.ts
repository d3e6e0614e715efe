import { describe, expect, test } from 'vitest';
import { findScheduleProblems, getNextRun } from './cron.ts';

/** No jitter, and almost a minute of it. */
const [FIRST, LAST] = ['00000000-0000-7000-8000-000000000000', '00000000-0000-7000-8000-00000000ea5f'];
const berlin = (cron: string) => ({ cron, time_zone: 'Europe/Berlin' });
const after = (cron: string, from: string, id = FIRST) => getNextRun(berlin(cron), new Date(from), id)?.toISOString();

describe('cron schedules', () => {
  test('come at the time that the clock on the wall shows, through both changes of the clock', () => {
    expect(after('30 6 * * *', '2026-03-28T12:00:00Z')).toBe('2026-03-29T04:30:00.000Z');
    expect(after('30 6 * * *', '2026-10-24T12:00:00Z')).toBe('2026-10-25T05:30:00.000Z');
    // 02:30 is skipped on the one day, which runs when the gap is over, and twice there on the other: once each.
    expect(after('30 2 * * *', '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(after('30 2 * * *', '2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(after('30 2 * * *', '2026-10-25T00:30:01Z')).toBe('2026-10-26T01:30:00.000Z');
  });

  test('each pipeline has a moment of its own, and none comes twice or is passed over for it', () => {
    expect(after('0 * * * *', '2026-01-01T10:30:00Z', LAST)).toBe('2026-01-01T11:00:59.999Z');
    expect(after('0 * * * *', '2026-01-01T11:00:30Z', LAST)).toBe('2026-01-01T11:00:59.999Z');
    expect(after('0 * * * *', '2026-01-01T11:00:59.999Z', LAST)).toBe('2026-01-01T12:00:59.999Z');
    expect(after('0 * * * *', '2026-01-01T11:00:00Z', FIRST)).toBe('2026-01-01T12:00:00.000Z');
  });

  test('a day fits by its date or by its weekday; one that never comes has no next time', () => {
    expect(after('0 0 13 * 5', '2026-02-13T12:00:00Z')).toBe('2026-02-19T23:00:00.000Z');
    expect(getNextRun(berlin('0 0 30 2 *'), new Date('2026-01-01T00:00:00Z'), FIRST)).toBeNull();
  });

  test.each([
    ['*/10 * * * *', 'Europe/Berlin', /less than 30 minutes/],
    ['0,10 12 * * *', 'UTC', /less than 30 minutes/],
    ['0 0 30 2 *', 'UTC', /never/],
    ['0 25 * * *', 'UTC', /invalid/],
    ['0 0 0 * * *', 'UTC', /five fields/],
    ['@daily', 'UTC', /five fields/],
    ['0 6 * * *', 'Berlin', /time zone/],
    ['0 6 * * *', '+02:00', /time zone/],
  ])('%s %s is refused', (cron, time_zone, why) => {
    expect(findScheduleProblems({ cron, time_zone }, 30)).toEqual([
      { pointer: expect.stringMatching(/^\/schedule\/(cron|time_zone)$/), detail: expect.stringMatching(why) },
    ]);
  });

  test.each(['0 6 * * *', '*/30 8-18 * * 1-5', '0 0 1 * *', '15 3 L * *'])('%s is taken', (cron) => {
    expect(findScheduleProblems(berlin(cron), 30)).toEqual([]);
  });

  test('problems of the expression and of the time zone are found together, and a missing field hides no problem of the other', () => {
    const pointers = (schedule: object) => findScheduleProblems(schedule, 30).map(({ pointer }) => pointer);
    expect(pointers({ cron: '61 * * * *', time_zone: 'Berlin' })).toEqual(['/schedule/cron', '/schedule/time_zone']);
    expect(pointers({ cron: '61 * * * *' })).toEqual(['/schedule/cron']);
    expect(pointers({ time_zone: 'Berlin' })).toEqual(['/schedule/time_zone']);
    expect(pointers({})).toEqual([]);
  });
});
