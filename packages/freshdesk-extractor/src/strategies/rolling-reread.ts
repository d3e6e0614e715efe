import { AppError } from '@freshet/contracts';
import type { ChangedSinceStrategy } from '../catalogue/strategies.ts';
import type { ListedRecord } from '../http/response-parser.ts';
import { countWindows } from '../lists/page-overlap.ts';
import { createListState, readStableList, type StableListState } from '../lists/stable-list.ts';
import type { ObjectReader } from '../reader/object-reader.ts';

/**
 * A rolling reread of a complete list: each run reads some pages, and the next run continues. After
 * the last page, the reread starts again. The reread finds edits that the list's filter does not
 * return. Records that the reread does not find do not count as deleted, because a record may move
 * during the hours between two pages.
 *
 * Reading these pages is optional. The requests have the lowest priority, and a run succeeds even
 * if it has no credits for them.
 */
export interface RereadState {
  /** The id of the run that `pagesLeft` belongs to. */
  readonly runId: string;
  /** The number of pages that this run may still read. */
  readonly pagesLeft: number;
  /** The number of records in the last complete read of the list; null: unknown. */
  readonly records: number | null;
  /** The read in progress; null: the reread starts again at the first page. */
  readonly list: StableListState | null;
}

/** The minimum pages per run, so that the reread of a short list takes few runs. */
const PAGES_MIN = 2;
const PAGES_MAX = 20;

function getPagesPerRun(records: number | null, rereadSyncs: number, pageSize: number): number {
  if (records === null) return PAGES_MAX;
  const windows = countWindows(records, pageSize);
  return Math.min(windows, PAGES_MAX, Math.max(PAGES_MIN, Math.ceil(windows / rereadSyncs)));
}

/** Returns the number of pages that the next run rereads. */
export function countRereadPages(
  { rereadSyncs }: ChangedSinceStrategy,
  state: RereadState | undefined,
  pageSize: number,
): number {
  if (rereadSyncs === undefined) return 0;
  const records = state?.records ?? null;
  const pages = getPagesPerRun(records, rereadSyncs, pageSize);
  const done = state?.list?.overlap ? countWindows(state.list.overlap.end, pageSize) : 0;
  return records === null ? pages : Math.max(1, Math.min(pages, countWindows(records, pageSize) - done));
}

/**
 * Returns the state with which a run starts its part of the reread. The state is unchanged if the
 * run has already started this part.
 */
export function startReread(
  state: RereadState | undefined,
  rereadSyncs: number,
  runId: string,
  pageSize: number,
): RereadState {
  if (state?.runId === runId) return state;
  const records = state?.records ?? null;
  return { runId, pagesLeft: getPagesPerRun(records, rereadSyncs, pageSize), records, list: state?.list ?? null };
}

interface RereadStep {
  readonly records: readonly ListedRecord[];
  readonly state: RereadState;
  readonly serverTime: Date;
}

/**
 * Rereads the remaining pages of the run. Stops without an error if the credits are exhausted.
 * @param query the filter of the complete list.
 */
export async function* rereadPages(
  reader: ObjectReader,
  query: Readonly<Record<string, string>>,
  from: RereadState,
): AsyncGenerator<RereadStep> {
  let state = from;
  if (state.pagesLeft === 0) return;
  // Pages are not prefetched. Freshdesk also charges credits for a prefetched page that the run
  // does not use because it has no pages left.
  const sequentialReader: ObjectReader = { ...reader, canReadAhead: () => false };
  const fetchPage = (page: number, size: number) => reader.list(query, page, { creditClass: 'audit', size });
  const list = state.list ?? createListState(null, 'chain');
  try {
    for await (const step of readStableList(sequentialReader, fetchPage, list, 'chain')) {
      state =
        step.outcome === 'next'
          ? { ...state, pagesLeft: state.pagesLeft - 1, list: step.state }
          : { ...state, pagesLeft: 0, records: step.state.sum.count, list: null };
      yield { records: step.records, state, serverTime: step.serverTime };
      if (state.pagesLeft === 0) return;
    }
  } catch (error) {
    // The next run continues the reread.
    if (!(error instanceof AppError) || error.code !== 'out_of_credits') throw error;
  }
}
