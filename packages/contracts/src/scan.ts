import { type Json, parseJson } from './json.ts';

/**
 * JSON read where it stands: a text is checked to its last character, and the places of its fields are noted, but nothing
 * of it is turned into values. A record is moved from an answer to a batch to a row as the bytes that were sent, so what
 * nobody looks at costs no memory and cannot be changed on the way.
 */

/** What a value is; `kind & KIND` of a field. */
export const KIND = 7;
export const NULL = 0;
export const FALSE = 1;
export const TRUE = 2;
export const NUMBER = 3;
export const STRING = 4;
export const ARRAY = 5;
export const OBJECT = 6;
/** Somewhere in the value stands a backslash. */
export const ESCAPED = 8;
/** … or a number of so many digits that a double may not hold it. */
export const LONG_NUMBER = 16;
/** … or `\u0000`, or half of a surrogate pair. */
export const ODD_ESCAPE = 32;
/** … or containers in containers, more than `DEEP_LEVELS` of them. */
export const DEEP = 64;
/** The name of the field is not spelt as it reads: it holds an escape, or more than ASCII. */
export const ODD_NAME = 128;
/** Somewhere in the value stands a number with an exponent. */
export const EXPONENT = 256;

const DEEP_LEVELS = 64;

/** A double keeps 15 digits, whatever they are. */
const DOUBLE_DIGITS = 15;
const ASCII_MAX = 127;

const [SPACE, QUOTE, COMMA, MINUS, ZERO, NINE, COLON, OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] =
  [32, 34, 44, 45, 48, 57, 58, 91, 92, 93, 123, 125] as const;
/** `"`, `\\`, `/`, `b`, `f`, `n`, `r`, `t`. */
const SHORT_ESCAPES: ReadonlySet<number> = new Set([34, 92, 47, 98, 102, 110, 114, 116]);

/** Ints that a field takes in `Places.fields`: start and end of its name, without quotes; start and end of its value; kind and flags. */
export const FIELD_INTS = 5;
/** … and an object in `Places.objects`: start and end of its text, and where its own fields begin and end in `Places.fields`. */
const OBJECT_INTS = 4;

/** Where objects and their fields stand, as scans have found them one after the other. */
export class Places {
  fields: Int32Array;
  fieldInts = 0;
  objects = new Int32Array(OBJECT_INTS);
  objectInts = 0;

  /** @param bytes of the texts that are going to be scanned. Room is made as it is needed; a good guess spares that. */
  constructor(bytes: number) {
    this.fields = new Int32Array(Math.max(FIELD_INTS * 16, bytes >> 3));
  }

  /** Forgets all of them. */
  clear(): this {
    this.fieldInts = 0;
    this.objectInts = 0;
    return this;
  }
}

/**
 * @param depth of the objects whose fields are noted: 1 for an object, 2 for the objects of an array.
 * @param from @param to the part of `bytes` that holds the text.
 * @param places gets the objects at that depth and their fields, in order.
 * @returns what the whole text is, and whether above the depth there is nothing but containers.
 * @throws SyntaxError where `JSON.parse` does.
 */
