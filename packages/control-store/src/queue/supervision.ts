/** The maximum random delay, so that usually only one of several processes starts the next pass. */
const JITTER_MS = 250;

export interface QueueState {
  /** The time since a process last supervised the queues, in milliseconds. */
  readonly elapsedMs: number;
  /** Whether a job is active whose worker is dead, or that has exceeded its time limit. */
  readonly hasLostJobs: boolean;
}

export interface SupervisionOptions {
  /** The interval between two checks, which is also the shortest interval between two passes. */
  readonly checkIntervalMs: number;
  /** The interval between two passes if no job is lost. */
  readonly passIntervalMs: number;
  readonly getState: () => Promise<QueueState>;
  /** Requeues lost jobs, and deletes old jobs. */
  readonly supervise: () => Promise<void>;
  readonly onError: (error: Error) => void;
}

/**
 * Supervises the queues, together with the supervisors in other processes. Each process regularly
 * checks the state of the queues with one query. A pass of supervision takes many statements, so it
 * starts only if a job is lost, or if no process has supervised the queues for a longer interval.
 */
export class Supervision {
  readonly #options: SupervisionOptions;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#run(), this.#options.checkIntervalMs + Math.random() * JITTER_MS);
  }

  async #run(): Promise<void> {
    const { checkIntervalMs, passIntervalMs, getState, supervise, onError } = this.#options;
    try {
      const { elapsedMs, hasLostJobs } = await getState();
      if (elapsedMs >= (hasLostJobs ? checkIntervalMs : passIntervalMs) && !this.#isStopped) await supervise();
    } catch (error) {
      if (!this.#isStopped) onError(error as Error);
    }
    this.#schedule();
  }
}
