import { AppError } from '@freshet/contracts';
import type { ListedRecord } from '../http/client.ts';
import type { ObjectReader } from '../object-reader.ts';
import { keyTexts } from '../page.ts';

/** Freshdesk's times are whole seconds in UTC; positions hold them as RFC 3339. */
export const BEGINNING = '1970-01-01T00:00:00Z';
export const DAY_MS = 86_400_000;

export const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);
export const wholeSeconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');
export const secondsAfter = (time: string, by: number): string => wholeSeconds(new Date((seconds(time) + by) * 1000));
/** Of two moments, either of which may be unknown, the earlier. */
export const earlierOf = (a: string, b: string | undefined): string =>
  b !== undefined && Date.parse(b) < Date.parse(a) ? b : a;
export const laterOf = (a: string | null, b: string): string => (a !== null && Date.parse(a) > Date.parse(b) ? a : b);

/**
 * A time of a record, in whole seconds.
 * @throws AppError `source_contract` when it has none: the list cannot be read by it.
 */
export function timeOf({ object }: ObjectReader, record: ListedRecord, column: string): number {
  const value = record.raw.get(column);
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(time)) return Math.floor(time / 1000);
  throw new AppError('source_contract', `A record of ${object.name} has no ${column}, by which the list is read.`, {
    context: { key: keyTexts(record, object.primaryKey) },
  });
}

/**
 * The newest version among records, and those that were seen before: no later moment is supported by what the account itself shows.
 * @returns RFC 3339; undefined when no record has a time.
 */
export function newestOf(
  known: string | undefined,
  records: readonly ListedRecord[],
  column: string,
): string | undefined {
  let newest = known === undefined ? Number.NEGATIVE_INFINITY : Date.parse(known);
  for (const { raw } of records) {
    const value = raw.get(column);
    const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    if (time > newest) newest = time;
  }
  return Number.isFinite(newest) ? wholeSeconds(new Date(newest)) : undefined;
}

/**
 * Where the next reading begins: at the watermark, but not beyond the second after the newest record seen. Records that change later
 * are newer than both. In an account where nothing changes, that costs nothing, and it bounds what wrong clocks can skip.
 */
export function readFrom(watermark: string, newest: string | undefined): string {
  return earlierOf(watermark, newest === undefined ? undefined : secondsAfter(newest, 1));
}
