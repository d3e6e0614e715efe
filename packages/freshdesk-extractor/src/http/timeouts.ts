import { AppError } from '@freshet/contracts';

export interface DeadlineLimits {
  /** Milliseconds from sending a request to the last header of its response, and between two chunks of the body. */
  readonly timeoutMs: number;
  /** Milliseconds that a body may take, whatever its size. */
  readonly bodyMs: number;
  /** A body may take one second more for each of so many bytes received. */
  readonly bytesPerSecondMin: number;
  /** After `ending` is aborted, a request may take so many milliseconds, or as long as its body arrives at `bytesPerSecondMin`. */
  readonly graceMs: number;
}

export interface StopSignals {
  /** Aborted when the caller's time is over: requests that cannot finish soon are aborted, and none is retried. */
  readonly ending?: AbortSignal | undefined;
  /** Aborted when the caller stops at once: every request in flight fails with the signal's reason. */
  readonly cancel?: AbortSignal | undefined;
}

/** A request in flight, as its deadlines see it. */
export interface Transfer {
  /** Monotonic milliseconds; null until the request has a connection. */
  startedAt: number | null;
  /** Monotonic milliseconds; null until all headers have arrived. */
  headersAt: number | null;
  bytes: number;
  readonly fail: (error: Error) => void;
}

const CHECK_MS = 100;

/** Checks all requests of a client against their deadlines: one timer for all, because there may be thousands of requests a second. */
export class Deadlines {
  readonly #limits: DeadlineLimits;
  readonly #signals: StopSignals;
  readonly #transfers = new Set<Transfer>();
  #timer: NodeJS.Timeout | null = null;
  #endedAt: number | null = null;

  constructor(limits: DeadlineLimits, signals: StopSignals) {
    this.#limits = limits;
    this.#signals = signals;
  }

  get isEnding(): boolean {
    return this.#signals.ending?.aborted === true || this.#signals.cancel?.aborted === true;
  }

  /** @throws the reason of a cancellation: no further request is sent. */
  throwIfCancelled(): void {
    const { cancel } = this.#signals;
    if (cancel?.aborted === true) throw cancelError(cancel);
  }

  watch(transfer: Transfer): void {
    this.#transfers.add(transfer);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS);
  }

  unwatch(transfer: Transfer): void {
    this.#transfers.delete(transfer);
    if (this.#transfers.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #check(): void {
    const now = performance.now();
    if (this.#signals.ending?.aborted === true) this.#endedAt ??= now;
    for (const transfer of this.#transfers) {
      const error = this.#expired(transfer, now);
      if (error !== null) transfer.fail(error);
    }
  }

  #expired({ startedAt, headersAt, bytes }: Transfer, now: number): Error | null {
    const { timeoutMs, bodyMs, bytesPerSecondMin, graceMs } = this.#limits;
    const { cancel } = this.#signals;
    if (cancel?.aborted === true) return cancelError(cancel);
    const earnedMs = (bytes * 1000) / bytesPerSecondMin;
    if (headersAt !== null && now - headersAt > bodyMs + earnedMs) {
      return new TooSlowError(
        `${bytes} bytes in ${seconds(now - headersAt)} s, less than ${bytesPerSecondMin} bytes/s`,
      );
    }
    if (startedAt !== null && headersAt === null && now - startedAt > timeoutMs)
      return new TooSlowError(`no headers within ${seconds(timeoutMs)} s`);
    const isPastGrace = this.#endedAt !== null && now - Math.max(this.#endedAt, startedAt ?? 0) > graceMs;
    if (isPastGrace && (headersAt === null || now - headersAt > earnedMs)) {
      const elapsedMs = now - (startedAt ?? now);
      return new TooSlowError(
        `${bytes} bytes in ${seconds(elapsedMs)} s, and the time slice has ended`,
        elapsedMs < bodyMs,
      );
    }
    return null;
  }
}

function cancelError({ reason }: AbortSignal): Error {
  return reason instanceof AppError
    ? reason
    : new AppError('interrupted', 'The request was cancelled.', { cause: reason });
}

/** A response that exceeded a deadline. The request is not sent again in the same time slice. */
export class TooSlowError extends Error {
  /** The time slice ended before the request had its full time: the response may be fast enough in another slice. */
  readonly isCutShort: boolean;

  constructor(message: string, isCutShort = false) {
    super(message);
    this.isCutShort = isCutShort;
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 1 : 0);
}
