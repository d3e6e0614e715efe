import { isUtf8 } from 'node:buffer';
import { createHash, hash } from 'node:crypto';
import {
  type Column,
  type FieldIndex,
  HAS_EXPONENT,
  HAS_UNSTORABLE_ESCAPE,
  IS_DEEPLY_NESTED,
  RawObject,
  type Table,
} from '@freshet/contracts';
import { type Notes, sanitizeRecord } from './sanitize.ts';
import { MISFIT, toSqlText } from './values.ts';

/** A record with its key, version and hash. The values of all other fields are not checked yet. */
export interface RecordIdentity {
  readonly raw: RawObject;
  /**
   * The `_freshet_delete_kind` of a record from a list of deleted records; null: the record is not
   * deleted.
   */
  readonly deleteKind: string | null;
  /** The values of the primary key columns in PostgreSQL's text form. */
  readonly key: readonly string[];
  /**
   * The time in the record's version column, in milliseconds since 1970; -Infinity if the record
   * has no version.
   */
  readonly version: number;
  /**
   * The hash of the complete line without the query strings of signed URLs: 16 bytes in
   * hexadecimal. The record is unchanged if its row has the same hash.
   */
  readonly hash: string;
  /** The changes that were required to store the record in PostgreSQL; null: none. */
  readonly notes: Notes | null;
}

/** A record and its position in the load. */
export interface IdentifiedRecord extends RecordIdentity {
  /** The index of the record's batch among the batches that are loaded together. */
  readonly batch: number;
  /** The number of the record's line in the batch, counted from 0. */
  readonly line: number;
}

/** Scanner flags of values that PostgreSQL may reject. */
const UNSAFE = HAS_UNSTORABLE_ESCAPE | HAS_EXPONENT | IS_DEEPLY_NESTED;

/** Properties of the body of a batch. They make checks of its lines unnecessary. */
interface BodyProperties {
  /** Whether the complete body is valid UTF-8. */
  readonly isUtf8: boolean;
  /** Whether the body contains a signed URL. */
  readonly hasSignature: boolean;
}

export function inspectBody(body: Buffer): BodyProperties {
  return { isUtf8: isUtf8(body), hasSignature: body.includes(SIGNATURE) };
}

/**
 * Determines the key, version and hash of a record.
 * @param line the stored line. The record extends from `start` to `end`.
 * @param body the properties of the body that contains the line. Absent: the line is inspected.
 * @returns the identity, or the reason why the record cannot be loaded.
 */
export function identifyRecord(
  line: Buffer,
  {
    start,
    end,
    deleted: deleteKind,
  }: { readonly start: number; readonly end: number; readonly deleted: string | null },
  table: Table,
  fieldIndex: FieldIndex,
  body: BodyProperties = inspectBody(line),
): RecordIdentity | { readonly rejection: string } {
  let raw: RawObject;
  let notes: Notes | null = null;
  let recordHash: string;
  try {
    if (body.isUtf8 || isUtf8(line)) raw = RawObject.parse(line, start, end, fieldIndex);
    else {
      notes = { encoding_replaced: [''] };
      raw = RawObject.parse(Buffer.from(line.toString('utf8', start, end)));
    }
    // Hash the line before the record is sanitized in place. Otherwise, records that differ only in
    // replaced characters would have the same hash.
    recordHash = body.hasSignature ? hashLine(line) : hashBytes(line);
    if ((raw.flags & UNSAFE) !== 0) {
      const sanitizedRecord = sanitizeRecord(raw.bytes);
      if (sanitizedRecord.notes !== null) raw = RawObject.parse(sanitizedRecord.json);
      notes = notes === null ? sanitizedRecord.notes : { ...notes, ...sanitizedRecord.notes };
    }
  } catch (error) {
    if (error instanceof TypeError) return { rejection: 'not_an_object' };
    if (error instanceof SyntaxError) return { rejection: 'not_json' };
    throw error;
  }
  const key: string[] = [];
  for (const name of table.primaryKey) {
    const { type } = table.columns.find((c) => c.name === name) as Column;
    const text = (type === 'bigint' ? raw.getDigits(name) : null) ?? toSqlText(raw.get(name), type);
    if (text === null) return { rejection: `key_missing: ${name}` };
    if (text === MISFIT) return { rejection: `key_not_${type}: ${name}` };
    key.push(text);
  }
  return {
    raw,
    deleteKind,
    key,
    version: parseVersion(raw, table.versionColumn ?? ''),
    hash: recordHash,
    notes,
  };
}

function parseVersion(raw: RawObject, column: string): number {
  const plainTime = raw.getPlainTime(column);
  if (!Number.isNaN(plainTime)) return plainTime;
  const value = raw.get(column);
  // `Date.parse` accepts some days that do not exist, such as February 30. Such a value does not
  // fit the version column, so the record counts as a record without a version.
  const time = typeof value === 'string' && toSqlText(value, 'timestamptz') !== MISFIT ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

export const HASH_BYTES = 16;
const SIGNATURE = Buffer.from('Signature=');
const QUESTION_MARK = 63;

function hashBytes(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex').slice(0, 2 * HASH_BYTES);
}

/**
 * Hashes a line without the query strings of signed URLs, because every response contains different
 * signatures. A query string begins at the first question mark of a URL and ends with the URL. Each
 * byte is read at most twice.
 */
function hashLine(line: Buffer): string {
  let signature = line.indexOf(SIGNATURE);
  if (signature < 0) return hashBytes(line);
  const text = isUtf8(line) ? line : Buffer.from(line.toString('utf8'));
  const digest = createHash('sha256');
  let hashedEnd = 0;
  let searchedEnd = 0;
  for (signature = text.indexOf(SIGNATURE); signature >= 0; signature = text.indexOf(SIGNATURE, searchedEnd)) {
    let query = -1;
    for (let at = signature - 1; at >= searchedEnd && !endsUrl(text, at); at--)
      if (text[at] === QUESTION_MARK) query = at;
    searchedEnd = signature + SIGNATURE.length;
    if (query < 0) continue;
    while (searchedEnd < text.length && !endsUrl(text, searchedEnd)) searchedEnd++;
    digest.update(text.subarray(hashedEnd, query));
    hashedEnd = searchedEnd;
  }
  return digest
    .update(text.subarray(hashedEnd))
    .digest('hex')
    .slice(0, 2 * HASH_BYTES);
}

/** The non-ASCII code points that `\s` matches in a regular expression. */
const WIDE_SPACE: ReadonlySet<number> = new Set([
  0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029,
  0x202f, 0x205f, 0x3000, 0xfeff,
]);

/** Whether the character that contains the byte ends a URL: a quote, a backslash or white space. */
function endsUrl(text: Buffer, at: number): boolean {
  const byte = text[at] as number;
  if (byte < 0x80) return byte === 34 || byte === 92 || byte === 32 || (byte >= 9 && byte <= 13);
  let start = at;
  while (((text[start] as number) & 0xc0) === 0x80) start--;
  const lead = text[start] as number;
  if (lead >= 0xf0) return false;
  const second = (text[start + 1] as number) & 63;
  return WIDE_SPACE.has(
    lead < 0xe0
      ? ((lead & 31) << 6) | second
      : ((lead & 15) << 12) | (second << 6) | ((text[start + 2] as number) & 63),
  );
}
