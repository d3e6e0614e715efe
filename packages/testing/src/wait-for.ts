/** The delay between two checks, as a share of the time since the first check. */
const DELAY_SHARE = 0.1;
/** The maximum of this delay. A longer delay could miss a state that lasts only briefly. */
const DELAY_MAX_MS = 150;

/**
 * Waits until `check` returns a truthy value, and returns that value. Errors of `check` are ignored
 * until the timeout.
 * @param description completes "Timed out waiting until …".
 * @param intervalMs the shortest delay between two checks. A check that causes load in other
 *   processes needs a longer delay, so that the checks do not delay the expected result.
 * @throws Error after the timeout, with the last result or error.
 */
export async function waitFor<T>(
  check: () => Promise<T> | T,
  description: string,
  timeoutMs = 60_000,
  intervalMs = 25,
): Promise<NonNullable<T>> {
  const start = Date.now();
  let last: unknown;
  for (;;) {
    try {
      const result = await check();
      if (result) return result;
      last = result;
    } catch (error) {
      last = error;
    }
    const elapsed = Date.now() - start;
    if (elapsed > timeoutMs)
      throw new Error(
        `Timed out waiting until ${description}. Last result: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
      );
    const delay = Math.max(intervalMs, Math.min(DELAY_MAX_MS, elapsed * DELAY_SHARE));
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
}
