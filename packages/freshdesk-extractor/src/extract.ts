import { assertNever } from '@freshet/contracts';
import type { ObjectSpec } from './catalogue/define-object.ts';
import type { RecordSource } from './http/client.ts';
import { createObjectReader, type ObjectReader } from './reader/object-reader.ts';
import type { Page, Position, ReadOptions } from './reader/page.ts';
import { completeRecords, getStrategyPosition } from './records/details.ts';
import { protectRecords } from './records/protect-records.ts';
import { type ChangedSincePosition, readChangedSince } from './strategies/changed-since.ts';
import { readChildren } from './strategies/children.ts';
import { type DailyExportPosition, readDailyExport } from './strategies/daily-export.ts';
import { type FullListPosition, readFullList } from './strategies/full-list.ts';
import { type KeysetPosition, readKeyset } from './strategies/keyset.ts';
import { lookUpRecords } from './strategies/record-lookups.ts';

/**
 * Extracts one object of an account, page by page. The caller stores each page in one transaction.
 * After an interruption, a new extraction continues from the position of the last stored page,
 * without losing a record.
 *
 * @param position the position of the last stored page; null for a first sync.
 * @throws AppError `out_of_credits` if the credits are exhausted (continue later); a `source_*`
 * code if a request fails (see `FreshdeskClient.list`), or if a list does not behave as required.
 */
export function extract(
  source: RecordSource,
  object: ObjectSpec,
  position: Position | null,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const reader = createObjectReader(source, object, options.stopSignal);
  const pages =
    options.fetchDetail === true && object.detail !== null
      ? completeRecords(reader, position, (from) => readObject(reader, from, options))
      : readObject(reader, getStrategyPosition(position), options);
  return protectRecords(retryLookups(reader, position, options, pages), object, options);
}

/**
 * Retries the failed lookups of earlier extractions, then reads the object. A first sync has no
 * failed lookups.
 */
async function* retryLookups(
  reader: ObjectReader,
  position: Position | null,
  options: ReadOptions,
  pages: AsyncGenerator<Page>,
): AsyncGenerator<Page> {
  const { detail, strategy } = reader.object;
  if (position !== null && detail !== null && strategy.kind !== 'children')
    yield* lookUpRecords(reader, position, options);
  yield* pages;
}

function readObject(reader: ObjectReader, position: Position | null, options: ReadOptions): AsyncGenerator<Page> {
  const { strategy } = reader.object;
  switch (strategy.kind) {
    case 'keyset':
      return readKeyset(reader, strategy, position as KeysetPosition | null, options);
    case 'changed-since':
      return readChangedSince(reader, strategy, position as ChangedSincePosition | null, options);
    case 'full-list':
      return readFullList(reader, strategy, position as FullListPosition | null, options);
    case 'children':
      return readChildren(reader, strategy, options);
    case 'daily-export':
      return readDailyExport(reader, strategy, position as DailyExportPosition | null, options);
    default:
      return assertNever(strategy);
  }
}
