import { AppError } from '@freshet/contracts';

export interface DeadlineLimits {
  /**
   * The timeout for the headers of a response, and between two chunks of its body, in milliseconds.
   */
  readonly timeoutMs: number;
  /** The time that a body may take regardless of its size, in milliseconds. */
  readonly bodyTimeoutMs: number;
  /** The minimum transfer rate: a body may take one more second for each of this many bytes. */
  readonly bytesPerSecondMin: number;
  /**
   * After the stop signal, a request may take this many milliseconds, or longer while its body
   * meets the minimum rate.
   */
  readonly graceMs: number;
}

export interface StopSignals {
  /**
   * Aborted when the time slice ends: requests that cannot finish soon are aborted, and no request
   * is retried.
   */
  readonly stopSignal?: AbortSignal | undefined;
  /**
   * Aborted when the caller must stop immediately: every request in flight fails with the reason of
   * the signal.
   */
  readonly cancelSignal?: AbortSignal | undefined;
}

/** The progress of a request in flight. */
export interface Transfer {
  /** Monotonic milliseconds; null until the request has a connection. */
  startedAt: number | null;
  /** Monotonic milliseconds; null until all headers have arrived. */
  headersAt: number | null;
  /** Bytes of the body that have arrived, before decoding. */
  bytes: number;
  readonly fail: (error: Error) => void;
}

const CHECK_INTERVAL_MS = 100;

/**
 * Enforces the deadlines of all requests of a client with a single timer, because there may be
 * thousands of requests per second.
 */
export class Deadlines {
  readonly #limits: DeadlineLimits;
  readonly #signals: StopSignals;
  readonly #transfers = new Set<Transfer>();
  #timer: NodeJS.Timeout | null = null;
  #stoppedAt: number | null = null;

  constructor(limits: DeadlineLimits, signals: StopSignals) {
    this.#limits = limits;
    this.#signals = signals;
  }

  get isStopping(): boolean {
    return this.#signals.stopSignal?.aborted === true || this.#signals.cancelSignal?.aborted === true;
  }

  /** @throws the reason of the cancel signal if it was aborted. */
  throwIfCancelled(): void {
    const { cancelSignal } = this.#signals;
    if (cancelSignal?.aborted === true) throw getCancelError(cancelSignal);
  }

  watch(transfer: Transfer): void {
    this.#transfers.add(transfer);
    this.#timer ??= setInterval(() => this.#check(), CHECK_INTERVAL_MS);
  }

  unwatch(transfer: Transfer): void {
    this.#transfers.delete(transfer);
    if (this.#transfers.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #check(): void {
    const now = performance.now();
    if (this.#signals.stopSignal?.aborted === true) this.#stoppedAt ??= now;
    for (const transfer of this.#transfers) {
      const error = this.#getError(transfer, now);
      if (error !== null) transfer.fail(error);
    }
  }

  #getError({ startedAt, headersAt, bytes }: Transfer, now: number): Error | null {
    const { timeoutMs, bodyTimeoutMs, bytesPerSecondMin, graceMs } = this.#limits;
    const { cancelSignal } = this.#signals;
    if (cancelSignal?.aborted === true) return getCancelError(cancelSignal);
    const timeForBytesMs = (bytes * 1000) / bytesPerSecondMin;
    if (headersAt !== null && now - headersAt > bodyTimeoutMs + timeForBytesMs) {
      return new TooSlowError(
        `${bytes} bytes in ${formatSeconds(now - headersAt)} s, less than ${bytesPerSecondMin} bytes/s`,
      );
    }
    if (startedAt !== null && headersAt === null && now - startedAt > timeoutMs)
      return new TooSlowError(`no headers within ${formatSeconds(timeoutMs)} s`);
    const isPastGrace = this.#stoppedAt !== null && now - Math.max(this.#stoppedAt, startedAt ?? 0) > graceMs;
    if (isPastGrace && (headersAt === null || now - headersAt > timeForBytesMs)) {
      const elapsedMs = now - (startedAt ?? now);
      return new TooSlowError(
        `${bytes} bytes in ${formatSeconds(elapsedMs)} s, and the time slice has ended`,
        elapsedMs < bodyTimeoutMs,
      );
    }
    return null;
  }
}

function getCancelError({ reason }: AbortSignal): Error {
  return reason instanceof AppError
    ? reason
    : new AppError('interrupted', 'The request was cancelled.', { cause: reason });
}

/** A response exceeded a deadline. The request is not retried in the same time slice. */
export class TooSlowError extends Error {
  /**
   * The time slice ended before the request's own deadline, so the request may succeed in a later
   * slice.
   */
  readonly isCutShort: boolean;

  constructor(message: string, isCutShort = false) {
    super(message);
    this.isCutShort = isCutShort;
  }
}

function formatSeconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 1 : 0);
}
