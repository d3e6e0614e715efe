/** Clocks that differ by less are taken to agree: responses are cached, and machines drift. */
export const CLOCK_TOLERANCE_MS = 300_000;

/**
 * The time of an account, judged from the server's `Date` header and this machine's clock. Either may be days off.
 *
 * Two things need a time. The order of readings ("which of two readings is newer") needs one clock that does not jump: the server's,
 * which all workers share, unless it disagrees with this machine's. A claim ("everything up to this moment has been read") needs
 * a moment that no correct clock has not reached: the smaller of the two.
 */
export class SourceClock {
  readonly #now: () => number;
  #skewMs = 0;
  #aheadMs = 0;

  /** @param now this machine's clock in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How far the server's clock is ahead of this machine's, in milliseconds: the largest disagreement seen. Negative: behind. */
  get skewMs(): number {
    return this.#skewMs;
  }

  /** Whether the clocks disagree by more than a few minutes, so that one of them must be wrong. */
  get isSkewed(): boolean {
    return Math.abs(this.#skewMs) > CLOCK_TOLERANCE_MS;
  }

  now(): Date {
    return new Date(this.#now());
  }

  /** @returns the time of a response for the order of readings; this machine's where the header is missing, garbled or disagrees. */
  read(dateHeader: string): Date {
    const local = this.#now();
    const server = Date.parse(dateHeader);
    if (Number.isNaN(server)) return new Date(local);
    const skew = server - local;
    if (Math.abs(skew) > Math.abs(this.#skewMs)) this.#skewMs = skew;
    const time = Math.abs(skew) > CLOCK_TOLERANCE_MS ? local : server;
    this.#aheadMs = Math.max(this.#aheadMs, time - Math.min(local, server));
    return new Date(time);
  }

  /**
   * The latest moment that may be claimed for a reading.
   * @param time when it began, as `read` returned it.
   */
  claim(time: string | Date): Date {
    return new Date(Math.min(new Date(time).getTime() - this.#aheadMs, this.#now()));
  }
}
