import { isUtf8 } from 'node:buffer';
import { createHash, hash } from 'node:crypto';
import {
  type Column,
  DEEP,
  EXPONENT,
  type Json,
  ODD_ESCAPE,
  type Places,
  RawObject,
  type Table,
} from '@freshet/contracts';
import { clean, type Notes } from './clean.ts';
import { MISFIT, toSqlText } from './values.ts';

/** A record of which is known which row it is, how old, and whether it is the same as another; its values have not been looked at. */
export interface Identity {
  readonly raw: RawObject;
  readonly deleted: string | null;
  /** Its primary key as PostgreSQL's text, column by column. */
  readonly key: readonly string[];
  /** Its version, in milliseconds; -Infinity where it has none. */
  readonly version: number;
  /** 16 bytes over the whole line, in hexadecimal: the same for the same record in the same state. */
  readonly hash: string;
  /** What was changed in it so that PostgreSQL can hold it. */
  readonly notes: Notes | null;
}

/** … and where it stands: the place of its batch among those that are loaded together, and the number of its line, from 0. */
export interface Identified extends Identity {
  readonly batch: number;
  readonly line: number;
}

/** What PostgreSQL may refuse in a value; all else it takes as it stands. */
const UNCLEAN = ODD_ESCAPE | EXPONENT | DEEP;

/**
 * Who a record is; or why it cannot be anybody.
 * @param line the line that it was stored in, from `start` to `end`.
 */
export function identify(
  line: Buffer,
  { start, end, deleted }: { readonly start: number; readonly end: number; readonly deleted: string | null },
  table: Table,
  places: Places,
): Identity | { readonly rejected: string } {
  let raw: RawObject;
  let notes: Notes | null = null;
  // Before the record is cleaned in place: two records that differ only in what is replaced are two.
  let recordHash: string;
  try {
    if (isUtf8(line)) raw = RawObject.of(line, start, end, places);
    else {
      notes = { encoding_replaced: [''] };
      raw = RawObject.of(Buffer.from(line.toString('utf8', start, end)));
    }
    recordHash = hashOf(line);
    if ((raw.flags & UNCLEAN) !== 0) {
      const cleaned = clean(raw.bytes);
      if (cleaned.notes !== null) raw = RawObject.of(cleaned.json);
      notes = notes === null ? cleaned.notes : { ...notes, ...cleaned.notes };
    }
  } catch (error) {
    if (error instanceof TypeError) return { rejected: 'not_an_object' };
    if (error instanceof SyntaxError) return { rejected: 'not_json' };
    throw error;
  }
  const key: string[] = [];
  for (const name of table.primaryKey) {
    const { type } = table.columns.find((c) => c.name === name) as Column;
    const text = toSqlText(raw.get(name), type);
    if (text === null) return { rejected: `key_missing: ${name}` };
    if (text === MISFIT) return { rejected: `key_not_${type}: ${name}` };
    key.push(text);
  }
  return { raw, deleted, key, version: versionOf(raw.get(table.version ?? '')), hash: recordHash, notes };
}

function versionOf(value: Json | undefined): number {
  // Decided as the column decides: `Date.parse` takes days that do not exist.
  const time = typeof value === 'string' && toSqlText(value, 'timestamptz') !== MISFIT ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

export const HASH_BYTES = 16;
const SIGNATURE = Buffer.from('Signature=');
const QUESTION_MARK = 63;

/**
 * Hashes a line without the queries of signed addresses: signatures differ from response to response, all else belongs to the record.
 * A query begins at the first question mark of an address and ends with the address. Each byte is read twice at most.
 */
function hashOf(line: Buffer): string {
  let signature = line.indexOf(SIGNATURE);
  if (signature < 0) return hash('sha256', line, 'hex').slice(0, 2 * HASH_BYTES);
  const text = isUtf8(line) ? line : Buffer.from(line.toString('utf8'));
  const digest = createHash('sha256');
  let hashed = 0;
  let searched = 0;
  for (signature = text.indexOf(SIGNATURE); signature >= 0; signature = text.indexOf(SIGNATURE, searched)) {
    let query = -1;
    for (let at = signature - 1; at >= searched && !endsAddress(text, at); at--)
      if (text[at] === QUESTION_MARK) query = at;
    searched = signature + SIGNATURE.length;
    if (query < 0) continue;
    while (searched < text.length && !endsAddress(text, searched)) searched++;
    digest.update(text.subarray(hashed, query));
    hashed = searched;
  }
  return digest
    .update(text.subarray(hashed))
    .digest('hex')
    .slice(0, 2 * HASH_BYTES);
}

/** Code points of white space beyond ASCII, as regular expressions define it. */
const WIDE_SPACE: ReadonlySet<number> = new Set([
  0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029,
  0x202f, 0x205f, 0x3000, 0xfeff,
]);

/** Whether the character of which a byte is part ends an address: a quote, a backslash or white space. */
function endsAddress(text: Buffer, at: number): boolean {
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
