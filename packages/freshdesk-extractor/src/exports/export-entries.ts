import { hash } from 'node:crypto';
import {
  getFieldName,
  INTS_PER_FIELD,
  isCalendarDay,
  isJsonObject,
  isRawNumber,
  type Json,
  RawObject,
} from '@freshet/contracts';
import type { DailyExportStrategy } from '../catalogue/strategies.ts';
import { formatSeconds } from '../lists/timestamps.ts';
import { HashCounter } from './hash-counter.ts';

/** The bytes of the hash in the key of an entry. */
const KEY_BYTES = 16;
const DAY_FIRST = /^(\d{1,2})-(\d{1,2})-(\d{4}) (\d{2}:\d{2}:\d{2}) ([+-]\d{2}):?(\d{2})$/;

/**
 * Converts a time in the format of the export, `31-12-2026 23:59:59 +0000`, to RFC 3339 in UTC.
 * @returns null if the text has a different format, or if it is not a valid time.
 */
export function parseDayFirst(text: string): string | null {
  const match = DAY_FIRST.exec(text);
  if (!match) return null;
  const [, day = '', month = '', year = '', time = '', hours = '', minutes = ''] = match;
  const [h, m, second] = time.split(':').map(Number) as [number, number, number];
  if (!isCalendarDay(Number(year), Number(month), Number(day)) || h > 23 || m > 59 || second > 59) return null;
  const local = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}T${time}`;
  if (hours.slice(1) === '00' && minutes === '00') return `${local}Z`;
  const instant = Date.parse(`${local}${hours}:${minutes}`);
  return Number.isNaN(instant) ? null : formatSeconds(new Date(instant));
}

/**
 * Builds the records of one day's file. The bytes of an entry are unchanged, except that its time
 * is converted to RFC 3339, and that the key, the day and the position are added.
 *
 * Entries have no id, so the key is a hash of the day and of the fields that identify the entry,
 * and a number that counts equal entries of the day. If the file is read again, its entries have
 * the same keys.
 *
 * The position counts the entries with the same time and the same value of `lookupColumn`, in the
 * order of the file. Entries of other tickets do not affect it, so it stays the same if the file is
 * read again after it has grown.
 */
export class EntryRecords {
  readonly #strategy: DailyExportStrategy;
  readonly #keyField: string;
  readonly #day: string;
  readonly #counter = new HashCounter();
  readonly #positions = new HashCounter();

  /** @param keyField the primary key. @param day such as `2026-12-31`. */
  constructor(strategy: DailyExportStrategy, keyField: string, day: string) {
    this.#strategy = strategy;
    this.#keyField = keyField;
    this.#day = day;
  }

  /**
   * Builds the record of an entry.
   * @throws SyntaxError if the bytes are not JSON, TypeError if they are not a JSON object.
   */
  build(bytes: Buffer): Buffer {
    const entry = RawObject.parse(bytes);
    const { timeField, dayColumn, positionColumn, lookupColumn, identityFields } = this.#strategy;
    const time = entry.get(timeField);
    const performedAt = (typeof time === 'string' ? parseDayFirst(time) : null) ?? time ?? null;
    const identity = [this.#day, performedAt, ...identityFields.map((field) => entry.get(field) ?? null)];
    const digest = toDigest(identity);
    const moment = toDigest([performedAt, entry.get(lookupColumn) ?? null]);
    const added = {
      [this.#keyField]: `${digest.toString('hex')}-${this.#counter.count(digest)}`,
      [dayColumn]: this.#day,
      [timeField]: performedAt,
      [positionColumn]: this.#positions.count(moment),
    };
    const head = Buffer.from(JSON.stringify(added).slice(0, -1));
    return Buffer.concat([head, ...listOtherFields(entry, added), CLOSE]);
  }
}

function toDigest(values: readonly (Json | undefined)[]): Buffer {
  return Buffer.from(hash('sha256', toCanonicalJson(values as Json), 'hex'), 'hex').subarray(0, KEY_BYTES);
}

const CLOSE = Buffer.from('}');
const COMMA = Buffer.from(',');

/** Returns the bytes of the fields that are not in `added`, each after a comma. */
function listOtherFields({ source, fields, fieldsStart, fieldsEnd }: RawObject, added: object): Buffer[] {
  const parts: Buffer[] = [];
  for (let field = fieldsStart; field < fieldsEnd; field += INTS_PER_FIELD) {
    if (Object.hasOwn(added, getFieldName(source, fields, field))) continue;
    // The name starts after its quote.
    parts.push(COMMA, source.subarray((fields[field] as number) - 1, fields[field + 3]));
  }
  return parts;
}

/** Serializes a value with sorted keys, so that equal values have equal texts. */
export function toCanonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join(',')}]`;
  if (value === undefined || isRawNumber(value) || !isJsonObject(value)) return JSON.stringify(value ?? null);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${toCanonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}
