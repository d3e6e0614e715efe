import { AppError, encodeRecordLine, isJsonObject, type Json, type LineChunks, RawObject } from '@freshet/contracts';
import type { DailyExportStrategy } from '../catalogue/strategies.ts';
import type { ObjectReader } from '../reader/object-reader.ts';
import { EntrySplitter } from './entry-splitter.ts';
import { EntryRecords, parseDayFirst } from './export-entries.ts';

/** The lines of a page are stored when they reach this size. */
const PAGE_BYTES = 256 * 1024;
const DAY_MS = 86_400_000;
/** The difference between UTC and the time zones with the latest and the earliest midnight. */
const LATEST_MIDNIGHT_MS = 12 * 3_600_000;
const EARLIEST_MIDNIGHT_MS = -14 * 3_600_000;

/** The time range that a complete file covers, in RFC 3339. The end is exclusive. */
export interface FileWindow {
  readonly from: string;
  readonly to: string;
}

/** A part of a file: lines of records or, after the last entry, the window of the file. */
export type FileStep =
  | { readonly lines: readonly LineChunks[] }
  | { readonly window: FileWindow; readonly entries: number };

/**
 * Downloads the file of one day, and yields its entries as lines of records while the file arrives.
 * The last step has the window of the file. Without this step, the file is not complete.
 * @throws AppError `source_unavailable` if the file is not JSON or not complete; `source_contract`
 * if it has a different format, or not the number of entries that it states.
 */
export async function* readExportFile(
  reader: ObjectReader,
  strategy: DailyExportStrategy,
  day: string,
  url: string,
): AsyncGenerator<FileStep> {
  const { name, primaryKey } = reader.object;
  const label = `${name}: the file of ${day}`;
  const records = new EntryRecords(strategy, primaryKey[0] as string, day);
  let lines: LineChunks[] = [];
  let bytes = 0;
  let entries = 0;
  const splitter = new EntrySplitter(strategy.entriesField, (entry) => {
    const record = records.build(entry);
    lines.push(encodeRecordLine(record, null));
    bytes += record.length;
    entries++;
  });
  for await (const chunk of reader.download(url)) {
    rethrowFormatError(label, () => splitter.write(chunk));
    if (bytes < PAGE_BYTES) continue;
    yield { lines };
    lines = [];
    bytes = 0;
  }
  const envelope = rethrowFormatError(label, () => RawObject.parse(splitter.finish()));
  if (lines.length > 0) yield { lines };
  yield { window: checkEnvelope(envelope, { strategy, day, label, entries }), entries };
}

interface FileFacts {
  readonly strategy: DailyExportStrategy;
  readonly day: string;
  readonly label: string;
  readonly entries: number;
}

/** Checks the number of entries and the day of a file. */
function checkEnvelope(envelope: RawObject, { strategy, day, label, entries }: FileFacts): FileWindow {
  const metadata = envelope.get('metadata');
  const count = isJsonObject(metadata) ? metadata[strategy.countField] : undefined;
  if (!envelope.has(strategy.entriesField) || !isJsonObject(metadata) || typeof count !== 'number')
    throw new AppError('source_contract', `${label} has no ${strategy.entriesField} or no ${strategy.countField}.`);
  if (count !== entries) {
    throw new AppError(
      'source_contract',
      `${label} has ${entries} entries, but states ${count}. The day is incomplete until a complete file is read.`,
    );
  }
  return getWindow(metadata['start_at'], metadata['end_at'], day, label);
}

/**
 * Returns the window of a file. If the file states none, the result is the range that the day
 * covers in every time zone.
 */
function getWindow(startAt: Json | undefined, endAt: Json | undefined, day: string, label: string): FileWindow {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const from = typeof startAt === 'string' ? parseDayFirst(startAt) : null;
  const end = typeof endAt === 'string' ? parseDayFirst(endAt) : null;
  if (from === null || end === null) {
    return {
      from: new Date(midnight + LATEST_MIDNIGHT_MS).toISOString(),
      to: new Date(midnight + DAY_MS + EARLIEST_MIDNIGHT_MS).toISOString(),
    };
  }
  if (Math.abs(Date.parse(from) - midnight) > DAY_MS || Date.parse(end) <= Date.parse(from))
    throw new AppError('source_contract', `${label} covers a different day: ${from} to ${end}.`);
  // The end is the last second of the day.
  return { from, to: new Date(Date.parse(end) + 1000).toISOString() };
}

/** Invalid JSON is transient: the file may still be written, or the transfer was cut off. */
function rethrowFormatError<T>(label: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw new AppError('source_unavailable', `${label} is not complete JSON: ${cause.message}`, { cause });
    if (cause instanceof TypeError) throw new AppError('source_contract', `${label} is not a JSON object.`, { cause });
    throw cause;
  }
}

/**
 * Finds the URL of a day's file in the response of the API, which has one of two shapes:
 * `{"export": {"url": "…"}}` or `{"export": [{"created_at": "31-12-2026", "url": "…"}]}`.
 * @returns null if the response contains no file of this day.
 * @throws AppError `source_contract` for a different shape. The message contains no URL.
 */
export function findFileUrl(response: RawObject, day: string, name: string): string | null {
  const value = response.get('export');
  const createError = () =>
    new AppError('source_contract', `${name}: the response for ${day} has an unknown format, instead of a file's URL.`);
  if (isJsonObject(value)) {
    if (Object.keys(value).length === 0) return null;
    if (typeof value['url'] === 'string') return value['url'];
    throw createError();
  }
  if (value === undefined && response.fieldsStart === response.fieldsEnd) return null;
  if (!Array.isArray(value)) throw createError();
  for (const file of value) {
    if (!isJsonObject(file) || typeof file['url'] !== 'string') throw createError();
    if (isSameDay(file['created_at'], day)) return file['url'];
  }
  return null;
}

/** Whether a date such as `1-1-2026` is the given day. A missing date fits every day. */
function isSameDay(date: Json | undefined, day: string): boolean {
  if (typeof date !== 'string') return true;
  const [year, month, dayOfMonth] = day.split('-').map(Number);
  const match = /^(\d{1,2})-(\d{1,2})-(\d{4})/.exec(date);
  if (!match) return date.startsWith(day);
  return Number(match[1]) === dayOfMonth && Number(match[2]) === month && Number(match[3]) === year;
}
