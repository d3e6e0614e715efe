import { AppError } from '@freshet/contracts';
import type { ListedRecord } from '../client.ts';
import { keyTexts } from '../pages.ts';
import type { ObjectReader } from '../reader.ts';

/** Freshdesk's times are whole seconds in UTC; positions hold them as RFC 3339. */
export const BEGINNING = '1970-01-01T00:00:00Z';
export const DAY_MS = 86_400_000;

export const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);
export const wholeSeconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');
export const secondsAfter = (time: string, by: number): string => wholeSeconds(new Date((seconds(time) + by) * 1000));
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
