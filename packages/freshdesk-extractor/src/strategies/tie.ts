import { AppError, type CreditClass } from '@freshet/contracts';
import type { ListedRecord, ListPage } from '../http/response-parser.ts';
import { IdSet } from '../lists/id-set.ts';
import { type LoopState, trackPage } from '../lists/loop-detection.ts';
import { formatSeconds, getRecordTime, toUnixSeconds } from '../lists/timestamps.ts';
import { type FailedUnit, toText } from '../reader/page.ts';
import { findView } from '../reader/record-page.ts';
import { canReadRecord, createFailedUnit, FailureClassifier, isUnitError } from '../reader/unit-failures.ts';
import type { KeysetList } from './keyset-list.ts';

/**
 * The state of reading a tie. A tie is one second with more changed records than fit on a page.
 * Only ties are read by page number.
 *
 * First, the last page of the tie is located by doubling and bisection. Then the pages are read
 * from last to first. Records can leave a past second but cannot enter it, so the offset of an
 * unread record can only decrease. A reader that moves toward the first page therefore always
 * reaches that record.
 *
 * After a bulk update of tens of thousands of records, a tie may have more records than the list
 * has pages for. Such a tie is read in the order of creation times, from both ends. This doubles
 * the number of records within reach. Creation times never change, but records leave the list when
 * they are deleted, and enter the list when they are edited. Both ends are therefore read
 * repeatedly, until a pass over both ends finds no new record of the second. Records that leave the
 * second are read later, at their new time. Records that neither end reaches are looked up by id.
 *
 * The extraction may be interrupted after each page and after each group of lookups. It then
 * continues from the stored state.
 */
export type Tie = TieSearch | TiePages | TieByCreation | TieByIds;

/** Locates the last page. */
interface TieSearch {
  readonly phase: 'search';
  /** A page whose last record belongs to the tie. */
  readonly insidePage: number;
  /** A page whose last record does not belong to the tie; null: not found yet. */
  readonly outsidePage: number | null;
  /** The pages whose last record belongs to the tie, for loop detection; absent: none. */
  readonly loopState?: LoopState;
}

/** Reads the pages in descending order. */
interface TiePages {
  readonly phase: 'pages';
  /** The next page. */
  readonly page: number;
}

/** Reads the list by creation time, first in ascending, then in descending order. */
interface TieByCreation {
  readonly phase: 'asc' | 'desc';
  /** The number of this pass over both ends, from 1. */
  readonly reading: number;
  readonly page: number;
  /**
   * The last creation time (RFC 3339) and the smallest id of the last page in ascending order;
   * null: not read yet.
   */
  readonly ascendingEnd: { readonly createdAt: string; readonly smallestId: number } | null;
  /** The ids of all records of the second that have been found (`IdSet`); null: none. */
  readonly seenIds: string | null;
  /** The number of ids that this pass over both ends was the first to find. */
  readonly newIds: number;
  /**
   * The pages that this pass has read in the current order, for loop detection; absent: no page has
   * announced a next page.
   */
  readonly loopState?: LoopState;
}

/** Looks up ids in ascending order. Ids that have already been found are skipped. */
interface TieByIds {
  readonly phase: 'ids';
  readonly nextId: number;
  readonly lastId: number;
  readonly seenIds: string | null;
}

export interface TieStep {
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  /** The state after the page or the group of lookups; null: the tie is complete. */
  readonly tie: Tie | null;
  /** Records whose lookup failed. Absent: none. */
  readonly failedUnits?: readonly FailedUnit[];
}

/** The records of one second in a list. */
export interface TieGroup extends KeysetList {
  /** RFC 3339. */
  readonly second: string;
  /** Requests a page of the list that starts at the second. */
  readonly fetchPage: (page: number) => Promise<ListPage>;
  readonly creditClass: CreditClass | undefined;
}

/** The state of a tie that was just detected: all records of page 1 belong to the tie. */
export const TIE_FOUND: Tie = { phase: 'search', insidePage: 1, outsidePage: null };

const START_BY_CREATION: TieByCreation = {
  phase: 'asc',
  reading: 1,
  page: 1,
  ascendingEnd: null,
  seenIds: null,
  newIds: 0,
};

