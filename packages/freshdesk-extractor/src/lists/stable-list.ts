import type { ListedRecord, ListPage } from '../http/response-parser.ts';
import type { ObjectReader } from '../reader/object-reader.ts';
import { addToSum, EMPTY_SUM, type IdSum, isEqualSum } from './id-sum.ts';
import { type LoopState, trackPage } from './loop-detection.ts';
import {
  comparePage,
  getNextWindow,
  getStartOffset,
  INITIAL_OVERLAP,
  type PageComparison,
  type PageOverlap,
  type PageWindow,
} from './page-overlap.ts';
import { parseTime } from './timestamps.ts';

/**
 * The state of a read of a list by page number, during which the list may change. The read consists
 * of one or more passes over the list.
 *
 * Freshdesk paginates by offset. When a record on a page that was already read is deleted, or is
 * renamed and moves to an unread page, all records after its old offset move one offset toward the
 * start. The first unread record then moves onto a page that was already read. The timestamp of
 * this record does not change, so a changed-since filter does not return it later. A pass over
 * several pages therefore needs a proof that it missed no record.
 *
 * The state needs little memory: the number of records, the sum of the hashes of their keys, and
 * the fingerprints of the last records of one page.
 */
export interface StableListState {
  /** The number of this pass within the read, from 1. */
  readonly reading: number;
  /** The number of the next page. */
  readonly page: number;
  readonly sum: IdSum;
  /**
   * The keys that an earlier pass found, in this read or in the last read that was proven complete;
   * null: none. This pass is proven complete if it finds the same keys.
   */
  readonly previousSum: IdSum | null;
  /** The server time of the first page of this pass, in RFC 3339; null: no page has been read. */
  readonly beganAt: string | null;
  /**
   * The server time of the first page of the first pass. Records that were created later are left
   * out of `sum`, because the passes over a busy list would never find the same keys.
   */
  readonly firstBeganAt: string | null;
  /** This pass found a record that is so large that its key is unknown. */
  readonly hasUnknownKey?: true;
  /** The pages of this pass, for loop detection; absent: no page has announced a next page. */
  readonly loopState?: LoopState;
  /** The overlap of the pages of this pass; absent: the pages do not overlap. */
  readonly overlap?: PageOverlap;
}

/**
 * The proof that a pass over several pages missed no record. For every kind, two passes that find
 * the same keys are also a proof.
 *
 * - `chain`: each page after the first shares an unchanged record with an earlier page. Unchanged
 *   records keep their order, so every unchanged record that followed the shared record still
 *   follows it. The later page starts at or before the shared record, so no unchanged record was
 *   skipped. This proof is used for lists whose filter later returns the changed records.
 * - `still`: each page after the first begins with the records of the overlap, in the same order,
 *   and repeats none of the last records that preceded the overlap on the previous page, so nothing
 *   has moved. This proof is used for lists whose filter does not return changed records, and for
 *   lists where absent records count as deleted.
 * - `readings`: only two passes that find the same keys are a proof. This kind is used for lists
 *   that are not paginated by page number.
 * - `parts`: each page is a complete response, so no record moves from one page to another.
 */
export type CompletenessProof = 'chain' | 'still' | 'readings' | 'parts';

export interface StableListStep {
  /** The records of the page, except unchanged records of the overlap. */
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  readonly state: StableListState;
  /**
   * `next`: a further page or a further pass follows. `agreed`: the read is complete, because its
   * last pass is proven complete. `unsettled`: the read ended, but no pass was proven complete.
   */
  readonly outcome: 'next' | 'agreed' | 'unsettled';
  /** The next page has already been requested. */
  readonly hasPendingRequest: boolean;
}

/** @param page the page number, from 1. */
export type FetchPage = (page: number, size: number) => Promise<ListPage>;

/** The maximum number of passes in one read. Each pass costs as much as the first pass. */
const READINGS_MAX = 3;

/** @param previousSum the keys that an earlier pass found; null: there is none. */
export function createListState(previousSum: IdSum | null, proof: CompletenessProof): StableListState {
  const state: StableListState = {
    reading: 1,
    page: 1,
    sum: EMPTY_SUM,
    previousSum,
    beganAt: null,
    firstBeganAt: null,
  };
  return usesOverlap(proof) ? { ...state, overlap: INITIAL_OVERLAP } : state;
}

/**
 * Reads the list page by page. The read ends after the first pass that is proven complete or that
 * finds a record with an unknown key, and at the latest after {@link READINGS_MAX} passes.
 * @param from the state after the last stored page, or a new state.
 * @throws AppError `source_contract` if the list does not end. Before the error is thrown, a new
 * state is yielded, so that the next extraction starts from the first page.
 */
