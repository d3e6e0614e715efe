import { describe, expect, test } from 'vitest';
import { useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;

describe('GET /v1/accounts/{subdomain}/budget', () => {
  test('returns the credits of each bucket, and the time until which the account is blocked', async () => {
    expect((await call('get', '/v1/accounts/never/budget').expect(200)).body).toEqual({
      subdomain: 'never',
      buckets: [],
    });
    await api.store.budgets.take('busy', 80, {
      buckets: ['account', 'list'],
      credits: 3,
      creditClass: 'incremental',
    });
    await api.store.budgets.reconcile('busy', [{ bucket: 'account', total: 700, remaining: 600, used: 3 }]);
    await api.store.budgets.block('busy', 30_000);
    const { body } = await call('get', '/v1/accounts/busy.freshdesk.com/budget').expect(200);
    const classes = (incremental: number) =>
      ['by_hand', 'incremental', 'children', 'backfill', 'audit'].map((c) => ({
        class: c,
        used: c === 'incremental' ? incremental : 0,
        wanted_until: null,
      }));
    const soon = expect.stringMatching(/^\d{4}-/);
    expect(body).toEqual({
      subdomain: 'busy',
      buckets: [
        {
          bucket: 'account',
          unlimited: false,
          total: 700,
          used: 100,
          window_ends_at: soon,
          blocked_until: soon,
          classes: classes(3),
        },
        {
          bucket: 'list',
          unlimited: false,
          total: null,
          used: 3,
          window_ends_at: soon,
          blocked_until: soon,
          classes: classes(3),
        },
      ],
    });
    await call('get', '/v1/accounts/not%20one/budget').expect(400);
  });
});
