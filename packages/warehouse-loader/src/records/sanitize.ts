import { readCodeUnit } from './json-escapes.ts';
import { EXPONENT_MAX, getExponent } from './values.ts';

/**
 * The changes that were required to store a record in PostgreSQL: code of the change → JSON
 * pointers to the changed values.
 */
export type Notes = Record<string, string[]>;

/**
 * The maximum depth of a value. Values that are nested more deeply are stored as text, because
 * PostgreSQL's JSON parser fails on very deep values.
 */
const DEPTH_MAX = 512;
/** The maximum number of pointers in a note. */
const POINTERS_MAX = 20;

const [QUOTE, COMMA, MINUS, ZERO, NINE, OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, LETTER_U, OPEN_BRACE, CLOSE_BRACE] = [
  34, 44, 45, 48, 57, 91, 92, 93, 117, 123, 125,
] as const;
const REPLACEMENT = 'fffd';

/** An open container and its current member. */
interface Frame {
  readonly isObject: boolean;
  isNameNext: boolean;
  /** In a JSON array: the index of the member. */
  index: number;
  /** In a JSON object: the range of the member's name, without its quotes. */
  nameStart: number;
  nameEnd: number;
}

/**
 * Replaces the parts of a record that PostgreSQL rejects and notes each change:
 *
 * - NUL and lone surrogates, in values and in names, become U+FFFD.
 * - Deeply nested values, and numbers with huge exponents, become text.
 *
 * The function scans the bytes once, so time and memory are proportional to the size of the record.
 * @param json a valid JSON object. Its escapes are replaced in place.
 * @returns the same buffer, unless a replacement is longer than the original value.
 */
export function sanitizeRecord(json: Buffer): { readonly json: Buffer; readonly notes: Notes | null } {
  return new Sanitizer(json).run();
}

class Sanitizer {
  readonly #json: Buffer;
  readonly #notes: Notes = {};
  readonly #chunks: Buffer[] = [];
  readonly #frames: Frame[] = [];
  /** The number of bytes of `#json` that `#chunks` covers. */
  #copied = 0;

  constructor(json: Buffer) {
    this.#json = json;
  }

  run(): { readonly json: Buffer; readonly notes: Notes | null } {
    const json = this.#json;
    const frames = this.#frames;
    for (let at = 0; at < json.length; ) {
      const byte = json[at] as number;
      const frame = frames.at(-1);
      if (byte === QUOTE) at = this.#sanitizeString(at, frame);
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (frames.length > DEPTH_MAX) {
          const end = findContainerEnd(json, at);
          this.#replaceByText(at, end);
          this.#note('depth_as_text');
          at = end;
          continue;
        }
        const isObject = byte === OPEN_BRACE;
        frames.push({ isObject, isNameNext: isObject, index: 0, nameStart: 0, nameEnd: 0 });
        at++;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        frames.pop();
        at++;
      } else if (byte === COMMA) {
        if (frame?.isObject) frame.isNameNext = true;
        else if (frame) frame.index++;
        at++;
      } else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) at = this.#sanitizeNumber(at);
      else at++;
    }
    const notes = Object.keys(this.#notes).length === 0 ? null : this.#notes;
    if (this.#copied === 0) return { json, notes };
    return { json: Buffer.concat([...this.#chunks, json.subarray(this.#copied)]), notes };
  }

  /** @returns the position after the string. */
  #sanitizeString(start: number, frame: Frame | undefined): number {
    const end = findStringEnd(this.#json, start);
    if (frame?.isNameNext) {
      frame.isNameNext = false;
      frame.nameStart = start + 1;
      frame.nameEnd = end - 1;
    }
    const { hasNul, hasLoneSurrogate } = replaceEscapes(this.#json, start, end);
    if (hasNul) this.#note('nul_replaced');
    if (hasLoneSurrogate) this.#note('surrogate_replaced');
    return end;
  }

  /** @returns the position after the number. */
  #sanitizeNumber(start: number): number {
    const json = this.#json;
    const end = findNumberEnd(json, start);
    if (hasExponent(json, start, end) && getExponent(json.toString('latin1', start, end)) > EXPONENT_MAX) {
      this.#replaceByText(start, end);
      this.#note('number_as_text');
    }
    return end;
  }

  #replaceByText(start: number, end: number): void {
    const json = this.#json;
    this.#chunks.push(
      json.subarray(this.#copied, start),
      Buffer.from(JSON.stringify(json.toString('utf8', start, end))),
    );
    this.#copied = end;
  }

  #note(code: string): void {
    this.#notes[code] ??= [];
    const pointers = this.#notes[code];
    if (pointers.length < POINTERS_MAX) pointers.push(buildPointer(this.#json, this.#frames));
  }
}

/** Builds the JSON pointer of the current member. */
function buildPointer(json: Buffer, frames: readonly Frame[]): string {
  return frames
    .map(({ isObject, index, nameStart, nameEnd }) => {
      if (!isObject) return `/${index}`;
      const name = JSON.parse(`"${json.toString('utf8', nameStart, nameEnd)}"`) as string;
      return `/${name.toWellFormed().replaceAll('\0', '\ufffd').replaceAll('~', '~0').replaceAll('/', '~1')}`;
    })
    .join('');
}

/** Finds the position after the closing quote of the string that begins at `from`. */
function findStringEnd(json: Buffer, from: number): number {
  let at = from + 1;
  while (json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** Replaces the escapes of NUL and lone surrogates in a string, in place. */
function replaceEscapes(
  json: Buffer,
  from: number,
  to: number,
): { readonly hasNul: boolean; readonly hasLoneSurrogate: boolean } {
  let hasNul = false;
  let hasLoneSurrogate = false;
  for (let at = from; at < to; at++) {
    if (json[at] !== BACKSLASH) continue;
    at++;
    if (json[at] !== LETTER_U) continue;
    const code = readCodeUnit(json, at);
    const isPair =
      code >= 0xd800 &&
      code <= 0xdbff &&
      json[at + 5] === BACKSLASH &&
      json[at + 6] === LETTER_U &&
      (readCodeUnit(json, at + 6) & 0xfc00) === 0xdc00;
    if (isPair) at += 10;
    else {
      if (code === 0) hasNul = true;
      else if (code >= 0xd800 && code <= 0xdfff) hasLoneSurrogate = true;
      else continue;
      json.write(REPLACEMENT, at + 1, 'latin1');
    }
  }
  return { hasNul, hasLoneSurrogate };
}

function findContainerEnd(json: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; ; ) {
    const byte = json[at] as number;
    if (byte === QUOTE) {
      at = findStringEnd(json, at);
      continue;
    }
    at++;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at;
  }
}

function findNumberEnd(json: Buffer, from: number): number {
  let at = from;
  for (
    let c = json[at] as number;
    (c >= ZERO && c <= NINE) || c === MINUS || c === 43 || c === 46 || (c | 32) === 101;
    c = json[++at] as number
  );
  return at;
}

function hasExponent(json: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (((json[at] as number) | 32) === 101) return true;
  return false;
}
