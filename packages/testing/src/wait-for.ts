/**
 * Waits until `check` returns a truthy value, and returns that value. Errors of `check` are ignored
 * until the timeout.
 * @param description completes "Timed out waiting until …".
 * @throws Error after the timeout, with the last result or error.
 */
export async function waitFor<T>(
  check: () => Promise<T> | T,
  description: string,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const result = await check();
      if (result) return result;
      last = result;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(
        `Timed out waiting until ${description}. Last result: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
