import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DueJobs } from './due-jobs.ts';

/** Queue → the time at which its next waiting job is due. */
const dueAt = new Map<string, number>();
let woken: string[] = [];
let errors: Error[] = [];
let failure: Error | null = null;
let dueJobs: DueJobs;

beforeEach(() => {
  vi.useFakeTimers();
  dueAt.clear();
  [woken, errors, failure] = [[], [], null];
  dueJobs = new DueJobs({
    findDelays: async (queues) => {
      if (failure !== null) throw failure;
      return new Map(
        queues.flatMap((queue) => (dueAt.has(queue) ? [[queue, (dueAt.get(queue) ?? 0) - Date.now()]] : [])),
      );
    },
    wake: (queue) => woken.push(queue),
    onError: (error) => errors.push(error),
  });
});
afterEach(() => {
  dueJobs.stop();
  vi.useRealTimers();
});

test('wakes the workers of a queue when a delayed job of a different process becomes due', async () => {
  dueJobs.add('load');
  dueAt.set('load', Date.now() + 6100);
  await vi.advanceTimersByTimeAsync(6050);
  expect(woken).toEqual([]);
  await vi.advanceTimersByTimeAsync(50);
  expect(woken).toEqual(['load']);
});

test('wakes the workers at once when a delayed job of this process becomes due', async () => {
  dueJobs.add('load');
  dueAt.set('load', Date.now() + 300);
  dueJobs.expect('load', 300);
  dueJobs.expect('erase', 100);
  await vi.advanceTimersByTimeAsync(300);
  expect(woken).toEqual(['load']);
});

test('repeats the check while a due job waits, and after an error', async () => {
  dueJobs.add('load');
  dueAt.set('load', Date.now());
  await vi.advanceTimersByTimeAsync(5000);
  expect(woken).toEqual(['load', 'load', 'load']);
  failure = new Error('connection lost');
  await vi.advanceTimersByTimeAsync(500);
  expect(errors).toEqual([failure]);
  failure = null;
  await vi.advanceTimersByTimeAsync(4000);
  expect(woken).toHaveLength(4);
});
