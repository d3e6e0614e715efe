import type { BucketReading, CreditRequest } from './credit-operations.ts';

/** Runs one statement. @returns the result of each request. */
type RunStatement = (readings: readonly BucketReading[], requests: readonly CreditRequest[]) => Promise<number[]>;

interface WaitingRequest {
  readonly request: CreditRequest;
  readonly resolve: (waitMs: number) => void;
  readonly reject: (error: unknown) => void;
}

/** How long readings wait for the next request, so that both are sent in the same statement. */
const READINGS_WAIT_MS = 20;
/**
 * How long a request waits for other requests. A response of Freshdesk takes much longer.
 */
const REQUESTS_WAIT_MS = 2;

/**
 * Combines the operations on the budget of one account into few statements. Readings wait for the
 * next request, and requests that arrive within a few milliseconds, or while a statement runs,
 * share the next statement. Every request to Freshdesk takes credits and returns a reading, so
 * separate statements would cost more than the requests themselves.
 */
export class CombinedStatements {
  readonly #run: RunStatement;
  #readings: BucketReading[] = [];
  #requests: WaitingRequest[] = [];
  #isRunning = false;
  #timer: NodeJS.Timeout | null = null;
  /** When the timer fires. */
  #runsAt = Number.POSITIVE_INFINITY;

  constructor(run: RunStatement) {
    this.#run = run;
  }

  /** Reconciles the readings before the next request, or after a few milliseconds. */
  learn(readings: readonly BucketReading[]): void {
    this.#readings.push(...readings);
    this.#runWithin(READINGS_WAIT_MS);
  }

  /** @returns 0 when the credits were taken, and otherwise the milliseconds to wait. */
  take(request: CreditRequest): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ request, resolve, reject });
      this.#runWithin(REQUESTS_WAIT_MS);
    });
  }

  #runWithin(delayMs: number): void {
    const runsAt = performance.now() + delayMs;
    if (runsAt >= this.#runsAt) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#runsAt = runsAt;
    this.#timer = setTimeout(() => void this.#runNext(), delayMs);
  }

  async #runNext(): Promise<void> {
    this.#runsAt = Number.POSITIVE_INFINITY;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#readings.length + this.#requests.length > 0) {
      const [readings, waiting] = [this.#readings, this.#requests];
      this.#readings = [];
      this.#requests = [];
      try {
        const results = await this.#run(
          readings,
          waiting.map(({ request }) => request),
        );
        for (const [i, { resolve }] of waiting.entries()) resolve(results[i] as number);
      } catch (error) {
        // A reading that is lost only delays the correction of an estimate, because the next
        // response contains a newer reading. The next request reports a persistent error.
        for (const { reject } of waiting) reject(error);
      }
    }
    this.#isRunning = false;
  }
}
