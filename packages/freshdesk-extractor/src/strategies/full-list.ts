import { AppError, encodeBatchLine, hasShrunk } from '@freshet/contracts';
import type { FullListStrategy, ListView } from '../catalogue/strategies.ts';
import type { IdSum } from '../lists/id-sum.ts';
import {
  type CompletenessProof,
  createListState,
  type FetchPage,
  readStableList,
  type StableListState,
} from '../lists/stable-list.ts';
import type { ObjectReader } from '../reader/object-reader.ts';
import type { Page, Position, ReadOptions } from '../reader/page.ts';
import { createRecordPage } from '../reader/record-page.ts';

export interface FullListPosition extends Position {
  /** The keys that the last complete pass found; null: no pass has been proven complete. */
  readonly last: IdSum | null;
  /** The read in progress; null: none. */
  readonly reading: StableListState | null;
}

/**
 * Reads the complete list on every run, because the list has no usable filter. The records of a
 * pass that is proven complete form a generation: records that this pass did not return no longer
 * exist.
 * @param strategy null for an object with the changed-since strategy if the account does not
 * support its filter.
 * @throws AppError `source_shrunk` if the list shrank so much that an outage is more likely than
 * deletions.
 */
export async function* readFullList(
  reader: ObjectReader,
  strategy: FullListStrategy | null,
  from: FullListPosition | null,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const view = reader.object.views[0] as ListView;
  const last = from?.last ?? null;
  const proof = chooseProof(reader, strategy);
  let listState: StableListState = from?.reading ?? createListState(last, proof);
  for await (const step of readStableList(reader, createFetchPage(reader, strategy, view), listState, proof)) {
    const { records, serverTime: extractedAt, outcome, state, hasPendingRequest } = step;
    const generation = `${options.readingId}/${listState.reading}`;
    listState = state;
    const isProven = outcome === 'agreed';
    const position: FullListPosition =
      outcome === 'next' ? { last, reading: state } : { last: isProven ? state.sum : last, reading: null };
    if (outcome !== 'next' && last !== null) assertNotShrunk(reader.object.name, last, state.sum);
    const page = createRecordPage(reader, options, {
      view,
      records,
      position,
      extractedAt,
      generation,
      hasPendingRequest,
    });
    if (outcome === 'next') {
      yield page;
      continue;
    }
    const beganAt = new Date(state.beganAt ?? extractedAt);
    // Records that are absent from a pass may have moved if the pass is not proven complete. Such
    // records do not count as deleted.
    const generationLine = encodeBatchLine({ generation: { id: generation, began_at: beganAt.toISOString() } });
    yield {
      ...page,
      lines: isProven ? [...page.lines, generationLine] : page.lines,
      coverage: { completeAsOf: reader.capCoverage(beganAt), completeBackTo: new Date(0) },
      isLast: true,
    };
  }
}

function chooseProof({ object }: ObjectReader, strategy: FullListStrategy | null): CompletenessProof {
  if (strategy?.paths !== undefined) return 'parts';
  return object.parseRecords === null ? 'still' : 'readings';
}

/** The parts of a list are treated as its pages. */
function createFetchPage(reader: ObjectReader, strategy: FullListStrategy | null, view: ListView): FetchPage {
  const paths = strategy?.paths;
  if (paths === undefined) return (page, size) => reader.list(view.query, page, { size });
  return async (page) => ({
    ...(await reader.list(view.query, 1, { path: paths[page - 1] })),
    hasNext: page < paths.length,
  });
}

function assertNotShrunk(name: string, listState: IdSum, now: IdSum): void {
  if (!hasShrunk(listState.count, now.count)) return;
  throw new AppError(
    'source_shrunk',
    `The list of ${name} shrank from ${listState.count} to ${now.count} records. No record was marked as deleted, because ` +
      'an API key with fewer permissions or an outage has the same effect. If the records were deleted, restart the ' +
      'object to accept the shorter list.',
  );
}
