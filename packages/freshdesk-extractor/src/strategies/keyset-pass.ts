import { AppError, type CreditClass } from '@freshet/contracts';
import type { ListPage } from '../http/response-parser.ts';
import { type LoopState, trackPage } from '../lists/loop-detection.ts';
import { addSeconds, formatSeconds, getRecordTime, toUnixSeconds } from '../lists/timestamps.ts';
import { type FailedUnit, getKeyValues } from '../reader/page.ts';
import { buildKeysetQuery, type KeysetList } from './keyset-list.ts';
import { readTie, TIE_FOUND, type Tie, type TieStep } from './tie.ts';

/**
 * A pass through an ordered list, from a given time onward. Each page starts at a cursor value
 * instead of a page number.
 *
 * Page 1 of the query "changed since `cursor`, oldest first" does not depend on earlier pages. If
 * the cursor column of the last record on the page has the time `last`, the page contains every
 * record whose cursor column is in [cursor, last), and `last` is the next cursor. A record that
 * changes before it has been read moves to the end of the list. It is read later in this pass, or
 * in the next pass.
 *
 * A pass requires three properties of the list, and checks them on every page. The list is ordered,
 * contains no record that is older than the cursor, and contains the records of the cursor's own
 * second.
 */
export interface KeysetPass {
  /** RFC 3339, in whole seconds. */
  readonly cursor: string;
  /** The server time of the first page, in RFC 3339; null: no page has been read. */
  readonly beganAt: string | null;
  /** The tie that is being read at the cursor; null: none. */
  readonly tie: Tie | null;
  /** The pages of this pass, for loop detection; absent: no page has announced a next page. */
  readonly loopState?: LoopState;
}

/** One page of a pass. */
export interface PassStep {
  readonly records: ListPage['records'];
  readonly serverTime: Date;
  readonly beganAt: string;
  /** The state after the page; null: the pass is complete. */
  readonly pass: KeysetPass | null;
  /** Records whose lookup failed. */
  readonly failedUnits: readonly FailedUnit[];
  /** The next page has already been requested. */
  readonly hasPendingRequest: boolean;
}

export interface PassOptions {
  /** The end of the time range, exclusive; absent: the end of the list. */
  readonly until?: string | undefined;
  /** The credit class of the requests; absent: the client's credit class. */
  readonly creditClass?: CreditClass | undefined;
  /**
   * Whether the next page may be prefetched, provided that the reader also permits it. Absent:
   * always.
   */
  readonly canReadAhead?: () => boolean;
}

/**
 * The maximum average number of occurrences of a record in a pass. A record that changes during a
 * pass occurs again after each change. The limit detects lists whose timestamps grow with every
 * request.
 */
const OCCURRENCES_MAX = 8;

export function startPass(cursor: string): KeysetPass {
  return { cursor, beganAt: null, tie: null };
}

/** Returns the share of a time range that a pass has read, from 0 to 1. */
export function getPassShare(pass: KeysetPass | null, from: string, to: Date): number {
  if (pass === null) return 1;
  const [start, end] = [Date.parse(from), to.getTime()];
  return Math.min(1, Math.max(0, (Date.parse(pass.cursor) - start) / Math.max(1, end - start)));
}

/**
 * Reads a pass page by page.
 * @param from the state after the last stored page, or a new pass.
 * @throws AppError `source_contract` if the list lacks a required property, or if the list does not
 * end.
 */
export async function* readPass(
  list: KeysetList,
  from: KeysetPass,
  options: PassOptions = {},
): AsyncGenerator<PassStep> {
  yield* new PassReader(list, from, options).read();
}

class PassReader {
  readonly #list: KeysetList;
  readonly #options: PassOptions;
  #cursor: string;
  #beganAt: string | null;
  #tie: Tie | null;
  #loopState: LoopState | undefined;
  /** The page at the cursor, requested while the previous page is processed. */
  #pending: Promise<ListPage> | null = null;
  /**
   * A record of the cursor's second has been read, so the next page must begin with a record of
   * this second, unless the record that was read has changed.
   */
  #hasReadCursor = false;

  constructor(list: KeysetList, from: KeysetPass, options: PassOptions) {
    this.#list = list;
    this.#options = options;
    this.#cursor = from.cursor;
    this.#beganAt = from.beganAt;
    this.#tie = from.tie;
    this.#loopState = from.loopState;
  }

