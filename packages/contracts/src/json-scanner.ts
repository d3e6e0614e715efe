/**
 * A JSON scanner that validates a text completely and indexes the offsets of its fields, without
 * creating values.
 *
 * A record keeps its original bytes from the response through the batch to the row. Fields that no
 * code reads are therefore never converted to values, and cannot be altered.
 */

/** Extracts the kind of a value from a field's kind and flags. */
export const KIND_MASK = 7;
export const JSON_NULL = 0;
export const JSON_FALSE = 1;
export const JSON_TRUE = 2;
export const JSON_NUMBER = 3;
export const JSON_STRING = 4;
export const JSON_ARRAY = 5;
export const JSON_OBJECT = 6;

// Flags of a field. All but HAS_COMPLEX_NAME describe the value, including nested values.

/** The value contains an escape sequence. */
export const HAS_ESCAPE = 8;
/** The value contains a number with more digits than a double preserves. */
export const HAS_LONG_NUMBER = 16;
/**
 * The value contains `\u0000` or an escaped surrogate, which PostgreSQL may not be able to store.
 */
export const HAS_UNSTORABLE_ESCAPE = 32;
/** The value has more than `DEEP_LEVELS` levels of containers. */
export const IS_DEEPLY_NESTED = 64;
/**
 * The name of the field contains an escape sequence or a character outside ASCII, so it must be
 * decoded.
 */
export const HAS_COMPLEX_NAME = 128;
/** The value contains a number with an exponent. */
export const HAS_EXPONENT = 256;

const DEEP_LEVELS = 64;
/** The stack of open containers. All scans reuse it, except scans that need a larger stack. */
const containers = new Uint8Array(DEEP_LEVELS * 2);

/** Decimal digits that a double always preserves. */
export const DOUBLE_DIGITS = 15;
const ASCII_MAX = 127;

const [SPACE, QUOTE, COMMA, MINUS, ZERO, NINE, COLON, OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] =
  [32, 34, 44, 45, 48, 57, 58, 91, 92, 93, 123, 125] as const;
/** `"`, `\\`, `/`, `b`, `f`, `n`, `r`, `t`. */
const SHORT_ESCAPES: ReadonlySet<number> = new Set([34, 92, 47, 98, 102, 110, 114, 116]);

/**
 * Integers per field: start and end of the name (without quotes), start and end of the value, kind
 * and flags.
 */
export const INTS_PER_FIELD = 5;
/**
 * Integers per JSON object: start and end of its bytes, start and end of its fields in
 * `FieldIndex.fields`.
 */
export const INTS_PER_OBJECT = 4;

/**
 * Offsets of JSON objects and of their fields, in the order in which scans found them. An index can
 * be reused for many scans.
 */
export class FieldIndex {
  fields: Int32Array;
  fieldInts = 0;
  objects = new Int32Array(INTS_PER_OBJECT);
  objectInts = 0;

  /**
   * @param bytes the expected size of the scanned texts. The index grows as needed; a good estimate
   * avoids copies.
   */
  constructor(bytes: number) {
    this.fields = new Int32Array(Math.max(INTS_PER_FIELD * 16, bytes >> 3));
  }

  /** Removes all entries and keeps the memory. */
  clear(): this {
    this.fieldInts = 0;
    this.objectInts = 0;
    return this;
  }
}

/**
 * Validates a JSON text and indexes the JSON objects at one depth.
 * @param depth the depth of the JSON objects to index: 1 for a single object, 2 for the elements of
 * an array.
 * @param from offset of the text's first byte.
 * @param to offset after the text's last byte.
 * @param index receives the JSON objects at that depth and their fields, in order.
 * @returns the kind of the root value. `onlyObjects` is true if all values above that depth are
 * containers and all values at that depth are JSON objects.
 * @throws SyntaxError for each text that `JSON.parse` rejects.
 */
