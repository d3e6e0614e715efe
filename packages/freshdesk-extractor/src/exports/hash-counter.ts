/**
 * Counts how often each hash occurs. A file may have millions of entries, so a hash takes 8 bytes
 * of a table instead of a string.
 */
export class HashCounter {
  /** Two integers per slot. A slot of zeros is empty. */
  #slots = new Uint32Array(2048);
  #size = 0;
  /** The hashes that occur more than once: hash → number of occurrences. */
  readonly #repeated = new Map<string, number>();

  /**
   * Counts a hash. Only its first 8 bytes are compared.
   * @param hash the hash as a hexadecimal string.
   * @returns the number of occurrences so far, including this one.
   */
  count(hash: string): number {
    const high = Number.parseInt(hash.slice(0, 8), 16);
    // The hash of an entry must not look like an empty slot.
    const low = Number.parseInt(hash.slice(8, 16), 16) || 1;
    if (this.#add(high, low)) return 1;
    const key = `${high}/${low}`;
    const count = (this.#repeated.get(key) ?? 1) + 1;
    this.#repeated.set(key, count);
    return count;
  }

  /** @returns whether the hash is new. */
  #add(high: number, low: number): boolean {
    if ((this.#size + 1) * 4 > this.#slots.length) this.#grow();
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    for (let slot = high & mask; ; slot = (slot + 1) & mask) {
      if (slots[slot * 2 + 1] === 0) {
        slots[slot * 2] = high;
        slots[slot * 2 + 1] = low;
        this.#size++;
        return true;
      }
      if (slots[slot * 2] === high && slots[slot * 2 + 1] === low) return false;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    this.#size = 0;
    for (let at = 0; at < old.length; at += 2)
      if (old[at + 1] !== 0) this.#add(old[at] as number, old[at + 1] as number);
  }
}
