/**
 * Collects bytes in a reusable buffer, because a page of records consists of thousands of parts.
 */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1 << 16);
  #length = 0;

  /** Appends bytes. */
  writeBytes(part: Buffer): void {
    this.#reserve(part.length);
    part.copy(this.#bytes, this.#length);
    this.#length += part.length;
  }

  /** Appends text. @param text must contain only ASCII characters. */
  writeAscii(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  /** Returns a copy of the bytes and empties the writer. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  /** Returns the bytes as text and empties the writer. The bytes must be UTF-8. */
  takeText(): string {
    const text = this.#bytes.toString('utf8', 0, this.#length);
    this.#length = 0;
    return text;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