export function scanJson(
  bytes: Buffer,
  depth: number,
  from: number,
  to: number,
  places: Places,
): { readonly kind: number; readonly onlyObjects: boolean } {
  let { fields, fieldInts, objects, objectInts } = places;
  let onlyObjects = true;
  /** The containers that are open: whether each is an object. */
  let open = new Uint8Array(DEEP_LEVELS * 2);
  let level = 0;
  let flags = 0;
  let at = skipSpace(bytes, from, to);
  let rootKind = -1;

  // One loop and no functions within it: it sees every byte that there is.
  for (;;) {
    // A value begins at `at`.
    let kind: number;
    const c = at < to ? (bytes[at] as number) : -1;
    if (c === QUOTE) {
      kind = STRING;
      for (at++; ; ) {
        at = plainEnd(bytes, at, to);
        if (at < to && bytes[at] === QUOTE) break;
        flags |= escapeAt(bytes, at, to);
        at += bytes[at + 1] === 117 ? 6 : 2;
      }
      at++;
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      kind = c === OPEN_BRACE ? OBJECT : ARRAY;
      if (level === open.length) open = grown(open);
      open[level++] = kind === OBJECT ? 1 : 0;
      if (level > DEEP_LEVELS) flags |= DEEP;
      if (level === depth) {
        if (kind === OBJECT) {
          if (objectInts === objects.length) objects = grown(objects);
          objects[objectInts] = at;
          objects[objectInts + 2] = fieldInts;
        } else onlyObjects = false;
      }
      at = skipSpace(bytes, at + 1, to);
      if (at < to && bytes[at] === (kind === OBJECT ? CLOSE_BRACE : CLOSE_BRACKET)) kind = -1;
    } else if (c === MINUS || (c >= ZERO && c <= NINE)) {
      kind = NUMBER;
      const end = numberEnd(bytes, at, to);
      // Whatever they are, so few characters hold no more digits than a double keeps.
      if (end - at > DOUBLE_DIGITS) flags |= LONG_NUMBER;
      if (end - at > 2 && hasExponent(bytes, at, end)) flags |= EXPONENT;
      at = end;
    } else {
      kind = wordAt(bytes, at, to);
      at += kind === FALSE ? 5 : 4;
    }

    if (kind === OBJECT) {
      // Its first name follows.
    } else if (kind === ARRAY) continue;
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
          fieldInts += FIELD_INTS;
        }
      }
      // A value has ended: what follows belongs to the container around it.
      for (;;) {
        if (at < to && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, to);
        const inObject = open[level - 1] === 1;
        const next = at < to ? (bytes[at] as number) : -1;
        if (next === COMMA) {
          at++;
          kind = inObject ? OBJECT : ARRAY;
          break;
        }
        if (next !== (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) throw notJson(at, from, to);
        at++;
        level--;
        if (level === depth - 1 && inObject) {
          objects[objectInts + 1] = at;
          objects[objectInts + 3] = fieldInts;
          objectInts += OBJECT_INTS;
        } else if (level === depth && open[level - 1] === 1) {
          fields[fieldInts + 3] = at;
          fields[fieldInts + 4] = (inObject ? OBJECT : ARRAY) | flags;
          fieldInts += FIELD_INTS;
        }
        if (level === 0) {
          rootKind = inObject ? OBJECT : ARRAY;
          break;
        }
      }
      if (level === 0) break;
      if (at < to && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, to);
      if (kind === ARRAY) continue;
    }

    // A name and its colon.
    if (at >= to || bytes[at] !== QUOTE) throw notJson(at, from, to);
    // Flags are a field's own; below the depth they gather for the field around them.
    if (level === depth) flags = 0;
    const name = ++at;
    let seen = 0;
    for (;;) {
      const b = at < to ? (bytes[at] as number) : -1;
      if (b === QUOTE) break;
      if (b === BACKSLASH || b < SPACE) {
        flags |= escapeAt(bytes, at, to);
        at += bytes[at + 1] === 117 ? 6 : 2;
        seen = 128;
      } else {
        seen |= b;
        at++;
      }
    }
    if (seen > ASCII_MAX && level === depth) flags |= ODD_NAME;
    const nameEnd = at++;
    if (at < to && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, to);
    if (at >= to || bytes[at] !== COLON) throw notJson(at, from, to);
    at++;
    if (at < to && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, to);
    if (level === depth) {
      if (fieldInts + FIELD_INTS > fields.length) fields = grown(fields);
      fields[fieldInts] = name;
      fields[fieldInts + 1] = nameEnd;
      fields[fieldInts + 2] = at;
    }
  }
  at = skipSpace(bytes, at, to);
  if (at < to) throw notJson(at, from, to);
  places.fields = fields;
  places.fieldInts = fieldInts;
  places.objects = objects;
  places.objectInts = objectInts;
  return { kind: rootKind, onlyObjects };
}

/** Where the plain characters of a string end: before its quote, an escape, or what must not stand there. */
function plainEnd(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const b = bytes[at] as number;
    if (b === QUOTE || b === BACKSLASH || b < SPACE) break;
    at++;
  }
  return at;
}

/** What stands at a place where a string's plain characters end before its quote. @throws SyntaxError when it is no escape. */
function escapeAt(bytes: Buffer, at: number, to: number): number {
  if (at >= to || bytes[at] !== BACKSLASH || at + 1 >= to) throw notJson(at, 0, to);
  if (bytes[at + 1] !== 117) {
    if (!SHORT_ESCAPES.has(bytes[at + 1] as number)) throw notJson(at, 0, to);
    return ESCAPED;
  }
  let code = at + 6 > to ? -1 : 0;
  for (let i = at + 2; i < at + 6 && code >= 0; i++) {
    const c = bytes[i] as number;
    const digit = c >= ZERO && c <= NINE ? c - ZERO : (c | 32) >= 97 && (c | 32) <= 102 ? (c | 32) - 87 : -1;
    code = digit < 0 ? -1 : code * 16 + digit;
  }
  if (code < 0) throw notJson(at, 0, to);
  return code === 0 || (code >= 0xd800 && code <= 0xdfff) ? ESCAPED | ODD_ESCAPE : ESCAPED;
}

function numberEnd(bytes: Buffer, from: number, to: number): number {
  let at = from;
  if (bytes[at] === MINUS) at++;
  const first = at;
  at = digitsEnd(bytes, at, to);
  if (bytes[first] === ZERO && at > first + 1) throw notJson(first, 0, to);
  if (at < to && bytes[at] === 46) at = digitsEnd(bytes, at + 1, to);
  if (at < to && ((bytes[at] as number) | 32) === 101) {
    at++;
    if (at < to && (bytes[at] === 43 || bytes[at] === MINUS)) at++;
    at = digitsEnd(bytes, at, to);
  }
  return at;
}

