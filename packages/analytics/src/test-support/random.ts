/** A generator of pseudorandom numbers, so that a failure can be repeated with its seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Returns a number from 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer from 0 to `count`, without `count`. */
  integer(count: number): number {
    return Math.floor(this.next() * count);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(values.length)] as T;
  }

  /** Whether an event with the given probability occurs. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }
}

/** Returns a new seed, or the seed in FRESHET_SEED, and prints it. */
export function chooseSeed(): number {
  const seed = Number(process.env['FRESHET_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`Seed ${seed}. Repeat the test with FRESHET_SEED=${seed}.`);
  return seed;
}
