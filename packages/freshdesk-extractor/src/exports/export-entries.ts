import { hash } from 'node:crypto';
import {
  FieldIndex,
  INTS_PER_FIELD,
  isCalendarDay,
  isFieldNamed,
  isRawNumber,
  type Json,
  type JsonObject,
  RawObject,
} from '@freshet/contracts';
import type { DailyExportStrategy } from '../catalogue/strategies.ts';
import { formatSeconds } from '../lists/timestamps.ts';
import { HashCounter } from './hash-counter.ts';

/** The hexadecimal digits of the hash in the key of an entry. */
const KEY_DIGITS = 32;
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
  /** The offsets of the fields of one entry. */
  readonly #index = new FieldIndex(0);

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
    const entry = RawObject.parse(bytes, 0, bytes.length, this.#index.clear());
    const { timeField, dayColumn, positionColumn, lookupColumn, identityFields } = this.#strategy;
    const time = entry.get(timeField);
    const performedAt = (typeof time === 'string' ? parseDayFirst(time) : null) ?? time ?? null;
    const digest = toDigest([this.#day, performedAt, ...identityFields.map((field) => entry.get(field) ?? null)]);
    const moment = toDigest([performedAt, entry.get(lookupColumn) ?? null]);
    const added = {
      [this.#keyField]: `${digest.slice(0, KEY_DIGITS)}-${this.#counter.count(digest)}`,
      [dayColumn]: this.#day,
      [timeField]: performedAt,
      [positionColumn]: this.#positions.count(moment),
    };
    return appendFields(JSON.stringify(added).slice(0, -1), entry, Object.keys(added));
  }
}

function toDigest(values: readonly Json[]): string {
  return hash('sha256', toCanonicalJson(values as Json), 'hex');
}

const [COMMA, CLOSE_BRACE] = [44, 125] as const;

/**
 * Returns the JSON object that starts with `head`, followed by the unchanged bytes of the fields of
 * an entry, except the fields with the given names.
 */
function appendFields(
  head: string,
  { source, fields, fieldsStart, fieldsEnd }: RawObject,
  omitted: readonly string[],
): Buffer {
  const ranges: number[] = [];
  let length = Buffer.byteLength(head) + 1;
  for (let field = fieldsStart; field < fieldsEnd; field += INTS_PER_FIELD) {
    if (omitted.some((name) => isFieldNamed(source, fields, field, name))) continue;
    // The name starts after its quote.
    const start = (fields[field] as number) - 1;
    const end = fields[field + 3] as number;
    ranges.push(start, end);
    length += end - start + 1;
  }
  const record = Buffer.allocUnsafe(length);
  let at = record.write(head);
  for (let range = 0; range < ranges.length; range += 2) {
    record[at++] = COMMA;
    at += source.copy(record, at, ranges[range], ranges[range + 1]);
  }
  record[at] = CLOSE_BRACE;
  return record;
}

/** Serializes a value with sorted keys, so that equal values have equal texts. */
export function toCanonicalJson(value: Json | undefined): string {
  if (hasSortedKeys(value)) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join(',')}]`;
  const members = Object.entries(value as JsonObject)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${toCanonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** Whether the keys of all objects in a value are sorted already. */
function hasSortedKeys(value: Json | undefined): boolean {
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return true;
  if (Array.isArray(value)) return value.every(hasSortedKeys);
  let previous = '';
  for (const key in value) {
    if (key < previous || !hasSortedKeys(value[key])) return false;
    previous = key;
  }
  return true;
}