export async function* readStableList(
  reader: ObjectReader,
  fetchPage: FetchPage,
  from: StableListState,
  proof: CompletenessProof,
): AsyncGenerator<StableListStep> {
  const { pageSize } = reader.object;
  const request = (s: StableListState) => {
    const { page, size } = getWindow(s, pageSize);
    return fetchPage(page, size);
  };
  // A state whose page does not match its overlap cannot be continued.
  const isInconsistent = from.overlap !== undefined && from.page !== getWindow(from, pageSize).page;
  let state = isInconsistent ? createListState(from.previousSum, proof) : from;
  let pending: Promise<ListPage> | null = null;
  for (;;) {
    const response: ListPage = await (pending ?? request(state));
    pending = null;
    const { serverTime } = response;
    const reading = processPage(reader, state, response, proof);
    const { freshRecords, current, isComplete } = reading;
    if (!isComplete) {
      try {
        state = advance(reader, state, reading, proof);
      } catch (error) {
        const reset = createListState(null, proof);
        yield { records: [], serverTime, state: reset, outcome: 'next', hasPendingRequest: true };
        throw error;
      }
      if (reader.canReadAhead()) {
        pending = request(state);
        // The next iteration awaits the promise and handles a rejection. This handler prevents an
        // unhandled rejection if the consumer stops before that iteration.
        pending.catch(() => {});
      }
      yield { records: freshRecords, serverTime, state, outcome: 'next', hasPendingRequest: pending !== null };
      continue;
    }
    const hasUnknownKey = current.hasUnknownKey === true;
    const isProven = !hasUnknownKey && isReadingProven(reading, state, proof);
    if (isProven || hasUnknownKey || state.reading >= READINGS_MAX) {
      const outcome = isProven ? 'agreed' : 'unsettled';
      yield { records: freshRecords, serverTime, state: current, outcome, hasPendingRequest: false };
      return;
    }
    const nextProof = reading.overlap === null ? 'readings' : proof;
    state = {
      ...createListState(current.sum, nextProof),
      reading: state.reading + 1,
      firstBeganAt: current.firstBeganAt,
    };
    yield { records: freshRecords, serverTime, state, outcome: 'next', hasPendingRequest: false };
  }
}

function getWindow({ overlap, page }: StableListState, pageSize: number): PageWindow {
  return overlap ? getNextWindow(overlap.end, pageSize) : { page, size: pageSize };
}

/** A processed page, and the state of the current pass after this page. */
interface PageResult extends PageComparison {
  readonly response: ListPage;
  readonly window: PageWindow;
  readonly current: StableListState;
  /** The pass must start again at the first page, without overlap. */
  readonly mustRestart: boolean;
  /** The pass ends with this page. */
  readonly isComplete: boolean;
}

function processPage(
  { object: { primaryKey, pageSize } }: ObjectReader,
  state: StableListState,
  response: ListPage,
  proof: CompletenessProof,
): PageResult {
  const { records, hasNext, serverTime } = response;
  const window = getWindow(state, pageSize);
  const { overlap: overlapBefore, ...rest } = state;
  // A list that ends on its first page has no page to compare with. Most lists of children are such
  // lists, and fingerprints of their records would cost as much as their requests.
  const isOnlyPage = !hasNext && getStartOffset(window) === 0 && overlapBefore?.tail.length === 0;
  const comparison =
    overlapBefore && usesOverlap(proof) && !isOnlyPage
      ? comparePage(overlapBefore, window, response, { sizeMax: pageSize, primaryKey, proof })
      : { overlap: null, freshRecords: records, unseenRecords: records, mustStepBack: false };
  const { overlap, unseenRecords, mustStepBack } = comparison;
  const beganAt = state.beganAt ?? serverTime.toISOString();
  const firstBeganAt = state.firstBeganAt ?? beganAt;
  const hasUnknownKey =
    state.hasUnknownKey === true ||
    records.some((r) => r.rejected !== undefined && !r.raw.has(primaryKey[0] as string));
  const sumBefore = getStartOffset(window) === 0 ? EMPTY_SUM : state.sum;
  const current: StableListState = {
    ...rest,
    page: window.page,
    sum: addToSum(sumBefore, getCreatedBefore(unseenRecords, firstBeganAt), primaryKey),
    beganAt,
    firstBeganAt,
    ...(hasUnknownKey ? { hasUnknownKey: true } : {}),
    ...(overlap ? { overlap } : {}),
  };
  const mustRestart = overlapBefore !== undefined && overlap === null && getStartOffset(window) > 0;
  const isComplete = !hasNext && !mustStepBack && !mustRestart;
  return { ...comparison, response, window, current, mustRestart, isComplete };
}

/**
 * Returns the state for the next page.
 * @throws AppError `source_contract` if the list does not end.
 */
function advance(
  { object }: ObjectReader,
  state: StableListState,
  { response: { records, hasNext }, window, current, overlap, mustStepBack, mustRestart }: PageResult,
  proof: CompletenessProof,
): StableListState {
  let { loopState } = state;
  // Pages that are requested again for an overlap are not tracked, because `STEPS_BACK_MAX` limits
  // their number. Tracking starts again at the first page.
  const isRepeated =
    mustStepBack || (state.overlap !== undefined && overlap !== null && overlap.end <= state.overlap.furthestEnd);
  if (hasNext && !isRepeated && proof !== 'parts')
    loopState = trackPage(getStartOffset(window) === 0 ? null : loopState, records, object, { page: window.page });
  const { loopState: _, ...withoutLoopState } = current;
  if (mustRestart) return { ...withoutLoopState, page: 1 };
  const page = overlap ? getNextWindow(overlap.end, object.pageSize).page : window.page + 1;
  return loopState ? { ...current, page, loopState } : { ...withoutLoopState, page };
}

function isReadingProven(
  { window, overlap, current }: PageResult,
  { previousSum }: StableListState,
  proof: CompletenessProof,
): boolean {
  return (
    getStartOffset(window) === 0 ||
    proof === 'parts' ||
    overlap?.isProven === true ||
    (previousSum !== null && isEqualSum(current.sum, previousSum))
  );
}

function usesOverlap(proof: CompletenessProof): proof is 'chain' | 'still' {
  return proof === 'chain' || proof === 'still';
}

/** Returns the records that were not created after the given time. */
function getCreatedBefore(records: readonly ListedRecord[], time: string): readonly ListedRecord[] {
  const limit = Date.parse(time);
  return records.filter((record) => !(parseTime(record, 'created_at') >= limit));
}