  async *read(): AsyncGenerator<PassStep> {
    const { reader, strategy } = this.#list;
    const { until } = this.#options;
    for (;;) {
      if (this.#tie !== null) yield* this.#readTie(this.#tie);
      const response = await (this.#pending ?? this.#fetchPage(this.#cursor, 1));
      this.#pending = null;
      await this.#assertInclusive(response);
      const last = response.records.at(-1);
      const lastTime = last && getRecordTime(reader, last, strategy.cursorColumn);
      if (!response.hasNext || lastTime === undefined || (until !== undefined && lastTime >= toUnixSeconds(until))) {
        yield this.#createStep(response, null);
        return;
      }
      const loopOptions = { page: 1, occurrencesMax: OCCURRENCES_MAX };
      this.#loopState = trackPage(this.#loopState, response.records, reader.object, loopOptions);
      if (lastTime > toUnixSeconds(this.#cursor)) {
        this.#cursor = formatSeconds(new Date(lastTime * 1000));
        this.#hasReadCursor = true;
        this.#readAhead();
        yield this.#createStep(response, { cursor: this.#cursor, tie: null });
      } else {
        // The state is stored before the pages of the tie are read, so that a restart rereads all
        // of these pages.
        this.#tie = TIE_FOUND;
        const { serverTime } = response;
        yield this.#createStep({ records: [], serverTime }, { cursor: this.#cursor, tie: this.#tie });
      }
    }
  }

  async *#readTie(from: Tie): AsyncGenerator<PassStep> {
    const { creditClass } = this.#options;
    const fetchPage = (page: number) => this.#fetchPage(this.#cursor, page);
    const next = addSeconds(this.#cursor, 1);
    const group = { ...this.#list, second: this.#cursor, fetchPage, creditClass };
    for await (const step of readTie(group, from))
      yield this.#createStep(
        step,
        step.tie === null ? { cursor: next, tie: null } : { cursor: this.#cursor, tie: step.tie },
      );
    this.#cursor = next;
    this.#tie = null;
    this.#hasReadCursor = false;
  }

  async #fetchPage(since: string, page: number): Promise<ListPage> {
    const { reader } = this.#list;
    const { creditClass } = this.#options;
    const query = buildKeysetQuery(this.#list, since);
    const isTiePage = this.#tie !== null;
    // The pages of a tie are read by number, so they must have the full size. Any other page may be
    // short, because its last record determines the next cursor.
    let response = await reader.list(query, page, { creditClass, allowShortPage: page === 1 && !isTiePage });
    // An empty page that announces a next page is not the end of the list.
    let loopState: LoopState | null = null;
    for (let next = 2; !isTiePage && response.records.length === 0 && response.hasNext; next++) {
      loopState = trackPage(loopState, [], reader.object, { page: next - 1 });
      response = await reader.list(query, next, { creditClass });
    }
    assertOrdered(this.#list, response, since);
    return response;
  }

  #readAhead(): void {
    const { canReadAhead = () => true } = this.#options;
    if (!this.#list.reader.canReadAhead() || !canReadAhead()) return;
    this.#pending = this.#fetchPage(this.#cursor, 1);
    // The next iteration awaits the promise and handles a rejection. This handler prevents an
    // unhandled rejection if the consumer stops before that iteration.
    this.#pending.catch(() => {});
  }

  #createStep(
    { records, serverTime, failedUnits = [] }: Pick<ListPage, 'records' | 'serverTime'> & Pick<TieStep, 'failedUnits'>,
    next: Pick<KeysetPass, 'cursor' | 'tie'> | null,
  ): PassStep {
    this.#beganAt ??= serverTime.toISOString();
    return {
      records: this.#dropBeyondEnd(records),
      serverTime,
      beganAt: this.#beganAt,
      pass: next && {
        ...next,
        beganAt: this.#beganAt,
        ...(this.#loopState ? { loopState: this.#loopState } : {}),
      },
      failedUnits,
      hasPendingRequest: this.#pending !== null,
    };
  }

  /** Drops the records after the end of the time range, because an earlier pass has read them. */
  #dropBeyondEnd(records: ListPage['records']): ListPage['records'] {
    const { until } = this.#options;
    if (until === undefined) return records;
    const { reader, strategy } = this.#list;
    const end = toUnixSeconds(until);
    return records.filter((record) => getRecordTime(reader, record, strategy.cursorColumn) < end);
  }

  /**
   * Asserts that the filter also returns records of the second that the filter specifies.
   * Otherwise, the remaining records of that second would be lost.
   */
  async #assertInclusive({ records: [first] }: ListPage): Promise<void> {
    const { reader, strategy } = this.#list;
    const second = toUnixSeconds(this.#cursor);
    if (!this.#hasReadCursor || (first && getRecordTime(reader, first, strategy.cursorColumn) <= second)) return;
    // The record at the cursor may have changed. A request that starts one second earlier shows
    // whether the list still contains records of the cursor's second.
    const { records } = await this.#fetchPage(addSeconds(this.#cursor, -1), 1);
    if (!records.some((record) => getRecordTime(reader, record, strategy.cursorColumn) === second)) return;
    throw new AppError(
      'source_contract',
      `The list of ${reader.object.name} omits records that changed in the second specified by ${strategy.sinceParam} ` +
        `(${this.#cursor}). The extraction stopped, because records could be lost. Report this to Freshdesk support.`,
    );
  }
}

/**
 * Tests for one credit whether records have changed since a given time, if a page costs several
 * credits. A list of deleted records usually has no changes.
 * @returns the server time if nothing has changed; null if there are changes, or if the test costs
 * as much as a page.
 */
export async function confirmUnchanged(list: KeysetList, since: string): Promise<Date | null> {
  if (list.reader.object.include.length === 0) return null;
  const { records, serverTime } = await list.reader.list(buildKeysetQuery(list, since), 1, { isBare: true });
  return records.length === 0 ? serverTime : null;
}

/** If the list is not ordered, stops the extraction before records are lost. */
function assertOrdered({ reader, strategy }: KeysetList, { records }: ListPage, cursor: string): void {
  const { name, primaryKey } = reader.object;
  let previous = toUnixSeconds(cursor);
  for (const record of records) {
    const version = getRecordTime(reader, record, strategy.cursorColumn);
    if (version < previous) {
      throw new AppError(
        'source_contract',
        `The list of ${name} is not ordered by ${strategy.cursorColumn} from ${cursor} on, although the request ` +
          'specifies that order. The extraction stopped, because records could be lost. A cache or proxy in front of ' +
          'the account may ignore the query string. Correct the configuration of the cache or proxy, then start a new run.',
        { context: { key: getKeyValues(record, primaryKey) } },
      );
    }
    previous = version;
  }
}
