import type { CreditClass } from '@freshet/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

describe('CreditBudgets', () => {
  const getBudgets = () => t.store.budgets;
  const setLimit = async (total: number, bucket = 'account') => {
    await getBudgets().take('acme', 100, { buckets: [bucket], credits: 1, creditClass: 'incremental' });
    await getBudgets().reconcile('acme', [{ bucket, total, remaining: total - 1, used: 1 }]);
  };

  test('concurrent workers never take more credits than the configured share of the limit (I5)', async () => {
    await setLimit(100);
    const taken = await Promise.all(
      Array.from({ length: 200 }, () =>
        getBudgets().take('acme', 80, { buckets: ['account'], credits: 1, creditClass: 'incremental' }),
      ),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(79);
    expect(Math.max(...taken)).toBeLessThanOrEqual(61_000);
  });

  test('takes credits from all requested buckets or from none of them (I5)', async () => {
    await setLimit(100);
    await setLimit(10, 'list');
    const taken = await Promise.all(
      Array.from({ length: 30 }, () =>
        getBudgets().take('acme', 100, { buckets: ['account', 'list'], credits: 2, creditClass: 'incremental' }),
      ),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(4);
    const rows = await t.database.sql`select bucket, used::int from freshet.credit_buckets order by bucket`;
    expect([...rows]).toEqual([
      { bucket: 'account', used: 9 },
      { bucket: 'list', used: 9 },
    ]);
  });

  test('uses the remaining credits of a response to detect that other clients spend credits (I5)', async () => {
    await setLimit(100);
    await getBudgets().reconcile('acme', [{ bucket: 'account', total: 100, remaining: 5, used: 1 }]);
    const taken = await Promise.all(
      Array.from({ length: 20 }, () =>
        getBudgets().take('acme', 100, { buckets: ['account'], credits: 1, creditClass: 'incremental' }),
      ),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(5);
  });

  test('applies a changed limit as soon as a response reports the limit (I5, T10)', async () => {
    await setLimit(100);
    await getBudgets().reconcile('acme', [{ bucket: 'account', total: 20, remaining: 10, used: 1 }]);
    const taken = await Promise.all(
      Array.from({ length: 50 }, () =>
        getBudgets().take('acme', 100, { buckets: ['account'], credits: 1, creditClass: 'incremental' }),
      ),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(10);
  });

  test('grants no credits until the time in `Retry-After` has passed (I5, T11)', async () => {
    await setLimit(100);
    await getBudgets().block('acme', 34_000);
    const waits = await Promise.all(
      Array.from({ length: 10 }, () =>
        getBudgets().take('acme', 100, { buckets: ['account'], credits: 1, creditClass: 'incremental' }),
      ),
    );
    for (const wait of waits) expect(wait).toBeGreaterThan(30_000);
    expect(
      await getBudgets().take('other', 100, { buckets: ['account'], credits: 1, creditClass: 'incremental' }),
    ).toBe(0);
    await expect(getBudgets().forAccount('acme', 100).take(['account'], 1, 'incremental')).rejects.toMatchObject({
      code: 'out_of_credits',
    });
  });

  test('charges one unit per request to a bucket that counts requests, and the cost in credits to a bucket that counts credits (I5)', async () => {
    await setLimit(100);
    await setLimit(10, 'calls');
    await setLimit(10, 'credits');
    // A request costs 3 credits. After the request, a bucket that counts requests has used 1 more,
    // and a bucket that counts credits has used 3 more.
    await getBudgets().take('acme', 100, { buckets: ['account', 'calls'], credits: 3, creditClass: 'incremental' });
    await getBudgets().reconcile('acme', [{ bucket: 'calls', total: 10, remaining: 8, used: 3 }]);
    await getBudgets().take('acme', 100, { buckets: ['account', 'credits'], credits: 3, creditClass: 'incremental' });
    await getBudgets().reconcile('acme', [{ bucket: 'credits', total: 10, remaining: 6, used: 3 }]);
    const countGranted = async (bucket: string) => {
      const waits = await Promise.all(
        Array.from({ length: 20 }, () =>
          getBudgets().take('acme', 100, { buckets: [bucket], credits: 3, creditClass: 'incremental' }),
        ),
      );
      return waits.filter((wait) => wait === 0).length;
    };
    expect(await countGranted('calls')).toBe(8);
    expect(await countGranted('credits')).toBe(2);
  });

  test('corrects the account bucket when a response reports the limit of the account (I5)', async () => {
    await setLimit(50);
    await getBudgets().take('acme', 100, { buckets: ['account', 'list'], credits: 1, creditClass: 'incremental' });
    await getBudgets().reconcile('acme', [{ bucket: 'list', total: 50, remaining: 9, used: 1 }]);
    expect((await getBudgets().listBuckets('acme')).map((b) => [b.bucket, b.used])).toEqual([
      ['account', 41],
      ['list', 41],
    ]);
  });

  test('reconciles several readings at once as if they were reconciled one by one (I5)', async () => {
    const pick = <V>(values: readonly V[]) => values[Math.floor(Math.random() * values.length)] as V;
    for (let round = 0; round < 30; round++) {
      const readings = Array.from({ length: 12 }, () => {
        const [total, used] = [pick([100, 100, 100, 50, null]), pick([1, 1, 2, 3, null])];
        const spent = pick([0, 1, 1, 2, 3, 4, 20, 21, 22, 40]);
        return {
          bucket: pick(['account', 'list', 'list']),
          total,
          remaining: total === null ? null : total - spent,
          used,
        };
      });
      const accounts = [`one-${round}`, `all-${round}`] as const;
      for (const account of accounts)
        await getBudgets().take(account, 100, { buckets: ['account', 'list'], credits: 1, creditClass: 'incremental' });
      for (const reading of readings) await getBudgets().reconcile(accounts[0], [reading]);
      await getBudgets().reconcile(accounts[1], readings);
      const [one, all] = await Promise.all(
        accounts.map(async (account) =>
          (await getBudgets().listBuckets(account)).map(({ bucket, total, used, classes }) => ({
            bucket,
            total,
            used,
            usedByClass: classes.map((c) => c.used),
          })),
        ),
      );
      expect(all, JSON.stringify(readings)).toEqual(one);
    }
  });

  test('reserves the start of the next window for a class that was denied credits (I5)', async () => {
    await setLimit(10);
    const takeOne = (creditClass: CreditClass) =>
      getBudgets().take('acme', 100, { buckets: ['account'], credits: 1, creditClass });
    const nextWindow = () => t.database.sql`update freshet.credit_buckets set window_ends_at = now(),
      reserved_until = (
        select array_agg(w - (window_ends_at - now()) order by i)
        from unnest(reserved_until) with ordinality as u(w, i)
      )`;
    for (let n = 0; n < 9; n++) expect(await takeOne('children')).toBe(0);
    expect(await takeOne('incremental')).toBeGreaterThan(55_000);
    await nextWindow();
    // The more urgent class has not retried yet, so the bucket stays reserved for five seconds.
    const waitMs = await takeOne('children');
    expect(waitMs).toBeGreaterThan(3000);
    expect(waitMs).toBeLessThanOrEqual(5000);
    expect(await takeOne('by_hand')).toBe(0);
    expect(await takeOne('incremental')).toBe(0);
    // Each granted request of the more urgent class moves the end of the reservation to two seconds
    // after the request.
    const waitAfterMs = await takeOne('audit');
    expect(waitAfterMs).toBeGreaterThan(1000);
    const [bucket] = await getBudgets().listBuckets('acme');
    expect(bucket?.classes.map((c) => c.used)).toEqual([1, 1, 0, 0, 0]);
    expect(bucket?.classes.map((c) => c.reservedUntil !== null)).toEqual([false, true, true, false, true]);
  });

  test('throws out_of_credits instead of waiting longer than two seconds while a more urgent class keeps its reservation (I5)', async () => {
    await setLimit(100);
    const reserve = () =>
      t.database.sql`update freshet.credit_buckets set reserved_until[2] = now() + interval '1500 milliseconds'`;
    await reserve();
    const interval = setInterval(() => void reserve().execute(), 200);
    try {
      await expect(getBudgets().forAccount('acme', 100).take(['account'], 1, 'children')).rejects.toMatchObject({
        code: 'out_of_credits',
      });
    } finally {
      clearInterval(interval);
    }
  });

  test('backfill and audit leave a tenth of the credits to other classes until the last seconds of a window (I5)', async () => {
    await setLimit(101);
    const countGranted = async (creditClass: CreditClass) => {
      const waits = await Promise.all(
        Array.from({ length: 120 }, () =>
          getBudgets().take('acme', 100, { buckets: ['account'], credits: 1, creditClass }),
        ),
      );
      return { granted: waits.filter((wait) => wait === 0).length, wait: Math.max(...waits) };
    };
    const most = await countGranted('backfill');
    expect(most.granted).toBe(89);
    expect(most.wait).toBeLessThanOrEqual(46_100);
    await t.database.sql`
      update freshet.credit_buckets set window_ends_at = now() + interval '14 seconds',
        reserved_until = array_fill(null::timestamptz, array[5])`;
    expect((await countGranted('audit')).granted).toBe(11);
  });

  test('grants only a few requests while the limit is unknown (I5)', async () => {
    const taken = await Promise.all(
      Array.from({ length: 100 }, () =>
        getBudgets().take('new', 80, { buckets: ['account'], credits: 1, creditClass: 'incremental' }),
      ),
    );
    expect(taken.filter((wait) => wait === 0)).toHaveLength(20);
  });
});