const READINGS_MAX = 6;
const CREATION_COLUMN = 'created_at';
/** The number of ids that are looked up concurrently. */
const ID_CONCURRENCY = 8;
/**
 * The number of additional ids that are looked up on each side of the gap. Imported records may
 * have creation times that do not rise with the ids, and the gap moves when records enter the list.
 */
const ID_MARGIN = 1000;

/**
 * Reads a tie.
 * @throws AppError `source_contract` if the tie exceeds the pages of the list and its records
 * cannot be looked up; `source_unavailable` if the tie changes faster than it can be read.
 */
export async function* readTie(group: TieGroup, from: Tie): AsyncGenerator<TieStep> {
  const reader = new TieReader(group, from);
  for (let tie: Tie | null = from; tie !== null; ) {
    const step: TieStep = await reader.readStep(tie);
    tie = step.tie;
    yield step;
  }
}

class TieReader {
  readonly #group: TieGroup;
  readonly #pagesMax: number;
  readonly #seenIds: IdSet;
  /** An id whose lookup succeeded, as evidence that the endpoint works. */
  #readableId: number | null = null;

  constructor(group: TieGroup, from: Tie) {
    this.#group = group;
    this.#pagesMax = group.reader.object.maxPages ?? Number.MAX_SAFE_INTEGER;
    this.#seenIds = new IdSet('seenIds' in from ? from.seenIds : null);
  }

  readStep(tie: Tie): Promise<TieStep> {
    switch (tie.phase) {
      case 'search':
        return this.#search(tie);
      case 'pages':
        return this.#readPage(tie);
      case 'ids':
        return this.#lookUpIds(tie);
      default:
        return this.#readByCreation(tie);
    }
  }

  async #search(tie: TieSearch): Promise<TieStep> {
    const { reader, fetchPage } = this.#group;
    const page =
      tie.outsidePage === null
        ? Math.min(tie.insidePage * 2, this.#pagesMax)
        : Math.floor((tie.insidePage + tie.outsidePage) / 2);
    const { records, hasNext, serverTime } = await fetchPage(page);
    const last = records.at(-1);
    const isInside = hasNext && last !== undefined && this.#isInSecond(last);
    const result: TieSearch = isInside
      ? { ...tie, insidePage: page, loopState: trackPage(tie.loopState, records, reader.object, { page }) }
      : { ...tie, outsidePage: page };
    return { records: [], serverTime, tie: this.#getStateAfterSearch(result) };
  }

  #getStateAfterSearch(search: TieSearch): Tie {
    const { object } = this.#group.reader;
    if (search.insidePage < this.#pagesMax)
      return search.outsidePage === search.insidePage + 1 ? { phase: 'pages', page: search.outsidePage } : search;
    if (object.hasDenseIds && object.detail !== null) return START_BY_CREATION;
    throw new AppError(
      'source_contract',
      `More than ${this.#pagesMax * object.pageSize} ${object.name} changed at ${this.#group.second}, but the list ends ` +
        `at page ${this.#pagesMax}. Edit some of these records in Freshdesk so that their change times differ, ` +
        'then start a new run.',
    );
  }

  async #readPage(tie: TiePages): Promise<TieStep> {
    const { records, serverTime } = await this.#group.fetchPage(tie.page);
    return { records, serverTime, tie: tie.page > 1 ? { ...tie, page: tie.page - 1 } : null };
  }

