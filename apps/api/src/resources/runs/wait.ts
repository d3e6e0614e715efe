import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlStore, Run } from '@freshet/control-store';

/** The interval at which a run is polled while a request waits for it or streams its events. */
export const POLL_INTERVAL_MS = 400;

/**
 * Waits for a run to finish.
 * @param seconds the maximum duration of the wait.
 * @returns the run as it is at the end of the wait.
 */
export async function waitForRun(store: ControlStore, id: string, seconds: number): Promise<Run> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const run = await store.runs.get(id);
    if (run.finished_at !== null || Date.now() >= deadline) return run;
    await sleep(Math.min(POLL_INTERVAL_MS, deadline - Date.now()));
  }
}
