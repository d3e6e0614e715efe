import { expect, test } from 'vitest';
import { describeRefresh, type Refresh } from './analytics-refresh.ts';

const refresh: Refresh = {
  schema: 's_analytics',
  status: 'succeeded',
  refreshed_at: '2026-01-31T12:00:00.000Z',
  kind: 'built',
  tickets: 2000,
  error: null,
  warnings: [],
};
const error = { code: 'warehouse_busy', message: 'Another session holds a lock.' };

test.each<[string, Partial<Refresh>]>([
  ['models built for 2,000 tickets', {}],
  ['models up to date', { kind: 'unchanged', tickets: 0 }],
  ['the models are still being refreshed', { status: 'pending' }],
  ['the models are still being refreshed: Another session holds a lock.', { status: 'pending', error }],
  ['the models could not be refreshed: Another session holds a lock.', { status: 'failed', error }],
])('describeRefresh returns "%s"', (text, fields) => {
  expect(describeRefresh({ ...refresh, ...fields })).toBe(text);
});
