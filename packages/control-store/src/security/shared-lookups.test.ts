import { expect, test } from 'vitest';
import { SharedLookups } from './shared-lookups.ts';

function openLookups() {
  const calls: { readonly key: string; readonly call: PromiseWithResolvers<number> }[] = [];
  const lookups = new SharedLookups((key) => {
    const call = Promise.withResolvers<number>();
    calls.push({ key, call });
    return call.promise;
  });
  return { lookups, calls };
}

test('callers that arrive during a lookup share a second lookup, which starts after the first has ended', async () => {
  const { lookups, calls } = openLookups();
  const first = lookups.get('a');
  const later = [lookups.get('a'), lookups.get('a')];
  expect(calls).toHaveLength(1);
  calls[0]?.call.resolve(1);
  expect(await first).toBe(1);
  await Promise.resolve();
  expect(calls).toHaveLength(2);
  const last = lookups.get('a');
  calls[1]?.call.resolve(2);
  expect(await Promise.all(later)).toEqual([2, 2]);
  await Promise.resolve();
  calls[2]?.call.resolve(3);
  expect(await last).toBe(3);
  expect(calls).toHaveLength(3);
});

test('lookups of different keys are independent', async () => {
  const { lookups, calls } = openLookups();
  const results = [lookups.get('a'), lookups.get('b')];
  expect(calls.map(({ key }) => key)).toEqual(['a', 'b']);
  for (const { call } of calls.toReversed()) call.resolve(calls.length);
  expect(await Promise.all(results)).toEqual([2, 2]);
});

test('a failed lookup rejects only its own callers', async () => {
  const { lookups, calls } = openLookups();
  const first = lookups.get('a');
  const second = lookups.get('a');
  calls[0]?.call.reject(new Error('connection lost'));
  await expect(first).rejects.toThrow('connection lost');
  calls[1]?.call.resolve(2);
  expect(await second).toBe(2);
  void lookups.get('a');
  expect(calls).toHaveLength(3);
});