  async #readByCreation(tie: TieByCreation): Promise<TieStep> {
    const { reader, strategy, view, second, creditClass } = this.#group;
    const query = { ...view.query, [strategy.sinceParam]: second, order_by: CREATION_COLUMN, order_type: tie.phase };
    const { records, hasNext, serverTime } = await reader.list(query, tie.page, { creditClass });
    const current = this.#addSeenIds(tie, records);
    const { ascendingEnd } = tie;
    const last = records.at(-1);
    const createdAt = last && getRecordTime(reader, last, CREATION_COLUMN);
    const hasMet =
      !hasNext ||
      createdAt === undefined ||
      (ascendingEnd !== null && createdAt < toUnixSeconds(ascendingEnd.createdAt));
    if (hasMet) return { records, serverTime, tie: this.#getStateAfterReading(current, null) };
    if (tie.page < this.#pagesMax) {
      const loopState = trackPage(tie.loopState, records, reader.object, { page: tie.page });
      return { records, serverTime, tie: { ...current, page: tie.page + 1, loopState } };
    }
    // The list has no further pages. If only one end has been read, the opposite end is read next.
    // Otherwise, the ids between the two ends are looked up.
    const ids = records.map((record) => this.#getId(record));
    if (ascendingEnd !== null) {
      const gap = { firstId: ascendingEnd.smallestId, lastId: Math.max(...ids) };
      return { records, serverTime, tie: this.#getStateAfterReading(current, gap) };
    }
    const end = { createdAt: formatSeconds(new Date(createdAt * 1000)), smallestId: Math.min(...ids) };
    const { loopState: _, ...rest } = current;
    return { records, serverTime, tie: { ...rest, phase: 'desc', page: 1, ascendingEnd: end } };
  }

  #addSeenIds(tie: TieByCreation, records: readonly ListedRecord[]): TieByCreation {
    const newRecords = records.filter((record) => this.#isInSecond(record) && !this.#seenIds.has(this.#getId(record)));
    for (const record of newRecords) this.#seenIds.add(this.#getId(record));
    return {
      ...tie,
      newIds: tie.newIds + newRecords.length,
      seenIds: newRecords.length === 0 ? tie.seenIds : this.#seenIds.toString(),
    };
  }

  /** @param gap the ids that neither end has reached; null: none. */
  #getStateAfterReading(
    { newIds, reading, seenIds }: TieByCreation,
    gap: { readonly firstId: number; readonly lastId: number } | null,
  ): Tie | null {
    if (newIds === 0) {
      return (
        gap && {
          phase: 'ids',
          nextId: Math.max(1, gap.firstId - ID_MARGIN),
          lastId: gap.lastId + ID_MARGIN,
          seenIds,
        }
      );
    }
    if (reading < READINGS_MAX) return { ...START_BY_CREATION, reading: reading + 1, seenIds };
    throw new AppError(
      'source_unavailable',
      `The ${this.#group.reader.object.name} that changed at ${this.#group.second} kept changing while they were read. ` +
        'The next attempt rereads them.',
    );
  }

  async #lookUpIds(tie: TieByIds): Promise<TieStep> {
    const { reader, view } = this.#group;
    const ids: number[] = [];
    let { nextId } = tie;
    for (; nextId <= tie.lastId && ids.length < ID_CONCURRENCY; nextId++)
      if (!this.#seenIds.has(nextId)) ids.push(nextId);
    const failedUnits: FailedUnit[] = [];
    // If no lookup has succeeded, a failure may mean an outage.
    const classifier = new FailureClassifier(
      async () => this.#readableId !== null && (await canReadRecord(reader, String(this.#readableId))),
    );
    const responses = await Promise.all(ids.map((id) => this.#lookUpId(id, classifier, failedUnits)));
    failedUnits.push(...(await classifier.finish()));
    const foundRecords = responses.filter((record) => record !== null);
    const records = foundRecords.filter(
      (record) => this.#isInSecond(record) && findView(reader.object, record) === view,
    );
    const serverTime = foundRecords[0]?.serverTime ?? reader.now();
    return { records, serverTime, tie: nextId > tie.lastId ? null : { ...tie, nextId }, failedUnits };
  }

  async #lookUpId(id: number, classifier: FailureClassifier, failedUnits: FailedUnit[]) {
    const { reader, creditClass } = this.#group;
    try {
      const record = await reader.getRecord(String(id), { creditClass });
      this.#readableId = id;
      failedUnits.push(...classifier.recordSuccess());
      return record;
    } catch (error) {
      if (!isUnitError(error)) throw error;
      const failedUnit = createFailedUnit(reader.object.name, String(id), error);
      failedUnits.push(...(await classifier.recordFailure(failedUnit, error)));
      return null;
    }
  }

  #isInSecond(record: ListedRecord): boolean {
    const { reader, strategy, second } = this.#group;
    return getRecordTime(reader, record, strategy.cursorColumn) === toUnixSeconds(second);
  }

  #getId(record: ListedRecord): number {
    return Number(toText(record.raw.get(this.#group.reader.object.primaryKey[0] as string)));
  }
}
