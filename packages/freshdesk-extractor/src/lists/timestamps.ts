import { AppError } from '@freshet/contracts';
import type { ListedRecord } from '../http/response-parser.ts';
import type { ObjectReader } from '../reader/object-reader.ts';
import { getKeyValues } from '../reader/page.ts';

/** Freshdesk's times are whole seconds in UTC. Positions store times in RFC 3339. */
export const UNIX_EPOCH = '1970-01-01T00:00:00Z';
export const DAY_MS = 86_400_000;

/** Converts an RFC 3339 time to Unix seconds, rounded down. */
export const toUnixSeconds = (time: string): number => Math.floor(Date.parse(time) / 1000);
/** Formats a time in RFC 3339 without fractions of a second. */
export const formatSeconds = (time: Date): string => `${time.toISOString().slice(0, -'.000Z'.length)}Z`;
export const addSeconds = (time: string, seconds: number): string =>
  formatSeconds(new Date((toUnixSeconds(time) + seconds) * 1000));
/** Returns the earlier of two times. An unknown time is ignored. */
export const getEarlier = (a: string, b: string | undefined): string =>
  b !== undefined && Date.parse(b) < Date.parse(a) ? b : a;
/** Returns the later of two times. An unknown time is ignored. */
export const getLater = (a: string | null, b: string): string => (a !== null && Date.parse(a) > Date.parse(b) ? a : b);

/**
 * Returns a time of a record in Unix seconds.
 * @throws AppError `source_contract` if the record has no such time. The list then cannot be read
 * in the order of this time.
 */
export function getRecordTime({ object }: ObjectReader, record: ListedRecord, column: string): number {
  const time = parseTime(record, column);
  if (!Number.isNaN(time)) return Math.floor(time / 1000);
  throw new AppError(
    'source_contract',
    `${object.name}: a record has no valid ${column}, which the extraction of this list requires.`,
    { context: { key: getKeyValues(record, object.primaryKey) } },
  );
}

/**
 * Returns the latest time in a column of these records and of all records that were read before.
 * These records do not prove that the account has reached any later time than this one.
 * @param known the latest time in the column of the records that were read before.
 * @returns RFC 3339; undefined if no record has a time.
 */
export function getNewestVersion(
  known: string | undefined,
  records: readonly ListedRecord[],
  column: string,
): string | undefined {
  let newest = known === undefined ? Number.NEGATIVE_INFINITY : Date.parse(known);
  for (const record of records) {
    const time = parseTime(record, column);
    if (time > newest) newest = time;
  }
  return Number.isFinite(newest) ? formatSeconds(new Date(newest)) : undefined;
}

/** Returns a time of a record in milliseconds since 1970; NaN if the record has no such time. */
export function parseTime({ raw }: ListedRecord, column: string): number {
  const plainTime = raw.getPlainTime(column);
  if (!Number.isNaN(plainTime)) return plainTime;
  const value = raw.get(column);
  return typeof value === 'string' ? Date.parse(value) : Number.NaN;
}

/**
 * Returns the start of the next read, which is the earlier of the watermark and the second after
 * `newest`. Records that change later have later times. The earlier start limits the changes that a
 * wrong clock can skip, and costs nothing in an account without changes.
 * @param newest the latest time that has been read.
 */
export function getReadStart(watermark: string, newest: string | undefined): string {
  return getEarlier(watermark, newest === undefined ? undefined : addSeconds(newest, 1));
}
