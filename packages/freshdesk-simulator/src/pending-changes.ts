/** A change that does not appear in responses yet. */
interface PendingChange {
  readonly number: number;
  /** When the change becomes visible, in milliseconds. */
  readonly visibleAt: number;
  readonly apply: () => void;
}

/**
 * Changes that become visible after a delay, as when an API serves its lists from a search index.
 */
export class PendingChanges {
  readonly #now: () => number;
  /** Sorted by `visibleAt`. */
  readonly #queue: PendingChange[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Applies a change after a delay. Changes of the same record become visible in the order in which
   * the changes are scheduled.
   */
  schedule(number: number, delayMs: number, apply: () => void): void {
    if (delayMs === 0 && this.#queue.length === 0) return apply();
    const earlier = this.#queue.findLast((change) => change.number === number);
    this.#insert({ number, visibleAt: Math.max(this.#now() + delayMs, earlier?.visibleAt ?? 0), apply });
  }

  /** Applies a change after a delay, independently of other changes of the record. */
  scheduleUnordered(number: number, delayMs: number, apply: () => void): void {
    this.#insert({ number, visibleAt: this.#now() + delayMs, apply });
  }

  /** Applies the changes that are due. */
  applyDue(): void {
    while (this.#queue.length > 0 && (this.#queue[0] as PendingChange).visibleAt <= this.#now())
      (this.#queue.shift() as PendingChange).apply();
  }

  #insert(change: PendingChange): void {
    const last = this.#queue.findLastIndex(({ visibleAt }) => visibleAt <= change.visibleAt);
    this.#queue.splice(last + 1, 0, change);
  }
}
