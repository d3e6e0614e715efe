/**
 * Clocks that differ by at most this many milliseconds are considered equal, because responses may
 * be cached and clocks drift.
 */
const CLOCK_TOLERANCE_MS = 300_000;

/**
 * Determines the time of an account from three clocks: the server's `Date` header, a reference
 * clock that all workers share, and this machine's clock. Each of them may be wrong by days.
 *
 * The time has two uses:
 * - To find the latest of several reads, Freshet orders the reads by one clock that does not jump.
 *   This is the server's clock, unless that clock disagrees with the reference clock.
 * - Coverage ("everything up to this time has been read") needs a time that every clock has
 *   reached, which is the earliest of the three. A slow clock delays coverage and has no other
 *   effect.
 */
export class SourceClock {
  readonly #getReference: () => number;
  readonly #getLocal: () => number;
  #skewMs = 0;
  #aheadMs = 0;

  /**
   * @param getReference the reference clock, in milliseconds.
   * @param getLocal this machine's clock, in milliseconds.
   */
  constructor(getReference: () => number, getLocal: () => number) {
    this.#getReference = getReference;
    this.#getLocal = getLocal;
  }

  /**
   * The largest observed difference between the server's clock and one of the other two clocks, in
   * milliseconds. Negative: the server's clock is slow.
   */
  get skewMs(): number {
    return this.#skewMs;
  }

  /** Whether the clocks differ by more than the tolerance, so that one of them is wrong. */
  get isSkewed(): boolean {
    return Math.abs(this.#skewMs) > CLOCK_TOLERANCE_MS;
  }

  /** The current time for ordering reads, if there is no response with a time. */
  referenceTime(): Date {
    return new Date(this.#getReference());
  }

  /**
   * The later of the current times of the reference clock and this machine's clock. A stored time
   * that is even later was set by a wrong clock.
   */
  latestTime(): Date {
    return new Date(Math.max(this.#getReference(), this.#getLocal()));
  }

  /** The earlier of the current times of the reference clock and this machine's clock. */
  earliestTime(): Date {
    return new Date(Math.min(this.#getReference(), this.#getLocal()));
  }

  /**
   * Compares the `Date` header of a response with the other clocks.
   * @returns the time of the response for ordering reads. This is the reference time if the header
   * is missing or invalid, or if it differs from the reference time by more than the tolerance.
   */
  observe(dateHeader: string): Date {
    const reference = this.#getReference();
    const local = this.#getLocal();
    const server = Date.parse(dateHeader);
    if (Number.isNaN(server)) return new Date(reference);
    for (const skew of [server - reference, server - local])
      if (Math.abs(skew) > Math.abs(this.#skewMs)) this.#skewMs = skew;
    const time = Math.abs(server - reference) > CLOCK_TOLERANCE_MS ? reference : server;
    this.#aheadMs = Math.max(this.#aheadMs, time - Math.min(server, reference, local));
    return new Date(time);
  }

  /**
   * Returns the latest time that coverage may claim for a read.
   * @param time the start of the read, as `observe` returned it.
   */
  capCoverage(time: string | Date): Date {
    return new Date(Math.min(new Date(time).getTime() - this.#aheadMs, this.earliestTime().getTime()));
  }
}
