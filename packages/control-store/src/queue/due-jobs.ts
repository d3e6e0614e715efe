/** The interval between two checks if no delayed job becomes due earlier. */
const CHECK_INTERVAL_MS = 4000;
/** The interval while due jobs wait, for example for an active job with the same key. */
const DUE_CHECK_INTERVAL_MS = 500;

export interface DueJobsOptions {
  /**
   * Returns, for each queue, the number of milliseconds until its next waiting job is due; 0 or
   * less if a waiting job is already due. Omits queues without waiting jobs.
   */
  readonly findDelays: (queues: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  /** Lets the idle workers of a queue fetch jobs. */
  readonly wake: (queue: string) => void;
  readonly onError: (error: Error) => void;
}

/**
 * Wakes the workers of a process when delayed jobs become due. PostgreSQL notifies workers only
 * about jobs that are due at once. One query for all queues of the process costs less than a query
 * for each worker.
 */
export class DueJobs {
  readonly #options: DueJobsOptions;
  readonly #queues = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #checkAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(options: DueJobsOptions) {
    this.#options = options;
  }

  /** Adds a queue whose workers are in this process. */
  add(queue: string): void {
    this.#queues.add(queue);
    this.#checkWithin(CHECK_INTERVAL_MS);
  }

  /**
   * Announces a job that this process enqueues, so that the job does not wait for the next check.
   */
  expect(queue: string, delayMs: number): void {
    if (this.#queues.has(queue)) this.#checkWithin(delayMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #checkWithin(delayMs: number): void {
    const checkAt = Date.now() + delayMs;
    if (this.#isStopped || checkAt >= this.#checkAt) return;
    this.#checkAt = checkAt;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), delayMs);
  }

  async #check(): Promise<void> {
    this.#checkAt = Number.POSITIVE_INFINITY;
    let nextCheckMs = CHECK_INTERVAL_MS;
    try {
      for (const [queue, delayMs] of await this.#options.findDelays([...this.#queues])) {
        if (delayMs <= 0) this.#options.wake(queue);
        nextCheckMs = Math.min(nextCheckMs, delayMs <= 0 ? DUE_CHECK_INTERVAL_MS : Math.ceil(delayMs));
      }
    } catch (error) {
      if (!this.#isStopped) this.#options.onError(error as Error);
    }
    this.#checkWithin(nextCheckMs);
  }
}
