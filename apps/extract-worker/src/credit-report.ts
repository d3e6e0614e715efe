import type { CreditClass, CreditsSpent } from '@freshet/contracts';
import type { ExtractMetrics } from './metrics.ts';

/** Reports the credits of a slice to the store and the metrics, each credit once. */
export class CreditReport {
  readonly #metrics: ExtractMetrics;
  readonly #getSpent: () => CreditsSpent;
  #reported: CreditsSpent = {};

  /** @param getSpent returns the credits that the slice has spent so far. */
  constructor(metrics: ExtractMetrics, getSpent: () => CreditsSpent) {
    this.#metrics = metrics;
    this.#getSpent = getSpent;
  }

  /** Returns the credits spent since the last call, and counts them as reported. */
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
