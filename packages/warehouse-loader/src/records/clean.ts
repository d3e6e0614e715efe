import { exponentOf } from './values.ts';

/** What was changed in a record so that PostgreSQL can hold it: code → the places, as JSON pointers. */
export type Notes = Record<string, string[]>;

/** Deeper values are kept as text: PostgreSQL's own parser gives up on very deep ones. */
const DEPTH_MAX = 512;
const EXPONENT_MAX = 1000;
const PLACES_MAX = 20;

const [QUOTE, COMMA, MINUS, ZERO, NINE, OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, LETTER_U, OPEN_BRACE, CLOSE_BRACE] = [
  34, 44, 45, 48, 57, 91, 92, 93, 117, 123, 125,
] as const;
const REPLACEMENT = 'fffd';

/** A container that is open, and the member that the walk has reached. */
interface Frame {
  readonly isObject: boolean;
  isNameNext: boolean;
  /** Of an array: the index. */
  index: number;
  /** Of an object: where the name stands, without its quotes. */
  nameStart: number;
  nameEnd: number;
}

/**
 * Replaces what PostgreSQL refuses in a record: NUL and lone surrogates become U+FFFD (in names as well), numbers of absurd
 * exponents and values of absurd depth become text. Each change is noted. Works on the bytes, so that the time and memory
 * are in proportion to the size of the record.
 * @param json a valid JSON object. Escapes are replaced in place.
 * @returns the same buffer, unless something had to become longer.
 */
export function clean(json: Buffer): { readonly json: Buffer; readonly notes: Notes | null } {
  const notes: Notes = {};
  const pieces: Buffer[] = [];
  const frames: Frame[] = [];
  let copied = 0;
  const note = (code: string) => {
    notes[code] ??= [];
    if (notes[code].length < PLACES_MAX) notes[code].push(pointerTo(json, frames));
  };
  const replaceByText = (start: number, end: number) => {
    pieces.push(json.subarray(copied, start), Buffer.from(JSON.stringify(json.toString('utf8', start, end))));
    copied = end;
  };
  for (let at = 0; at < json.length; ) {
    const byte = json[at] as number;
    const frame = frames.at(-1);
    if (byte === QUOTE) {
      const end = endOfString(json, at);
      if (frame?.isNameNext) {
        frame.isNameNext = false;
        frame.nameStart = at + 1;
        frame.nameEnd = end - 1;
      }
      const replaced = replaceEscapes(json, at, end);
      if (replaced.nul) note('nul_replaced');
      if (replaced.surrogate) note('surrogate_replaced');
      at = end;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (frames.length > DEPTH_MAX) {
        const end = endOfContainer(json, at);
        replaceByText(at, end);
        note('depth_as_text');
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
    } else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) {
      const end = endOfNumber(json, at);
      if (hasExponent(json, at, end) && exponentOf(json.toString('latin1', at, end)) > EXPONENT_MAX) {
        replaceByText(at, end);
        note('number_as_text');
      }
      at = end;
    } else at++;
  }
  if (copied > 0) pieces.push(json.subarray(copied));
  return { json: copied > 0 ? Buffer.concat(pieces) : json, notes: Object.keys(notes).length === 0 ? null : notes };
}

function pointerTo(json: Buffer, frames: readonly Frame[]): string {
  return frames
    .map(({ isObject, index, nameStart, nameEnd }) => {
      if (!isObject) return `/${index}`;
      const name = JSON.parse(`"${json.toString('utf8', nameStart, nameEnd)}"`) as string;
      return `/${name.toWellFormed().replaceAll('\0', '\ufffd').replaceAll('~', '~0').replaceAll('/', '~1')}`;
    })
    .join('');
}

/** The byte after the closing quote of the string that begins at `from`. */
function endOfString(json: Buffer, from: number): number {
  let at = from + 1;
  while (json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

function replaceEscapes(
  json: Buffer,
  from: number,
  to: number,
): { readonly nul: boolean; readonly surrogate: boolean } {
  let nul = false;
  let surrogate = false;
  for (let at = from; at < to; at++) {
    if (json[at] !== BACKSLASH) continue;
    at++;
    if (json[at] !== LETTER_U) continue;
    const code = codeAt(json, at);
    const isPair =
      code >= 0xd800 &&
      code <= 0xdbff &&
      json[at + 5] === BACKSLASH &&
      json[at + 6] === LETTER_U &&
      (codeAt(json, at + 6) & 0xfc00) === 0xdc00;
    if (isPair) at += 10;
    else {
      if (code === 0) nul = true;
      else if (code >= 0xd800 && code <= 0xdfff) surrogate = true;
      else continue;
      json.write(REPLACEMENT, at + 1, 'latin1');
    }
  }
  return { nul, surrogate };
}

/** The code unit of the escape whose `u` stands at `at`. */
function codeAt(json: Buffer, at: number): number {
  let code = 0;
  for (let i = at + 1; i <= at + 4; i++) {
    const c = json[i] as number;
    code = code * 16 + (c <= NINE ? c - ZERO : (c | 32) - 87);
  }
  return code;
}

function endOfContainer(json: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; ; ) {
    const byte = json[at] as number;
    if (byte === QUOTE) {
      at = endOfString(json, at);
      continue;
    }
    at++;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at;
  }
}

function endOfNumber(json: Buffer, from: number): number {
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