// oxlint-disable-next-line max-lines-per-function -- a single loop visits every byte.
export function scanJson(
  bytes: Buffer,
  depth: number,
  from: number,
  to: number,
  index: FieldIndex,
): { readonly kind: number; readonly onlyObjects: boolean } {
  let { fields, fieldInts, objects, objectInts } = index;
  let onlyObjects = true;
  /** The stack of open containers: 1 for an object, 0 for an array. */
  let open = containers;
  let level = 0;
  let flags = 0;
  let at = skipSpace(bytes, from, to);
  let rootKind = -1;

  // This loop visits every byte of every response, so it contains no nested functions.
  for (;;) {
    // A value starts at `at`.
    let kind: number;
    const c = at < to ? (bytes[at] as number) : -1;
    if (c === QUOTE) {
      kind = JSON_STRING;
      for (at++; ; ) {
        at = scanPlainCharacters(bytes, at, to);
        if (at < to && bytes[at] === QUOTE) break;
        flags |= scanEscape(bytes, at, to);
        at += bytes[at + 1] === 117 ? 6 : 2;
      }
      at++;
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      kind = c === OPEN_BRACE ? JSON_OBJECT : JSON_ARRAY;
      if (level === open.length) open = grow(open);
      open[level++] = kind === JSON_OBJECT ? 1 : 0;
      if (level > DEEP_LEVELS) flags |= IS_DEEPLY_NESTED;
      if (level === depth) {
        if (kind === JSON_OBJECT) {
          if (objectInts === objects.length) objects = grow(objects);
          objects[objectInts] = at;
          objects[objectInts + 2] = fieldInts;
        } else onlyObjects = false;
      }
      at = skipSpace(bytes, at + 1, to);
      if (at < to && bytes[at] === (kind === JSON_OBJECT ? CLOSE_BRACE : CLOSE_BRACKET)) kind = -1;
    } else if (c === MINUS || (c >= ZERO && c <= NINE)) {
      kind = JSON_NUMBER;
      const end = scanNumber(bytes, at, to);
      // A number has at most as many digits as characters, so the digits of short numbers need not
      // be counted.
      if (end - at > DOUBLE_DIGITS) flags |= HAS_LONG_NUMBER;
      if (end - at > 2 && hasExponent(bytes, at, end)) flags |= HAS_EXPONENT;
      at = end;
    } else {
      kind = scanLiteral(bytes, at, to);
      at += kind === JSON_FALSE ? 5 : 4;
    }

    if (kind === JSON_OBJECT) {
      // The object's first field name follows.
    } else if (kind === JSON_ARRAY) continue;
    else {
      if (kind >= 0) {
        if (level < depth) {
          if (level === 0) {
            rootKind = kind;
            break;
          }
          onlyObjects = false;
        } else if (level === depth && open[level - 1] === 1) {
          fields[fieldInts + 3] = at;
          fields[fieldInts + 4] = kind | flags;
          fieldInts += INTS_PER_FIELD;
        }
      }
      // A value has ended. The next character belongs to the enclosing container.
      for (;;) {
        if (at < to && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, to);
        const inObject = open[level - 1] === 1;
        const next = at < to ? (bytes[at] as number) : -1;
        if (next === COMMA) {
          at++;
          kind = inObject ? JSON_OBJECT : JSON_ARRAY;
          break;
        }
        if (next !== (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) throw createSyntaxError(at, from, to);
        at++;
        level--;
        if (level === depth - 1 && inObject) {
          objects[objectInts + 1] = at;
          objects[objectInts + 3] = fieldInts;
          objectInts += INTS_PER_OBJECT;
        } else if (level === depth && open[level - 1] === 1) {
          fields[fieldInts + 3] = at;
          fields[fieldInts + 4] = (inObject ? JSON_OBJECT : JSON_ARRAY) | flags;
          fieldInts += INTS_PER_FIELD;
        }
        if (level === 0) {
          rootKind = inObject ? JSON_OBJECT : JSON_ARRAY;
          break;
        }
      }
      if (level === 0) break;
      if (at < to && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, to);
      if (kind === JSON_ARRAY) continue;
    }

    // A field name and its colon.
    if (at >= to || bytes[at] !== QUOTE) throw createSyntaxError(at, from, to);
    // Flags belong to one indexed field. Nested fields add their flags to the indexed field that
    // contains them.
    if (level === depth) flags = 0;
    const name = ++at;
    let seen = 0;
    for (;;) {
      let b = -1;
      while (at < to) {
        b = bytes[at] as number;
        if (b === QUOTE || b === BACKSLASH || b < SPACE) break;
        seen |= b;
        at++;
      }
      if (at < to && b === QUOTE) break;
      flags |= scanEscape(bytes, at, to);
      at += bytes[at + 1] === 117 ? 6 : 2;
      seen = 128;
    }
    if (seen > ASCII_MAX && level === depth) flags |= HAS_COMPLEX_NAME;
    const nameEnd = at++;
    if (at < to && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, to);
    if (at >= to || bytes[at] !== COLON) throw createSyntaxError(at, from, to);
    at++;
    if (at < to && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, to);
    if (level === depth) {
      if (fieldInts + INTS_PER_FIELD > fields.length) fields = grow(fields);
      fields[fieldInts] = name;
      fields[fieldInts + 1] = nameEnd;
      fields[fieldInts + 2] = at;
    }
  }
  at = skipSpace(bytes, at, to);
  if (at < to) throw createSyntaxError(at, from, to);
  index.fields = fields;
  index.fieldInts = fieldInts;
  index.objects = objects;
  index.objectInts = objectInts;
  return { kind: rootKind, onlyObjects };
}

/** Returns the offset of the first quote, backslash or control character in a string. */
function scanPlainCharacters(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const b = bytes[at] as number;
    if (b === QUOTE || b === BACKSLASH || b < SPACE) break;
    at++;
  }
  return at;
}

