import { randomInt } from 'node:crypto';

/**
 * Returns the seed of a test with random input: the environment variable FRESHET_SEED, or a random
 * number. The test's title or failure messages must contain the seed, so that a failure can be
 * reproduced.
 */
export function readSeed(): number {
  return Number(process.env['FRESHET_SEED'] ?? randomInt(2 ** 31));
}

/**
 * Creates a pseudo-random number generator (mulberry32).
 * @returns a function that returns integers from 0 to `bound` - 1.
 */
export function createRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}
