import type { ChangedSinceStrategy, ListView } from '../catalogue/strategies.ts';
import { isLoopError } from '../lists/loop-detection.ts';
import {
  type CompletenessProof,
  createListState,
  readStableList,
  type StableListState,
  type StableListStep,
} from '../lists/stable-list.ts';
import { DAY_MS, getNewestVersion, getReadStart, UNIX_EPOCH } from '../lists/timestamps.ts';
import type { ObjectReader } from '../reader/object-reader.ts';
import { type Coverage, createPage, type Page, type Position, type ReadOptions } from '../reader/page.ts';
import { createRecordPage } from '../reader/record-page.ts';
import { buildSinceQuery, chooseProof, findSinceParam } from './changed-since-filter.ts';
import { type FullListPosition, readFullList } from './full-list.ts';
import { type RereadState, rereadPages, startReread } from './rolling-reread.ts';

export interface ChangedSincePosition extends Position {
  /** The query parameter of the filter; '' if the account supports none. */
  readonly param: string;
  readonly backTo: string;
  /** View → the time up to which every change has been read. */
  readonly watermarks: Readonly<Record<string, string>>;
  /** The latest time in the cursor column of all records that have been read; absent: unknown. */
  readonly newest?: string | undefined;
  /** View → the value of `newest` at the end of the last read of the view; absent: unknown. */
  readonly newestByView?: Readonly<Record<string, string | undefined>>;
  /** The read in progress; null: none. */
  readonly reading: { readonly view: string; readonly list: StableListState } | null;
  /** The rolling reread of the complete list; absent: not started. */
  readonly reread?: RereadState;
  /** The position of the full-list strategy, which is used if the account supports no filter. */
  readonly fullList: FullListPosition | null;
}

/**
 * Reads an object whose lists have a changed-since filter but no usable order. The complete
 * filtered list of each view is read. The first extraction tests which filter the account supports,
 * and stores its name in the position. If the account supports no filter, the object is read with
 * the full-list strategy.
 */
export async function* readChangedSince(
  reader: ObjectReader,
  strategy: ChangedSinceStrategy,
  from: ChangedSincePosition | null,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const position = await createPosition(reader, strategy, from, options);
  if (position.param === '') yield* readWithoutFilter(reader, position, options);
  else yield* new ChangedSinceReader(reader, strategy, position, options).read();
}

async function createPosition(
  reader: ObjectReader,
  strategy: ChangedSinceStrategy,
  from: ChangedSincePosition | null,
  { historyFrom, readingId }: ReadOptions,
): Promise<ChangedSincePosition> {
  // A position that was built or reset may have no filter yet.
  const param = from?.param ?? (await findSinceParam(reader, strategy));
  if (from !== null) return { ...from, param };
  const backTo = reader.object.hasHistoryLimit && historyFrom ? historyFrom.toISOString() : UNIX_EPOCH;
  // The first run reads the complete list, so it has no pages to reread.
  const reread: RereadState = { runId: readingId, pagesLeft: 0, records: null, list: null };
  return { param, backTo, watermarks: {}, reading: null, fullList: null, reread };
}

async function* readWithoutFilter(
  reader: ObjectReader,
  from: ChangedSincePosition,
  options: ReadOptions,
): AsyncGenerator<Page> {
  let position = from;
  try {
    for await (const page of readFullList(reader, null, position.fullList, options)) {
      position = { ...position, fullList: page.position as FullListPosition };
      yield { ...page, position };
    }
  } catch (error) {
    if (!isLoopError(error)) throw error;
    // A proxy that ignores the query string also ignores every filter, so the filter must be tested
    // again.
    const { param: _, ...untested } = position;
    yield createPage({
      position: { ...untested, fullList: null },
      extractedAt: reader.now(),
      hasPendingRequest: true,
    });
    throw error;
  }
}

/**
 * The maximum number of additional reads of a view in one run. If a list changes faster than it can
 * be read, the next run reads the remaining changes.
 */
const FOLLOW_UPS_MAX = 2;

class ChangedSinceReader {
  readonly #reader: ObjectReader;
  readonly #strategy: ChangedSinceStrategy;
  readonly #options: ReadOptions;
  readonly #proof: CompletenessProof;
  #position: ChangedSincePosition;
  #extractedAt: Date;

  constructor(
    reader: ObjectReader,
    strategy: ChangedSinceStrategy,
    position: ChangedSincePosition,
    options: ReadOptions,
  ) {
    this.#reader = reader;
    this.#strategy = strategy;
    this.#options = options;
    this.#proof = chooseProof(strategy);
    this.#position = position;
    this.#extractedAt = reader.now();
  }