/** At least one digit. */
function digitsEnd(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  if (at === from) throw notJson(at, 0, to);
  return at;
}

function hasExponent(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (((bytes[at] as number) | 32) === 101) return true;
  return false;
}

/** `null`, `true` or `false`. */
function wordAt(bytes: Buffer, at: number, to: number): number {
  const c = at < to ? bytes[at] : -1;
  const kind = c === 110 ? NULL : c === 116 ? TRUE : c === 102 ? FALSE : -1;
  const word = kind === NULL ? 'null' : kind === TRUE ? 'true' : 'false';
  for (let i = 0; i < word.length; i++)
    if (kind < 0 || at + i >= to || bytes[at + i] !== word.charCodeAt(i)) throw notJson(at + i, 0, to);
  return kind;
}

function notJson(at: number, from: number, to: number): SyntaxError {
  return new SyntaxError(at >= to ? 'The JSON text ends too early.' : `Not JSON at byte ${at - from}.`);
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

function grown<T extends Int32Array | Uint8Array>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
  larger.set(array);
  return larger;
}

/** One JSON object in its own text, of which single fields are looked at. */
export class RawObject {
  /** The text that it stands in. */
  readonly source: Buffer;
  /** Its fields, `FIELD_INTS` each, from `first` to before `end`. */
  readonly fields: Int32Array;
  readonly first: number;
  readonly end: number;
  readonly #start: number;
  readonly #stop: number;

  private constructor(source: Buffer, { fields, objects }: Places, at: number) {
    this.source = source;
    this.fields = fields;
    this.#start = objects[at] as number;
    this.#stop = objects[at + 1] as number;
    this.first = objects[at + 2] as number;
    this.end = objects[at + 3] as number;
  }

  /**
   * @param source @param from @param to where the text of one object stands.
   * @param places what was found before; the object is added to it, and lives as long.
   * @throws SyntaxError when it is not JSON, TypeError when it is no object.
   */
  static of(source: Buffer, from = 0, to = source.length, places = new Places(to - from)): RawObject {
    const at = places.objectInts;
    if (scanJson(source, 1, from, to, places).kind !== OBJECT) throw new TypeError('A JSON object was expected.');
    return new RawObject(source, places, at);
  }

  /**
   * The objects of an array.
   * @returns null when the text is not an array, or not all of it are objects.
   * @throws SyntaxError when it is not JSON.
   */
  static allOf(source: Buffer): RawObject[] | null {
    const places = new Places(source.length);
    const { kind, onlyObjects } = scanJson(source, 2, 0, source.length, places);
    if (kind !== ARRAY || !onlyObjects) return null;
    return Array.from(
      { length: places.objectInts / OBJECT_INTS },
      (_, index) => new RawObject(source, places, index * OBJECT_INTS),
    );
  }

  /** The object as it was sent. */
  get bytes(): Buffer {
    return this.source.subarray(this.#start, this.#stop);
  }

  /** The flags of all of its fields. */
  get flags(): number {
    let flags = 0;
    for (let field = this.first; field < this.end; field += FIELD_INTS) flags |= this.fields[field + 4] as number;
    return flags & ~KIND;
  }

  has(name: string): boolean {
    return this.#find(name) >= 0;
  }

  /** A field's value, whose numbers keep their digits; undefined when there is none. */
  get(name: string): Json | undefined {
    const { source, fields } = this;
    const field = this.#find(name);
    if (field < 0) return undefined;
    const start = fields[field + 2] as number;
    const end = fields[field + 3] as number;
    const kind = (fields[field + 4] as number) & ~ODD_NAME;
    if (kind === STRING) return source.toString('utf8', start + 1, end - 1);
    if (kind === NUMBER) return Number(source.toString('latin1', start, end));
    return parseJson(source.toString('utf8', start, end));
  }

  /** Of several fields of one name the last counts, as everywhere. */
  #find(name: string): number {
    for (let field = this.end - FIELD_INTS; field >= this.first; field -= FIELD_INTS)
      if (nameIs(this.source, this.fields, field, name)) return field;
    return -1;
  }
}

/** Whether the name of the field at a place in `Places.fields` is `name`. */
export function nameIs(source: Buffer, fields: Int32Array, field: number, name: string): boolean {
  const start = fields[field] as number;
  if (((fields[field + 4] as number) & ODD_NAME) !== 0) return nameOf(source, fields, field) === name;
  if ((fields[field + 1] as number) - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (source[start + i] !== name.charCodeAt(i)) return false;
  return true;
}

/** The name of the field at a place in `Places.fields`. */
export function nameOf(source: Buffer, fields: Int32Array, field: number): string {
  const text = source.toString('utf8', fields[field], fields[field + 1]);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
