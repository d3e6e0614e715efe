import { AppError } from '@freshet/contracts';

const [QUOTE, COMMA, OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [
  34, 44, 91, 92, 93, 123, 125,
] as const;
const SPACE = 32;

/** The maximum size of a file without its entries. */
const ENVELOPE_BYTES_MAX = 64 * 1024;
/** The maximum size of one entry. */
const ENTRY_BYTES_MAX = 16 * 1024 * 1024;

/** The tokens that the list of entries may contain next. */
type Expected = 'value-or-end' | 'value' | 'comma-or-end';

/**
 * Splits a JSON document of the form `{…, "<field>": [{…}, {…}], …}` into the entries of one list
 * and the rest of the document, while the document arrives. Only one entry is in memory at a time.
 *
 * The splitter finds the ends of the entries. It does not validate the JSON within the entries and
 * within the rest, so the caller scans both.
 */
export class EntrySplitter {
  readonly #field: Buffer;
  readonly #onEntry: (entry: Buffer) => void;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Whether the list of entries is open. Its values are at depth 2. */
  #isInList = false;
  #expected: Expected = 'value-or-end';
  /** The document without its entries. */
  readonly #envelope: Buffer[] = [];
  #envelopeBytes = 0;
  /** The parts of the current entry from earlier chunks. */
  #entry: Buffer[] = [];
  #entryBytes = 0;
  /** The end of the last string at depth 1, and its bytes. */
  #name: number[] | null = null;

  /**
   * @param field the name of the list, without escape sequences.
   * @param onEntry receives the bytes of each entry.
   */
  constructor(field: string, onEntry: (entry: Buffer) => void) {
    this.#field = Buffer.from(field);
    this.#onEntry = onEntry;
  }

  /** @throws SyntaxError if the document is not JSON; AppError if a part of it is too large. */
  write(chunk: Buffer): void {
    // The start of the bytes that belong to the envelope or to the current entry.
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#isInString) {
        this.#scanString(byte);
        continue;
      }
      if (byte <= SPACE) continue;
      if (this.#isInList && this.#depth === 2) {
        if (this.#scanList(byte)) {
          this.#addToEnvelope(chunk.subarray(at, at + 1));
          start = at + 1;
        } else if (byte === OPEN_BRACE) start = at;
        else start = at + 1;
        continue;
      }
      if (byte === QUOTE) {
        this.#isInString = true;
        if (this.#depth === 1) this.#name = [];
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.#depth++;
        if (byte === OPEN_BRACKET && this.#opensList()) {
          this.#addToEnvelope(chunk.subarray(start, at + 1));
          start = at + 1;
          this.#isInList = true;
          this.#expected = 'value-or-end';
        }
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--;
        if (this.#isInList && this.#depth === 2) {
          this.#finishEntry(chunk.subarray(start, at + 1));
          start = at + 1;
        }
      }
    }
    if (!this.#isInList) this.#addToEnvelope(chunk.subarray(start));
    else if (this.#depth > 2) this.#addToEntry(chunk.subarray(start));
  }

  /**
   * Ends the document.
   * @returns the document without its entries.
   * @throws SyntaxError if the document ends prematurely.
   */
  finish(): Buffer {
    if (this.#isInList || this.#depth > 0) throw new SyntaxError('The JSON text ends prematurely.');
    return Buffer.concat(this.#envelope);
  }

  #scanString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) {
      this.#isInString = false;
      return;
    }
    if (this.#depth === 1 && this.#name !== null && this.#name.length <= this.#field.length) this.#name.push(byte);
  }

  /** Whether the bracket that was just opened is the list of entries. */
  #opensList(): boolean {
    return this.#depth === 2 && this.#name !== null && this.#field.equals(Buffer.from(this.#name));
  }

  /**
   * Scans a byte between the entries.
   * @returns whether the byte closes the list.
   */
  #scanList(byte: number): boolean {
    if (byte === OPEN_BRACE && this.#expected !== 'comma-or-end') {
      this.#depth++;
      return false;
    }
    if (byte === COMMA && this.#expected === 'comma-or-end') {
      this.#expected = 'value';
      return false;
    }
    if (byte === CLOSE_BRACKET && this.#expected !== 'value') {
      this.#depth--;
      this.#isInList = false;
      // A second list of the same name would belong to the envelope, and be rejected there.
      this.#name = null;
      return true;
    }
    throw new SyntaxError(`The list of entries contains a value that is not a JSON object.`);
  }

  #addToEntry(part: Buffer): void {
    this.#entryBytes += part.length;
    if (this.#entryBytes > ENTRY_BYTES_MAX)
      throw new AppError('source_too_large', `The file has an entry of more than ${ENTRY_BYTES_MAX} bytes.`);
    // A copy, so that the chunk can be garbage-collected.
    this.#entry.push(Buffer.from(part));
  }

  #finishEntry(lastPart: Buffer): void {
    const entry = this.#entry.length === 0 ? lastPart : Buffer.concat([...this.#entry, lastPart]);
    this.#entry = [];
    this.#entryBytes = 0;
    this.#expected = 'comma-or-end';
    this.#onEntry(entry);
  }

  #addToEnvelope(part: Buffer): void {
    this.#envelopeBytes += part.length;
    if (this.#envelopeBytes > ENVELOPE_BYTES_MAX)
      throw new AppError('source_too_large', `The file has more than ${ENVELOPE_BYTES_MAX} bytes outside its entries.`);
    this.#envelope.push(Buffer.from(part));
  }
}
