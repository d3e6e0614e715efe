/**
 * Hashes a seed and two numbers to a 32-bit number. The result is the same for equal arguments on
 * every machine.
 */
export function hash(seed: number, a: number, b: number): number {
  let h =
    Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^
    Math.imul(a + 0x7f4a7c15, 0xc2b2ae35) ^
    Math.imul(b + 0x165667b1, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Returns the item that a random number selects. */
export function pick<T>(items: readonly T[], number: number): T {
  return items[number % items.length] as T;
}
