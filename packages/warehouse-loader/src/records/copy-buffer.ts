import { CHUNK_BYTES, escapeText } from '../load/copy.ts';

/** Rows in COPY's text format, as bytes that grow. */
export class CopyBuffer {
  #bytes = Buffer.allocUnsafe(CHUNK_BYTES + 16 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get isChunk(): boolean {
    return this.#length >= CHUNK_BYTES;
  }

  /** Forgets what came after a place. */
  backTo(length: number): void {
    this.#length = length;
  }

  /** What was written since it was last taken. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafe(CHUNK_BYTES + 16 * 1024);
    this.#length = 0;
    return taken;
  }

  /** Bytes that mean themselves: plain text, and what COPY writes as it is. */
  raw(from: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#need(length);
    if (length > NATIVE_BYTES) {
      from.copy(this.#bytes, this.#length, start, end);
      this.#length += length;
      return;
    }
    const to = this.#bytes;
    let at = this.#length;
    for (let i = start; i < end; i++) to[at++] = from[i] as number;
    this.#length = at;
  }

  /** ASCII without a character that COPY reads otherwise. */
  ascii(text: string): void {
    this.#need(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
  }

  /** Any text, as COPY has to have it. */
  text(text: string): void {
    const bytes = Buffer.from(escapeText(text));
    this.raw(bytes, 0, bytes.length);
  }

  /** JSON, which keeps its own escapes: each backslash has to come through COPY. */
  json(from: Buffer, start: number, end: number): void {
    this.#need((end - start) * 2);
    const to = this.#bytes;
    let at = this.#length;
    for (let i = start; i < end; i++) {
      const b = from[i] as number;
      to[at++] = b;
      if (b === BACKSLASH) to[at++] = BACKSLASH;
    }
    this.#length = at;
  }

  /** The characters of a JSON string without lone surrogates, read from between its quotes. COPY spells most of them in the same way. */
  jsonString(from: Buffer, start: number, end: number): void {
    // No escape is longer in COPY than in JSON.
    this.#need(end - start);
    const to = this.#bytes;
    let at = this.#length;
    for (let i = start; i < end; i++) {
      const b = from[i] as number;
      if (b !== BACKSLASH) {
        to[at++] = b;
        continue;
      }
      const escaped = from[++i] as number;
      if (escaped === QUOTE || escaped === SLASH) to[at++] = escaped;
      else if (escaped !== LETTER_U) {
        // \\ \b \f \n \r \t
        to[at++] = BACKSLASH;
        to[at++] = escaped;
      } else {
        const c = codeAt(from, i);
        i += 4;
        if (c >= 0xd800 && c <= 0xdbff && from[i + 1] === BACKSLASH && from[i + 2] === LETTER_U) {
          const point = 0x10000 + ((c & 0x3ff) << 10) + (codeAt(from, i + 2) & 0x3ff);
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

  #need(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** The code unit of the escape whose `u` stands at `at`. */
function codeAt(from: Buffer, at: number): number {
  let code = 0;
  for (let i = at + 1; i <= at + 4; i++) {
    const c = from[i] as number;
    code = code * 16 + (c <= 57 ? c - 48 : (c | 32) - 87);
  }
  return code;
}

/** Below it a loop is faster than a call out of the language. */
const NATIVE_BYTES = 40;

const [BACKSLASH, QUOTE, SLASH, LETTER_U] = [92, 34, 47, 117];