/**
 * Validates the escape sequence at an offset.
 * @returns the flags of the sequence.
 * @throws SyntaxError if the offset holds no valid escape sequence.
 */
function scanEscape(bytes: Buffer, at: number, to: number): number {
  if (at >= to || bytes[at] !== BACKSLASH || at + 1 >= to) throw createSyntaxError(at, 0, to);
  if (bytes[at + 1] !== 117) {
    if (!SHORT_ESCAPES.has(bytes[at + 1] as number)) throw createSyntaxError(at, 0, to);
    return HAS_ESCAPE;
  }
  let code = at + 6 > to ? -1 : 0;
  for (let i = at + 2; i < at + 6 && code >= 0; i++) {
    const c = bytes[i] as number;
    const digit = c >= ZERO && c <= NINE ? c - ZERO : (c | 32) >= 97 && (c | 32) <= 102 ? (c | 32) - 87 : -1;
    code = digit < 0 ? -1 : code * 16 + digit;
  }
  if (code < 0) throw createSyntaxError(at, 0, to);
  return code === 0 || (code >= 0xd800 && code <= 0xdfff) ? HAS_ESCAPE | HAS_UNSTORABLE_ESCAPE : HAS_ESCAPE;
}

/**
 * Validates the number at an offset.
 * @returns the offset after the number.
 * @throws SyntaxError if the offset holds no valid number.
 */
function scanNumber(bytes: Buffer, from: number, to: number): number {
  let at = from;
  if (bytes[at] === MINUS) at++;
  const first = at;
  at = scanDigits(bytes, at, to);
  if (bytes[first] === ZERO && at > first + 1) throw createSyntaxError(first, 0, to);
  if (at < to && bytes[at] === 46) at = scanDigits(bytes, at + 1, to);
  if (at < to && ((bytes[at] as number) | 32) === 101) {
    at++;
    if (at < to && (bytes[at] === 43 || bytes[at] === MINUS)) at++;
    at = scanDigits(bytes, at, to);
  }
  return at;
}

/**
 * Skips digits.
 * @returns the offset after the digits.
 * @throws SyntaxError if there is no digit.
 */
function scanDigits(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  if (at === from) throw createSyntaxError(at, 0, to);
  return at;
}

function hasExponent(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (((bytes[at] as number) | 32) === 101) return true;
  return false;
}

/**
 * Validates `null`, `true` or `false` at an offset.
 * @returns the kind of the literal.
 * @throws SyntaxError if the offset holds no literal.
 */
function scanLiteral(bytes: Buffer, at: number, to: number): number {
  const c = at < to ? bytes[at] : -1;
  const kind = c === 110 ? JSON_NULL : c === 116 ? JSON_TRUE : c === 102 ? JSON_FALSE : -1;
  const word = kind === JSON_NULL ? 'null' : kind === JSON_TRUE ? 'true' : 'false';
  for (let i = 0; i < word.length; i++)
    if (kind < 0 || at + i >= to || bytes[at + i] !== word.charCodeAt(i)) throw createSyntaxError(at + i, 0, to);
  return kind;
}

function createSyntaxError(at: number, from: number, to: number): SyntaxError {
  return new SyntaxError(at >= to ? 'The JSON text ends prematurely.' : `Invalid JSON at byte ${at - from}.`);
}

function skipSpace(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const c = bytes[at] as number;
    if (c > 32 || (c !== 32 && c !== 10 && c !== 13 && c !== 9)) break;
    at++;
  }
  return at;
}

/** Copies an array into a new array of twice the length. */
function grow<T extends Int32Array | Uint8Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
}
