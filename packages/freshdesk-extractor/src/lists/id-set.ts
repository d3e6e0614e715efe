import { deflateRawSync, inflateRawSync } from 'node:zlib';

/**
 * A set of dense ids that fits into a position: a compressed bitmap. A hundred thousand consecutive
 * ids take a few hundred bytes, scattered ids some kilobytes.
 */
export class IdSet {
  #bits: Uint8Array;

  /** @param encoded the result of `toString`; null: an empty set. */
  constructor(encoded: string | null) {
    this.#bits =
      encoded === null ? new Uint8Array(1024) : new Uint8Array(inflateRawSync(Buffer.from(encoded, 'base64')));
  }

  has(id: number): boolean {
    return ((this.#bits[id >>> 3] ?? 0) & (1 << (id & 7))) !== 0;
  }

  add(id: number): void {
    const byte = id >>> 3;
    if (byte >= this.#bits.length) {
      const longer = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2));
      longer.set(this.#bits);
      this.#bits = longer;
    }
    this.#bits[byte] = (this.#bits[byte] as number) | (1 << (id & 7));
  }

  toString(): string {
    return deflateRawSync(this.#bits).toString('base64');
  }
}
