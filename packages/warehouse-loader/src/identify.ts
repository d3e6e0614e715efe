import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { type Column, DEEP, EXPONENT, type Json, type JsonObject, ODD_ESCAPE, type Places, parseJson, RawObject, type Table } from '@freshet/contracts';
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
  try {
    if (isUtf8(line)) raw = RawObject.of(line, start, end, places);
    else {
      notes = { encoding_replaced: [''] };
      raw = RawObject.of(Buffer.from(line.toString('utf8', start, end)));
    }
    if ((raw.flags & UNCLEAN) !== 0) {
      const cleaned = clean(parseJson(raw.bytes.toString('utf8')) as JsonObject);
      raw = RawObject.of(Buffer.from(JSON.stringify(cleaned.record)));
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
  return { raw, deleted, key, version: versionOf(raw.get(table.version ?? '')), hash: hashOf(line), notes };
}

function versionOf(value: Json | undefined): number {
  // Decided as the column decides: `Date.parse` takes days that do not exist.
  const time = typeof value === 'string' && toSqlText(value, 'timestamptz') !== MISFIT ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

export const HASH_BYTES = 16;
const SIGNATURE = Buffer.from('Signature=');
/** Signatures of signed addresses differ from answer to answer; all else is what the record is. */
const SIGNED_QUERY = /\?[^"\\\s]*(?:Signature|X-Amz-Signature)=[^"\\\s]*/g;

function hashOf(line: Buffer): string {
  const stable = line.includes(SIGNATURE) ? line.toString('utf8').replace(SIGNED_QUERY, '') : line;
  return hash('sha256', stable, 'hex').slice(0, 2 * HASH_BYTES);
}
