/** The time after which a refused widening is attempted again, although nothing has changed. */
const REFUSAL_MS = 3600_000;

interface RefusedWidening {
  /** The statements of the views that prevented the widening. */
  readonly views: string;
  readonly reason: string;
  readonly refusedAt: number;
}

/**
 * The widenings that views have prevented. An attempt rewrites the table before the views are
 * created again, so the next loads must not repeat the attempt while the views are the same.
 */
export class RefusedWidenings {
  readonly #refusals = new Map<string, RefusedWidening>();

  /** Returns the reason of the refusal, or null if the widening can be attempted. */
  find(key: string, views: string): string | null {
    const refusal = this.#refusals.get(key);
    if (refusal === undefined || refusal.views !== views) return null;
    return performance.now() - refusal.refusedAt < REFUSAL_MS ? refusal.reason : null;
  }

  /** @param key identifies the column and the type. */
  add(key: string, views: string, reason: string): void {
    this.#refusals.set(key, { views, reason, refusedAt: performance.now() });
  }
}
