import type { ListedRecord, ListPage } from '../client.ts';
import type { ObjectReader } from '../reader.ts';
import { add, EMPTY, type IdSum, same } from './id-sum.ts';
import { follow, type Trail } from './trail.ts';

/**
 * Reading a list whole, though its pages shift while it is read.
 *
 * Paging is by offset: a record that is deleted or renamed on a page already read moves all later ones one
 * place forward, and one of them slips onto that page, unseen. No timestamp shows it afterwards. So a list of
 * more than one page is read until two readings agree on the ids of the records that existed when the first began.
 * An answer of one page is one consistent answer, and agrees with itself. The last agreed reading counts as one
 * of the two: when nothing changed since the last run, one reading is enough.
 *
 * A busy list may never agree. After a few readings it is `unsettled`: a record that all of them missed would
 * have had to slip away each time, so what was read is kept, but nothing is concluded from what was not.
 *
 * Memory: a reading is remembered by the number of its ids and the sum of their hashes, never by the ids.
 */
export interface WholeState {
  /** Which reading of this list it is, from 1. */
  readonly reading: number;
  /** The next page to read. */
  readonly page: number;
  readonly sum: IdSum;
  /** The reading that this one has to agree with. */
  readonly previous: IdSum | null;
  /** RFC 3339: the server's clock at the first page of this reading. */
  readonly beganAt: string | null;
  /** … and of the first reading: records created later do not count, or a busy list would never agree. */
  readonly firstBeganAt: string | null;
  /** A record of this reading was too large even to know which it is. */
  readonly blind?: true;
  /** The pages of this reading so far; absent: none has announced another. */
  readonly trail?: Trail;
}

export interface WholeStep {
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  readonly state: WholeState;
  /** `next`: more pages or another reading to come. `agreed`: the list was read whole. `unsettled`: it never held still. */
  readonly outcome: 'next' | 'agreed' | 'unsettled';
  /** The next page has been asked for. */
  readonly ahead: boolean;
}

/** Readings of a list that never holds still. Each costs as much as the first. */
const READINGS_MAX = 3;

export function startWhole(previous: IdSum | null): WholeState {
  return { reading: 1, page: 1, sum: EMPTY, previous, beganAt: null, firstBeganAt: null };
}

/** @param fetchPage reads one page of the list by its number, from 1. */
export async function* readWhole(reader: ObjectReader, fetchPage: (page: number) => Promise<ListPage>, from: WholeState): AsyncGenerator<WholeStep> {
  const { primaryKey } = reader.object;
  let state = from;
  let asked: Promise<ListPage> | null = null;
  for (;;) {
    const { records, hasNext, serverTime }: ListPage = await (asked ?? fetchPage(state.page));
    asked = null;
    const beganAt = state.beganAt ?? serverTime.toISOString();
    const firstBeganAt = state.firstBeganAt ?? beganAt;
    const blind = state.blind === true || records.some((r) => r.rejected !== undefined && !r.raw.has(primaryKey[0] as string)) ? { blind: true as const } : {};
    const sum = add(state.sum, existing(records, firstBeganAt), primaryKey);
    if (hasNext) {
      let trail: Trail;
      try {
        trail = follow(state.trail, records, reader.object, state.page);
      } catch (error) {
        yield { records: [], serverTime, state: startWhole(null), outcome: 'next', ahead: true };
        throw error;
      }
      state = { ...state, page: state.page + 1, sum, beganAt, firstBeganAt, trail, ...blind };
      if (reader.mayReadAhead()) {
        asked = fetchPage(state.page);
        // Whoever goes on meets its failure; who does not has no use for it.
        asked.catch(() => {});
      }
      yield { records, serverTime, state, outcome: 'next', ahead: asked !== null };
      continue;
    }
    const finished = { ...state, sum, beganAt, firstBeganAt };
    const agreed = (state.page === 1 || (state.previous !== null && same(sum, state.previous))) && !('blind' in blind);
    if (agreed || 'blind' in blind || state.reading >= READINGS_MAX) {
      yield { records, serverTime, state: finished, outcome: agreed ? 'agreed' : 'unsettled', ahead: false };
      return;
    }
    state = { reading: state.reading + 1, page: 1, sum: EMPTY, previous: sum, beganAt: null, firstBeganAt };
    yield { records, serverTime, state, outcome: 'next', ahead: false };
  }
}

/** Records created after the first reading began do not count. */
function existing(records: readonly ListedRecord[], firstBeganAt: string): readonly ListedRecord[] {
  const since = Date.parse(firstBeganAt);
  return records.filter(({ raw }) => {
    const created = raw.get('created_at');
    return !(typeof created === 'string' && Date.parse(created) >= since);
  });
}
