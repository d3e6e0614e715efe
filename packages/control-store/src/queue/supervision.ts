/** The maximum random delay, so that usually only one of several processes starts the next pass. */
const JITTER_MS = 250;

export interface SupervisionOptions {
  readonly intervalMs: number;
  /** Returns the time since a process last supervised the queues, in milliseconds. */
  readonly getElapsedMs: () => Promise<number>;
  /** Requeues expired jobs and the jobs of dead workers, and deletes old jobs. */
  readonly supervise: () => Promise<void>;
  readonly onError: (error: Error) => void;
}

/**
 * Supervises the queues at an interval, together with the supervisors in other processes. A process
 * skips a pass if another process has supervised the queues within the interval. The next check is
 * then due when that interval ends, so the death of a process does not delay supervision.
 */
export class Supervision {
  readonly #options: SupervisionOptions;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule(this.#options.intervalMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#run(), delayMs + Math.random() * JITTER_MS);
  }

  async #run(): Promise<void> {
    const { intervalMs, getElapsedMs, supervise, onError } = this.#options;
    let delayMs = intervalMs;
    try {
      const remainingMs = intervalMs - (await getElapsedMs());
      if (remainingMs > 0) delayMs = remainingMs;
      else if (!this.#isStopped) await supervise();
    } catch (error) {
      if (!this.#isStopped) onError(error as Error);
    }
    this.#schedule(delayMs);
  }
}
