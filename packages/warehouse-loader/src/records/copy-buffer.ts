import { CHUNK_BYTES, escapeCopyText } from '../sql/copy-text.ts';
import { readCodeUnit } from './json-escapes.ts';

/** A growing buffer of rows in COPY's text format. */
export class CopyBuffer {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Whether the buffer holds enough bytes to be sent. */
  get isChunkFull(): boolean {
    return this.#length >= CHUNK_BYTES;
  }

  /** Discards the bytes after the first `length` bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Returns the buffered bytes and empties the buffer. */
  takeChunk(): Buffer {
    const chunk = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafe(INITIAL_BYTES);
    this.#length = 0;
    return chunk;
  }

  /** Appends bytes that need no escaping. */
  appendBytes(from: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    if (length > LOOP_BYTES_MAX) {
      from.copy(this.#bytes, this.#length, start, end);
      this.#length += length;
      return;
    }
    const to = this.#bytes;
    let at = this.#length;
    for (let i = start; i < end; i++) to[at++] = from[i] as number;
    this.#length = at;
  }

  /** Appends ASCII text that needs no escaping. */
  appendAscii(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  /** Appends any text, escaped for COPY. */
  appendText(text: string): void {
    const bytes = Buffer.from(escapeCopyText(text));
    this.appendBytes(bytes, 0, bytes.length);
  }

  /** Appends JSON. Doubles each backslash, so that COPY preserves the escapes of the JSON. */
  appendJson(from: Buffer, start: number, end: number): void {
    this.#reserve((end - start) * 2);
    const to = this.#bytes;
    let at = this.#length;
    for (let i = start; i < end; i++) {
      const b = from[i] as number;
      to[at++] = b;
      if (b === BACKSLASH) to[at++] = BACKSLASH;
    }
    this.#length = at;
  }

  /**
   * Appends the characters of a JSON string that contains no lone surrogates. Escapes that mean the
   * same in JSON and in COPY are copied. All other escapes are decoded, and the resulting
   * characters are escaped for COPY if necessary.
   * @param start the position after the opening quote.
   * @param end the position of the closing quote.
   */
  appendJsonString(from: Buffer, start: number, end: number): void {
    // No character needs more bytes in COPY's text format than in JSON.
    this.#reserve(end - start);
    const to = this.#bytes;
    let at = this.#length;
    for (let i = start; ; i++) {
      for (; i < end; i++) {
        const b = from[i] as number;
        if (b === BACKSLASH) break;
        to[at++] = b;
      }
      if (i === end) break;
      const letter = from[++i] as number;
      if (letter === QUOTE || letter === SLASH) to[at++] = letter;
      else if (letter !== LETTER_U) {
        // \\ \b \f \n \r \t
        to[at++] = BACKSLASH;
        to[at++] = letter;
      } else {
        const c = readCodeUnit(from, i);
        i += 4;
        if (c >= 0xd800 && c <= 0xdbff && from[i + 1] === BACKSLASH && from[i + 2] === LETTER_U) {
          const point = 0x10000 + ((c & 0x3ff) << 10) + (readCodeUnit(from, i + 2) & 0x3ff);
          i += 6;
          to[at++] = 0xf0 | (point >> 18);
          to[at++] = 0x80 | ((point >> 12) & 63);
          to[at++] = 0x80 | ((point >> 6) & 63);
          to[at++] = 0x80 | (point & 63);
          continue;
        }
        if (c === BACKSLASH || c === 10 || c === 13 || c === 9) {
          to[at++] = BACKSLASH;
          to[at++] = c === BACKSLASH ? BACKSLASH : c === 10 ? 110 : c === 13 ? 114 : 116;
        } else if (c < 0x80) to[at++] = c;
        else if (c < 0x800) {
          to[at++] = 0xc0 | (c >> 6);
          to[at++] = 0x80 | (c & 63);
        } else {
          to[at++] = 0xe0 | (c >> 12);
          to[at++] = 0x80 | ((c >> 6) & 63);
          to[at++] = 0x80 | (c & 63);
        }
      }
    }
    this.#length = at;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const enlarged = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(enlarged, 0, 0, this.#length);
    this.#bytes = enlarged;
  }
}

/** Up to this size, a loop in JavaScript is faster than a native copy. */
const LOOP_BYTES_MAX = 40;

const [BACKSLASH, QUOTE, SLASH, LETTER_U] = [92, 34, 47, 117];
/** Room for one chunk and for most rows that extend beyond the end of the chunk. */
const INITIAL_BYTES = CHUNK_BYTES + 16 * 1024;
