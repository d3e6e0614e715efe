import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const PASSES = 3;

/**
 * Collects garbage in this process, so that a test does not depend on the time at which V8 does so.
 */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let pass = 0; pass < PASSES; pass++) {
    collect();
    // Weak references stay valid until the end of the current task.
    await setImmediate();
  }
}
