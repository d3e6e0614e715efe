import type { ListedRecord, ListPage } from '../http/client.ts';
import type { ObjectReader } from '../object-reader.ts';
import { add, EMPTY, type IdSum, same } from './id-sum.ts';
import { follow, type Trail } from './loop-detection.ts';
import { compare, NO_PAGE_READ, nextWindow, type Overlap, startOffset, type Window } from './page-overlap.ts';

/**
 * Reads a complete list by page number while the list changes.
 *
 * Freshdesk paginates by offset. When a record is deleted or renamed on a page that was already read, every later record
 * moves one offset forward, and one of them moves onto that page, unread. Its own timestamp does not change, so no later
 * changed-since reading returns it. A reading of several pages therefore needs a proof that no record was missed.
 *
 * Memory: the state holds the number of records, the sum of the hashes of their keys, and fingerprints of the last records
 * of one page.
 */
export interface WholeState {
  /** Number of this reading of the list, from 1. */
  readonly reading: number;
  /** Number of the next page. */
  readonly page: number;
  readonly sum: IdSum;
  /** An earlier reading: this one is proven if both found the same keys. */
  readonly previous: IdSum | null;
  /** RFC 3339: the server's clock at the first page of this reading. */
  readonly beganAt: string | null;
  /** … and of the first reading: records created later are not compared, or a busy list would never agree. */
  readonly firstBeganAt: string | null;
  /** A record of this reading was too large for its key to be known. */
  readonly blind?: true;
  /** The pages of this reading so far; absent: none has announced another. */
  readonly trail?: Trail;
  /** Absent: pages do not overlap, and only a second reading proves this one. */
  readonly overlap?: Overlap;
}

/**
 * What proves a reading of several pages. Two readings that agree on the keys prove it in any case.
 *
 * - `chain`: each page shares an unchanged record with a page before it. A record that was behind that record is still behind
 *   it, and the page starts at or before it, so every record that did not change meanwhile was read. Assumes that two
 *   unchanged records keep their order. For lists whose filter returns the changed records afterwards.
 * - `still`: each page begins with the last keys of the page before, in the same order, and with no other key of them. Nothing
 *   moved. For lists whose filter does not return changed records, and where records that are absent count as deleted.
 * - `readings`: two readings agree. For lists that are not paginated by page number.
 * - `parts`: each page is a complete response, so no record moves from one page to another.
 */
export type Proof = 'chain' | 'still' | 'readings' | 'parts';

export interface WholeStep {
  /** Without the records of the overlap that have not changed. */
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  readonly state: WholeState;
  /** `next`: more pages or another reading follow. `agreed`: the reading is proven. `unsettled`: no reading could be proven. */
  readonly outcome: 'next' | 'agreed' | 'unsettled';
  /** The next page has been requested. */
  readonly ahead: boolean;
}

/** Readings of a list that cannot be proven. Each costs as much as the first. */
const READINGS_MAX = 3;

export function startWhole(previous: IdSum | null, proof: Proof): WholeState {
  const start: WholeState = { reading: 1, page: 1, sum: EMPTY, previous, beganAt: null, firstBeganAt: null };
  return overlaps(proof) ? { ...start, overlap: NO_PAGE_READ } : start;
}

/** @param fetchPage returns one page of the list by its number, from 1, and its size. */
export async function* readWhole(
  reader: ObjectReader,
  fetchPage: (page: number, size: number) => Promise<ListPage>,
  from: WholeState,
  proof: Proof,
): AsyncGenerator<WholeStep> {
  const { primaryKey, pageSize } = reader.object;
  const getWindow = (s: WholeState): Window =>
    s.overlap ? nextWindow(s.overlap.end, pageSize) : { page: s.page, size: pageSize };
  const request = (s: WholeState) => fetchPage(getWindow(s).page, getWindow(s).size);
  // A worker of an earlier release, which does not know `overlap`, may have continued this reading without it.
  const isForeign = from.overlap !== undefined && from.page !== getWindow(from).page;
  let state = isForeign ? startWhole(from.previous, proof) : from;
  let asked: Promise<ListPage> | null = null;
  for (;;) {
    const window = getWindow(state);
    const answer: ListPage = await (asked ?? request(state));
    asked = null;
    const { records, hasNext, serverTime } = answer;
    const beganAt = state.beganAt ?? serverTime.toISOString();
    const firstBeganAt = state.firstBeganAt ?? beganAt;
    const isBlind =
      state.blind === true || records.some((r) => r.rejected !== undefined && !r.raw.has(primaryKey[0] as string));
    const { overlap: before, ...plain } = state;
    const { overlap, fresh, unseen, stepBack } =
      before && overlaps(proof)
        ? compare(before, window, pageSize, answer, primaryKey, proof)
        : { overlap: null, fresh: records, unseen: records, stepBack: false };
    const sum = add(startOffset(window) === 0 ? EMPTY : state.sum, existing(unseen, firstBeganAt), primaryKey);
    const read: WholeState = {
      ...plain,
      page: window.page,
      sum,
      beganAt,
      firstBeganAt,
      ...(isBlind ? { blind: true } : {}),
      ...(overlap ? { overlap } : {}),
    };
    // Without overlap the list is read from its first page.
    const startOver = before !== undefined && overlap === null && startOffset(window) > 0;
    if (hasNext || stepBack || startOver) {
      let { trail } = state;
      try {
        // Pages that are requested again to find an overlap are bounded by what was read. The first page begins a new trail.
        const isAgain = stepBack || (before !== undefined && overlap !== null && overlap.end <= before.furthest);
        if (hasNext && !isAgain && proof !== 'parts')
          trail = follow(startOffset(window) === 0 ? null : trail, records, reader.object, window.page);
      } catch (error) {
        yield { records: [], serverTime, state: startWhole(null, proof), outcome: 'next', ahead: true };
        throw error;
      }
      const page = overlap ? nextWindow(overlap.end, pageSize).page : window.page + 1;
      const { trail: _, ...untracked } = read;
      state = startOver || !trail ? { ...untracked, page: startOver ? 1 : page } : { ...read, page, trail };
      if (reader.mayReadAhead()) {
        asked = request(state);
        // The next iteration handles a failure. If the consumer stops before, the failure has no effect.
        asked.catch(() => {});
      }
      yield { records: fresh, serverTime, state, outcome: 'next', ahead: asked !== null };
      continue;
    }
    const isProven =
      startOffset(window) === 0 ||
      proof === 'parts' ||
      overlap?.proven === true ||
      (state.previous !== null && same(sum, state.previous));
    const agreed = isProven && !isBlind;
    if (agreed || isBlind || state.reading >= READINGS_MAX) {
      yield { records: fresh, serverTime, state: read, outcome: agreed ? 'agreed' : 'unsettled', ahead: false };
      return;
    }
    state = { ...startWhole(sum, overlap === null ? 'readings' : proof), reading: state.reading + 1, firstBeganAt };
    yield { records: fresh, serverTime, state, outcome: 'next', ahead: false };
  }
}

function overlaps(proof: Proof): proof is 'chain' | 'still' {
  return proof === 'chain' || proof === 'still';
}

/** Records created after the first reading began do not count. */
function existing(records: readonly ListedRecord[], firstBeganAt: string): readonly ListedRecord[] {
  const since = Date.parse(firstBeganAt);
  return records.filter(({ raw }) => {
    const created = raw.get('created_at');
    return !(typeof created === 'string' && Date.parse(created) >= since);
  });
}
