import type { CreditClass, CreditsSpent } from '@freshet/contracts';
import type { ExtractMetrics } from './metrics.ts';

/**
 * Tracks which credits of a slice have been reported, so that each credit is reported to the store
 * and the metrics exactly once.
 */
export class CreditReport {
  readonly #metrics: ExtractMetrics;
  readonly #getSpent: () => CreditsSpent;
  #reported: CreditsSpent = {};

  /** @param getSpent returns the credits that the slice has spent so far. */
  constructor(metrics: ExtractMetrics, getSpent: () => CreditsSpent) {
    this.#metrics = metrics;
    this.#getSpent = getSpent;
  }

  /**
   * Returns the credits spent since the last call, adds them to the metrics, and marks them as
   * reported.
   */
  takeUnreported(): CreditsSpent {
    const spent = this.#getSpent();
    const unreported: Partial<Record<CreditClass, number>> = {};
    for (const [creditClass, credits] of Object.entries(spent) as [CreditClass, number][]) {
      const count = credits - (this.#reported[creditClass] ?? 0);
      unreported[creditClass] = count;
      this.#metrics.credits.inc({ credit_class: creditClass }, count);
    }
    this.#reported = spent;
    return unreported;
  }
}
