import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Supervision } from './supervision.ts';

const CHECK_INTERVAL_MS = 5000;
const PASS_INTERVAL_MS = 60_000;
/** More than the maximum random delay. */
const MARGIN_MS = 300;

let lastPassAt = 0;
let hasLostJobs = false;
let checks = 0;
const passes: string[] = [];
const running: Supervision[] = [];

function startSupervisor(name: string): Supervision {
  const supervision = new Supervision({
    checkIntervalMs: CHECK_INTERVAL_MS,
    passIntervalMs: PASS_INTERVAL_MS,
    getState: async () => {
      checks++;
      return { elapsedMs: Date.now() - lastPassAt, hasLostJobs };
    },
    supervise: async () => {
      lastPassAt = Date.now();
      hasLostJobs = false;
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
  lastPassAt = Date.now();
  hasLostJobs = false;
  checks = 0;
  passes.length = 0;
});
afterEach(() => {
  for (const supervision of running.splice(0)) supervision.stop();
  vi.useRealTimers();
});

test('several processes together supervise the queues once in each interval', async () => {
  for (const name of ['a', 'b', 'c']) startSupervisor(name);
  await vi.advanceTimersByTimeAsync(4 * PASS_INTERVAL_MS + CHECK_INTERVAL_MS);
  expect(passes.length).toBeGreaterThanOrEqual(3);
  expect(passes.length).toBeLessThanOrEqual(4);
});

test('requeues a lost job at the next check, without waiting for the next pass (I8)', async () => {
  startSupervisor('a');
  await vi.advanceTimersByTimeAsync(3 * (CHECK_INTERVAL_MS + MARGIN_MS));
  expect(passes).toEqual([]);
  hasLostJobs = true;
  await vi.advanceTimersByTimeAsync(CHECK_INTERVAL_MS + MARGIN_MS);
  expect(passes).toEqual(['a']);
});

test('a lost job that a pass cannot requeue does not cause a pass in every process', async () => {
  for (const name of ['a', 'b', 'c']) startSupervisor(name);
  for (let n = 0; n < 6; n++) {
    hasLostJobs = true;
    await vi.advanceTimersByTimeAsync(CHECK_INTERVAL_MS);
  }
  expect(passes.length).toBeGreaterThanOrEqual(3);
  expect(passes.length).toBeLessThanOrEqual(6);
});

test('after the death of a process, a different process supervises the queues (I8)', async () => {
  const first = startSupervisor('a');
  await vi.advanceTimersByTimeAsync(CHECK_INTERVAL_MS / 2);
  startSupervisor('b');
  first.stop();
  hasLostJobs = true;
  await vi.advanceTimersByTimeAsync(CHECK_INTERVAL_MS + MARGIN_MS);
  expect(passes).toEqual(['b']);
});

test('a stopped supervisor does not query the state again', async () => {
  startSupervisor('a').stop();
  await vi.advanceTimersByTimeAsync(2 * CHECK_INTERVAL_MS);
  expect(checks).toBe(0);
});
