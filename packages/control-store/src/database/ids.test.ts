import { expect, test } from 'vitest';
import { uuidv7 } from './ids.ts';

test('ids are UUIDs of version 7 that contain the time, differ, and sort in the order of their creation', () => {
  const start = Date.now();
  // The pool of random bytes is refilled several times.
  const ids = Array.from({ length: 1000 }, () => uuidv7());
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt((ids[0] as string).replace('-', '').slice(0, 12), 16)).toBeGreaterThanOrEqual(start);
  expect(new Set(ids).size).toBe(1000);
  expect(ids.toSorted()).toEqual(ids);
});

test('ids increase even if the clock is set back', () => {
  const later = uuidv7(Date.now() + 60_000);
  const next = uuidv7();
  expect(next > later).toBe(true);
  expect(next.slice(0, 14)).toBe(later.slice(0, 14));
});
