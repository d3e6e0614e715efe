/** Clocks that differ by less are taken to agree: responses are cached, and machines drift. */
const CLOCK_TOLERANCE_MS = 300_000;

/**
 * The time of an account, judged from the server's `Date` header, a reference clock that all workers share, and this machine's
 * clock. Each may be days off.
 *
 * Two things need a time. The order of readings ("which of two readings is newer") needs one clock that does not jump: the server's,
 * unless it disagrees with the reference clock. A claim ("everything up to this moment has been read") needs a moment that no
 * clock has yet to reach: the smallest of all. A clock that is behind makes claims late, and nothing else.
 */
export class SourceClock {
  readonly #reference: () => number;
  readonly #local: () => number;
  #skewMs = 0;
  #aheadMs = 0;

  /**
   * @param reference milliseconds.
   * @param local this machine's clock in milliseconds.
   */
  constructor(reference: () => number, local: () => number) {
    this.#reference = reference;
    this.#local = local;
  }

  /** How far the server's clock is ahead of the others, in milliseconds: the largest disagreement seen. Negative: behind. */
  get skewMs(): number {
    return this.#skewMs;
  }

  /** Whether clocks disagree by more than a few minutes, so that one of them must be wrong. */
  get isSkewed(): boolean {
    return Math.abs(this.#skewMs) > CLOCK_TOLERANCE_MS;
  }

  /** The time of a reading that has no response, for the order of readings. */
  ordered(): Date {
    return new Date(this.#reference());
  }

  /** The moment that some clock has reached: a stored time beyond it came from a clock that was wrong. */
  latest(): Date {
    return new Date(Math.max(this.#reference(), this.#local()));
  }

  /** The latest moment that may be claimed at all. */
  now(): Date {
    return new Date(Math.min(this.#reference(), this.#local()));
  }

  /** @returns the time of a response for the order of readings; the reference clock's where the header is missing, garbled or disagrees. */
  read(dateHeader: string): Date {
    const reference = this.#reference();
    const local = this.#local();
    const server = Date.parse(dateHeader);
    if (Number.isNaN(server)) return new Date(reference);
    for (const skew of [server - reference, server - local])
      if (Math.abs(skew) > Math.abs(this.#skewMs)) this.#skewMs = skew;
    const time = Math.abs(server - reference) > CLOCK_TOLERANCE_MS ? reference : server;
    this.#aheadMs = Math.max(this.#aheadMs, time - Math.min(server, reference, local));
    return new Date(time);
  }

  /**
   * The latest moment that may be claimed for a reading.
   * @param time when it began, as `read` returned it.
   */
  claim(time: string | Date): Date {
    return new Date(Math.min(new Date(time).getTime() - this.#aheadMs, this.now().getTime()));
  }
}
