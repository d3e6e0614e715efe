import { type Json, parseJson } from './json.ts';
import {
  DOUBLE_DIGITS,
  FieldIndex,
  HAS_COMPLEX_NAME,
  INTS_PER_FIELD,
  INTS_PER_OBJECT,
  JSON_ARRAY,
  JSON_NUMBER,
  JSON_OBJECT,
  JSON_STRING,
  KIND_MASK,
  scanJson,
} from './json-scanner.ts';
import { parsePlainTimestamp } from './plain-times.ts';

/**
 * A JSON object in its original bytes. Fields are parsed on access; the bytes are never re-encoded.
 */
export class RawObject {
  /** The buffer that contains the JSON object. */
  readonly source: Buffer;
  /**
   * Offsets of the JSON object's fields: `INTS_PER_FIELD` integers per field, from `fieldsStart` up
   * to `fieldsEnd`.
   */
  readonly fields: Int32Array;
  readonly fieldsStart: number;
  readonly fieldsEnd: number;
  readonly #start: number;
  readonly #end: number;

  private constructor(source: Buffer, { fields, objects }: FieldIndex, offset: number) {
    this.source = source;
    this.fields = fields;
    this.#start = objects[offset] as number;
    this.#end = objects[offset + 1] as number;
    this.fieldsStart = objects[offset + 2] as number;
    this.fieldsEnd = objects[offset + 3] as number;
  }

  /**
   * Parses one JSON object.
   * @param source the buffer that contains the object from `from` up to `to`.
   * @param index receives the object's offsets, appended to the offsets of earlier scans. The
   * object is valid until the index is cleared.
   * @throws SyntaxError if the bytes are not JSON, TypeError if they are not a JSON object.
   */
  static parse(source: Buffer, from = 0, to = source.length, index = new FieldIndex(to - from)): RawObject {
    const offset = index.objectInts;
    if (scanJson(source, 1, from, to, index).kind !== JSON_OBJECT) throw new TypeError('A JSON object was expected.');
    return new RawObject(source, index, offset);
  }

  /**
   * Parses an array of JSON objects.
   * @returns null if the bytes are not an array, or if an element is not a JSON object.
   * @throws SyntaxError if the bytes are not JSON.
   */
  static parseList(source: Buffer): RawObject[] | null {
    const index = new FieldIndex(source.length);
    const { kind, onlyObjects } = scanJson(source, 2, 0, source.length, index);
    if (kind !== JSON_ARRAY || !onlyObjects) return null;
    const objects: RawObject[] = [];
    for (let offset = 0; offset < index.objectInts; offset += INTS_PER_OBJECT)
      objects.push(new RawObject(source, index, offset));
    return objects;
  }

  /** The object's original bytes. */
  get bytes(): Buffer {
    return this.source.subarray(this.#start, this.#end);
  }

  /** The union of the flags of all fields. */
  get flags(): number {
    let flags = 0;
    for (let field = this.fieldsStart; field < this.fieldsEnd; field += INTS_PER_FIELD)
      flags |= this.fields[field + 4] as number;
    return flags & ~KIND_MASK;
  }

  has(name: string): boolean {
    return this.#find(name) >= 0;
  }

  /**
   * Parses the value of a field without loss of digits. Returns undefined if the object does not
   * have the field.
   */
  get(name: string): Json | undefined {
    const { source, fields } = this;
    const field = this.#find(name);
    if (field < 0) return undefined;
    const start = fields[field + 2] as number;
    const end = fields[field + 3] as number;
    const kind = (fields[field + 4] as number) & ~HAS_COMPLEX_NAME;
    // Without flags, the value needs no unescaping and fits a double.
    if (kind === JSON_STRING) return source.toString('utf8', start + 1, end - 1);
    if (kind === JSON_NUMBER) return Number(source.toString('latin1', start, end));
    return parseJson(source.toString('utf8', start, end));
  }

  /**
   * Parses a field with a time in the form `2026-01-02T03:04:05Z`. Returns milliseconds since 1970;
   * NaN if the object has no such field, or if its value has a different form.
   */
  getPlainTime(name: string): number {
    const field = this.#find(name);
    if (field < 0 || ((this.fields[field + 4] as number) & KIND_MASK) !== JSON_STRING) return Number.NaN;
    return parsePlainTimestamp(
      this.source,
      (this.fields[field + 2] as number) + 1,
      (this.fields[field + 3] as number) - 1,
    );
  }

  /**
   * Returns the digits of a field whose value is a non-negative integer of up to 15 digits, which a
   * double represents exactly. Returns null if the field is missing or has any other value.
   */
  getDigits(name: string): string | null {
    const field = this.#find(name);
    if (field < 0 || ((this.fields[field + 4] as number) & KIND_MASK) !== JSON_NUMBER) return null;
    const start = this.fields[field + 2] as number;
    const end = this.fields[field + 3] as number;
    if (end - start > DOUBLE_DIGITS) return null;
    for (let at = start; at < end; at++) {
      const byte = this.source[at] as number;
      if (byte < 48 || byte > 57) return null;
    }
    return this.source.toString('latin1', start, end);
  }

  /**
   * Searches from the end, because the last of several fields with the same name counts, as in
   * `JSON.parse`.
   */
  #find(name: string): number {
    for (let field = this.fieldsEnd - INTS_PER_FIELD; field >= this.fieldsStart; field -= INTS_PER_FIELD)
      if (isFieldNamed(this.source, this.fields, field, name)) return field;
    return -1;
  }
}

/** Whether a field has this name. @param field the field's offset in `FieldIndex.fields`. */
export function isFieldNamed(source: Buffer, fields: Int32Array, field: number, name: string): boolean {
  const start = fields[field] as number;
  if (((fields[field + 4] as number) & HAS_COMPLEX_NAME) !== 0) return getFieldName(source, fields, field) === name;
  if ((fields[field + 1] as number) - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (source[start + i] !== name.charCodeAt(i)) return false;
  return true;
}

/** Decodes the name of a field. @param field the field's offset in `FieldIndex.fields`. */
export function getFieldName(source: Buffer, fields: Int32Array, field: number): string {
  const text = source.toString('utf8', fields[field], fields[field + 1]);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
