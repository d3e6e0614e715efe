import { AppError } from '@freshet/contracts';

/** Slices are short, so that accounts share workers fairly and a shutdown is quick. */
const SLICE_MS = 20_000;
/** Requests in flight may take this long to complete after a shutdown signal. */
const SHUTDOWN_GRACE_MS = 5000;

/**
 * The two signals that end a slice early. `stopSignal` prevents requests for further pages.
 * `cancelSignal` aborts the requests in flight.
 */
export class SliceSignals {
  /**
   * Aborted when the slice must not request further pages: its time has elapsed, the worker is
   * shutting down, or `stop` was called.
   */
  readonly stopSignal: AbortSignal;
  readonly #shutdownSignal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #cancel = new AbortController();
  #cancelTimer: NodeJS.Timeout | null = null;

  constructor(shutdownSignal: AbortSignal) {
    this.#shutdownSignal = shutdownSignal;
    this.stopSignal = AbortSignal.any([shutdownSignal, AbortSignal.timeout(SLICE_MS), this.#stop.signal]);
    if (shutdownSignal.aborted) this.#cancelAfterGrace();
    else shutdownSignal.addEventListener('abort', this.#cancelAfterGrace, { once: true });
  }

  /** Aborts the requests in flight. The reason of the signal is an AppError `interrupted`. */
  get cancelSignal(): AbortSignal {
    return this.#cancel.signal;
  }

  stop(): void {
    this.#stop.abort();
  }

  close(): void {
    if (this.#cancelTimer !== null) clearTimeout(this.#cancelTimer);
    this.#shutdownSignal.removeEventListener('abort', this.#cancelAfterGrace);
  }

  /**
   * Aborts the requests that are still in flight after the grace period, because a shutdown must
   * not wait for slow responses. Another worker repeats the requests.
   */
  readonly #cancelAfterGrace = (): void => {
    const cancel = () =>
      this.#cancel.abort(
        new AppError('interrupted', 'The worker is shutting down. Another worker repeats the request.'),
      );
    this.#cancelTimer = setTimeout(cancel, SHUTDOWN_GRACE_MS);
  };
}