  async *read(): AsyncGenerator<Page> {
    const { views } = this.#reader.object;
    const { reread } = this.#position;
    // A run that was interrupted during its reread has already read the changes.
    const isRereading = reread?.runId === this.#options.readingId && reread.pagesLeft > 0;
    if (!isRereading) for (const view of views) yield* this.#readView(view);
    const coverage = this.#getCoverage();
    if (this.#strategy.rereadSyncs !== undefined) yield* this.#reread(this.#strategy.rereadSyncs, coverage);
    yield createPage({ position: this.#position, extractedAt: this.#extractedAt, coverage, isLast: true });
  }

  async *#readView(view: ListView): AsyncGenerator<Page> {
    for (let followUps = 0; ; followUps++) {
      let isOnePage = true;
      for await (const step of this.#readChanges(view)) {
        if (step.outcome !== 'next') isOnePage = step.state.page === 1;
        yield createRecordPage(this.#reader, this.#options, {
          view,
          records: step.records,
          position: this.#position,
          extractedAt: this.#extractedAt,
          hasPendingRequest: step.hasPendingRequest,
        });
      }
      // A record that was edited between the requests for two pages may have moved to a page that
      // was already read. The filter returns that record in the next read.
      if (this.#proof !== 'chain' || isOnePage || followUps === FOLLOW_UPS_MAX) return;
    }
  }

  /** Reads the changes of a view since its watermark, and updates the position. */
  async *#readChanges(view: ListView): AsyncGenerator<StableListStep> {
    const { watermarks, reading } = this.#position;
    const watermark = watermarks[view.name];
    const query = buildSinceQuery(view, this.#position.param, this.#getStart(view, watermark));
    // The first read may return a hundred thousand records, and syncs of other pipelines must not
    // wait for it.
    const creditClass = watermark === undefined ? 'backfill' : undefined;
    const list = reading?.view === view.name ? reading.list : createListState(null, this.#proof);
    const fetchPage = (page: number, size: number) => this.#reader.list(query, page, { creditClass, size });
    for await (const step of readStableList(this.#reader, fetchPage, list, this.#proof)) {
      this.#extractedAt = step.serverTime;
      const newest = getNewestVersion(this.#position.newest, step.records, this.#strategy.cursorColumn);
      this.#position = { ...this.#position, newest };
      if (step.outcome === 'next')
        this.#position = { ...this.#position, reading: { view: view.name, list: step.state } };
      else this.#finishView(view, step.state, watermark === undefined);
      yield step;
    }
  }

  #getStart(view: ListView, watermark: string | undefined): string {
    if (watermark === undefined) return this.#position.backTo;
    const lookbackStart = new Date(Date.parse(watermark) - this.#strategy.lookbackDays * DAY_MS);
    return getReadStart(lookbackStart.toISOString(), this.#position.newestByView?.[view.name]);
  }

  #finishView(view: ListView, list: StableListState, isFirstReading: boolean): void {
    const { newest, newestByView, watermarks, reread } = this.#position;
    // Coverage ends at the start of the read's first pass, so the next run rereads all changes that
    // were made during the read.
    const coveredTo = this.#reader.capCoverage(list.firstBeganAt ?? '').getTime();
    const watermark = new Date(coveredTo - this.#strategy.lagSeconds * 1000).toISOString();
    this.#position = {
      ...this.#position,
      reading: null,
      newestByView: { ...newestByView, [view.name]: newest },
      watermarks: { ...watermarks, [view.name]: watermark },
      ...(isFirstReading && reread ? { reread: { ...reread, records: list.sum.count } } : {}),
    };
  }

  #getCoverage(): Coverage {
    const { watermarks, backTo } = this.#position;
    const times = this.#reader.object.views.map(({ name }) => Date.parse(watermarks[name] ?? UNIX_EPOCH));
    return { completeAsOf: new Date(Math.min(...times)), completeBackTo: new Date(backTo) };
  }

  async *#reread(rereadSyncs: number, coverage: Coverage): AsyncGenerator<Page> {
    const { object } = this.#reader;
    const view = object.views[0] as ListView;
    const { param, backTo } = this.#position;
    const reread = startReread(this.#position.reread, rereadSyncs, this.#options.readingId, object.pageSize);
    this.#position = { ...this.#position, reread };
    yield createPage({ position: this.#position, extractedAt: this.#extractedAt, coverage });
    for await (const step of rereadPages(this.#reader, buildSinceQuery(view, param, backTo), reread)) {
      this.#position = { ...this.#position, reread: step.state };
      this.#extractedAt = step.serverTime;
      yield createRecordPage(this.#reader, this.#options, {
        view,
        records: step.records,
        position: this.#position,
        extractedAt: this.#extractedAt,
      });
    }
  }
}
