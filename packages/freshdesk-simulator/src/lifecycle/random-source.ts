import { hash } from '../random.ts';

/** Generates pseudorandom values from a seed. The same seed generates the same values. */
export class RandomSource {
  #state: number;

  constructor(seed: number, stream: number) {
    this.#state = hash(seed, stream, 41);
  }

  /** Returns a number that is at least 0 and less than 1. */
  next(): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Returns an integer from 0 to `limit` - 1. */
  nextInt(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Returns true with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.nextInt(items.length)] as T;
  }

  /** Picks an item with a probability that is proportional to its weight. */
  pickWeighted<T>(items: readonly (readonly [item: T, weight: number])[]): T {
    let rest = this.next() * items.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [item, weight] of items) {
      rest -= weight;
      if (rest < 0) return item;
    }
    return (items.at(-1) as readonly [T, number])[0];
  }

  /**
   * Returns a duration in milliseconds between two limits. Each order of magnitude is equally
   * likely.
   */
  nextDuration(minMs: number, maxMs: number): number {
    return Math.round(minMs * (maxMs / minMs) ** this.next());
  }
}
