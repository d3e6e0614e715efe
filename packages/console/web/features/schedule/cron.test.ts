import { expect, test } from 'vitest';
import { previewCron, previewInterval } from './cron.ts';

test('the preview follows the time zone and daylight saving time', () => {
  const { times } = previewCron('15 6 * * *', 'Europe/Berlin', 2, new Date('2026-03-28T12:00:00Z'));
  expect(times.map((time) => time.toISOString())).toEqual(['2026-03-29T04:15:00.000Z', '2026-03-30T04:15:00.000Z']);
});

test.each([
  ['15 6 * *', /Five fields/],
  ['61 6 * * *', /invalid/],
  ['0 0 30 2 *', /never matches/],
])('the preview explains why %j has no runs', (cron, message) => {
  expect(previewCron(cron, 'UTC', 1)).toMatchObject({ times: [], error: expect.stringMatching(message) });
});

test('the runs of an interval begin with the first run', () => {
  const first = new Date('2026-01-01T00:00:00Z');
  expect(previewInterval(60, 2, first).map((time) => time.getUTCHours())).toEqual([0, 1]);
});
