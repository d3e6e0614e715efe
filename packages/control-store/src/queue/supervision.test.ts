import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Supervision } from './supervision.ts';

const INTERVAL_MS = 5000;
/** More than the maximum random delay. */
const MARGIN_MS = 300;

let lastPassAt = 0;
const passes: string[] = [];
const running: Supervision[] = [];

function startSupervisor(name: string): Supervision {
  const supervision = new Supervision({
    intervalMs: INTERVAL_MS,
    getElapsedMs: async () => Date.now() - lastPassAt,
    supervise: async () => {
      lastPassAt = Date.now();
      passes.push(name);
    },
    onError: (error) => {
      throw error;
    },
  });
  supervision.start();
  running.push(supervision);
  return supervision;
}

beforeEach(() => {
  vi.useFakeTimers();
  lastPassAt = 0;
  passes.length = 0;
});
afterEach(() => {
  for (const supervision of running.splice(0)) supervision.stop();
  vi.useRealTimers();
});

test('several processes together supervise the queues once in each interval', async () => {
  for (const name of ['a', 'b', 'c']) startSupervisor(name);
  await vi.advanceTimersByTimeAsync(12 * INTERVAL_MS);
  expect(passes.length).toBeGreaterThanOrEqual(11);
  expect(passes.length).toBeLessThanOrEqual(12);
});

test('after the death of a process, a different process supervises the queues when the interval ends (I8)', async () => {
  const first = startSupervisor('a');
  await vi.advanceTimersByTimeAsync(INTERVAL_MS / 2);
  startSupervisor('b');
  await vi.advanceTimersByTimeAsync(INTERVAL_MS / 2 + MARGIN_MS);
  expect(passes).toEqual(['a']);
  await vi.advanceTimersByTimeAsync(INTERVAL_MS / 2);
  first.stop();
  await vi.advanceTimersByTimeAsync(INTERVAL_MS / 2 + MARGIN_MS);
  expect(passes).toEqual(['a', 'b']);
});
