import type { ObjectSpec } from './catalogue/define-object.ts';
import { getObject } from './catalogue/index.ts';
import type { ChangedSinceStrategy, DailyExportStrategy } from './catalogue/strategies.ts';
import type { RecordSource } from './http/client.ts';
import { countWindows } from './lists/page-overlap.ts';
import { DAY_MS, formatSeconds, getReadStart, UNIX_EPOCH } from './lists/timestamps.ts';
import { createObjectReader, getListCost, getRecordCost } from './reader/object-reader.ts';
import type { Position } from './reader/page.ts';
import { getStrategyPosition } from './records/details.ts';
import { countRecords } from './records/record-count.ts';
import type { ChangedSincePosition } from './strategies/changed-since.ts';
import { chooseProof } from './strategies/changed-since-filter.ts';
import { type DailyExportPosition, listDaysToRead } from './strategies/daily-export.ts';
import type { FullListPosition } from './strategies/full-list.ts';
import { countEarlierWindows } from './strategies/history-windows.ts';
import type { KeysetPosition } from './strategies/keyset.ts';
import { countRereadPages } from './strategies/rolling-reread.ts';

/** The expected records and credits of the next extraction of an object. */
export interface ObjectEstimate {
  readonly object: string;
  readonly records: number;
  readonly credits: number;
  /**
   * The part of the credits that also counts toward the list's own rate limit. Null: the list has
   * no separate rate limit.
   */
  readonly bucket: { readonly name: string; readonly credits: number } | null;
  /**
   * The source of the numbers. `counted`: requests to the account. `known`: earlier runs.
   * `typical`: the usual numbers of accounts of this size.
   */
  readonly basis: 'counted' | 'known' | 'typical';
  /** The credits of a later run in which no record has changed. */
  readonly unchangedCredits: number;
}

/** The stored state of an object in a pipeline. */
export interface ObjectState {
  readonly position: Position | null;
  /** For child objects: the number of parents that have ever been queued. */
  readonly parents: number;
  /** For child objects: the number of parents in the queue. */
  readonly pending: number;
}

export interface EstimateOptions {
  /** The start of the history that a first sync reads; null: all history. */
  readonly historyFrom: Date | null;
  /**
   * If set, a backfill that goes back to this time is estimated. Absent: the next run is estimated.
   */
  readonly backfillFrom?: Date;
  /** Objects whose records are completed with one request per record. */
  readonly objectsWithDetail: ReadonlySet<string>;
}

interface RecordEstimate {
  readonly records: number;
  readonly basis: ObjectEstimate['basis'];
}

interface RequestEstimate extends RecordEstimate {
  /** Requests at the full price of the list. */
  readonly requests: number;
  /** Additional requests that cost one credit each. */
  readonly bareRequests?: number;
}

const NOTHING: RequestEstimate = { records: 0, basis: 'known', requests: 0 };

/**
 * Estimates the next extraction of each object. Spends few credits: one search counts the tickets,
 * contacts or companies that changed since a given day, and one page of a list shows how many
 * records changed since the last run, if they fit on the page. Other estimates are based on earlier
 * runs, or on accounts of a similar size.
 * @param states the stored state by object name. An object without a state has never been
 * extracted.
 */
export async function estimate(
  source: RecordSource,
  objects: readonly ObjectSpec[],
  states: ReadonlyMap<string, ObjectState>,
  options: EstimateOptions,
): Promise<ObjectEstimate[]> {
  const estimator = new Estimator(source, states, options);
  const estimates: ObjectEstimate[] = [];
  for (const object of objects) estimates.push(await estimator.estimate(object));
  return estimates;
}

class Estimator {
  readonly #source: RecordSource;
  readonly #states: ReadonlyMap<string, ObjectState>;
  readonly #options: EstimateOptions;
  /** Results of searches: object name and day → number of records. */
  readonly #searches = new Map<string, Promise<number | null>>();
  /** Object name → estimate of the changed records. */
  readonly #changes = new Map<string, Promise<RecordEstimate>>();

  constructor(source: RecordSource, states: ReadonlyMap<string, ObjectState>, options: EstimateOptions) {
    this.#source = source;
    this.#states = states;
    this.#options = options;
  }

  async estimate(object: ObjectSpec): Promise<ObjectEstimate> {
    const { backfillFrom, objectsWithDetail } = this.#options;
    const { records, basis, requests, bareRequests = 0 } = await this.#estimateRequests(object);
    const listCredits = requests * getListCost(object).credits + bareRequests;
    const hasDetail = objectsWithDetail.has(object.name) && object.detail !== null;
    const detailCredits = hasDetail ? records * getRecordCost(object.detail).credits : 0;
    // Each run first reads the definitions of custom fields.
    const definitionCredits = object.customFields === null || backfillFrom ? 0 : 1;
    // A first sync of several pages counts the records so that it can report its progress.
    const isFirstSync = (this.#states.get(object.name)?.position ?? null) === null && !backfillFrom;
    const countCredits = isFirstSync && object.searchPath !== null && records > object.pageSize ? 1 : 0;
    return {
      object: object.name,
      records,
      credits: listCredits + detailCredits + definitionCredits + countCredits,
      bucket: object.bucket === null ? null : { name: object.bucket, credits: listCredits },
      basis,
      unchangedCredits: await this.#estimateUnchangedCredits(object, records),
    };
  }

  /**
   * Estimates the credits of a later run in which no record has changed.
   * @param records the number of records that the first sync reads.
   */
  async #estimateUnchangedCredits(object: ObjectSpec, records: number): Promise<number> {
    const { strategy, views } = object;
    const definitionCredits = object.customFields === null ? 0 : 1;
    const listCredits = getListCost(object).credits;
    switch (strategy.kind) {
      case 'keyset':
        // One page of the list, and one bare request for each list of deleted records.
        return definitionCredits + listCredits + views.length - 1;
      case 'changed-since': {
        const state = { runId: '', pagesLeft: 0, records, list: null };
        return definitionCredits + (views.length + countRereadPages(strategy, state, object.pageSize)) * listCredits;
      }
      case 'full-list': {
        const { requests } = await this.#estimateFullList(object, null);
        return definitionCredits + requests * listCredits;
      }
      case 'daily-export':
        // Each file is requested once or twice, regardless of the number of runs in a day.
        return 0;
      case 'children':
        // If the parent has a field that shows changes of its children, only such children are
        // read.
        return definitionCredits + (strategy.versionFields.length > 0 ? 0 : await this.#countParents(strategy.parent));
    }
  }

  async #countParents(parent: string): Promise<number> {
    return (await this.#getTypical(getObject(parent))).records;
  }

  async #estimateRequests(object: ObjectSpec): Promise<RequestEstimate> {
    const { strategy } = object;
    const position = this.#getPosition(object);
    switch (strategy.kind) {
      case 'keyset':
        return this.#estimateKeyset(object, position as KeysetPosition | null);
      case 'changed-since':
        return this.#estimateChangedSince(object, strategy, position as ChangedSincePosition | null);
      case 'full-list':
        return this.#options.backfillFrom
          ? NOTHING
          : this.#estimateFullList(object, position as FullListPosition | null);
      case 'daily-export':
        return this.#options.backfillFrom
          ? NOTHING
          : this.#estimateDailyExport(object, strategy, position as DailyExportPosition | null);
      default: {
        const { typicalCount } = object;
        const childrenPerParent = typeof typicalCount === 'number' ? 1 : typicalCount.factor;
        const parents = await this.#estimateParents(object);
        return {
          records: Math.round(parents.records * childrenPerParent),
          basis: parents.basis,
          requests: parents.records,
        };
      }
    }
  }

  async #estimateKeyset(object: ObjectSpec, position: KeysetPosition | null): Promise<RequestEstimate> {
    const changes = await this.#estimateChanges(object);
    // The last record of a page is also the first record of the next page.
    const pages = Math.max(1, Math.ceil(changes.records / (object.pageSize - 1)));
    if (this.#options.backfillFrom) return { ...changes, requests: pages };
    // One bare request tests each list of deleted records. A first sync also reads these lists.
    const deletedLists = object.views.length - 1;
    const earlierWindows = countEarlierWindows(this.#getHistoryStart(object));
    const firstSyncRequests = position === null ? deletedLists + earlierWindows : 0;
    return { ...changes, requests: pages + firstSyncRequests, bareRequests: deletedLists };
  }

  async #estimateChangedSince(
    object: ObjectSpec,
    strategy: ChangedSinceStrategy,
    position: ChangedSincePosition | null,
  ): Promise<RequestEstimate> {
    const { backfillFrom } = this.#options;
    if (backfillFrom && !object.hasHistoryLimit) return NOTHING;
    const changes = await this.#estimateChanges(object);
    if (position?.param === '') return this.#estimateFullList(object, position.fullList ?? null);
    const windows = countWindows(changes.records, object.pageSize);
    const followUps = windows > 1 && chooseProof(strategy) === 'chain' ? 1 : 0;
    const requests = windows + followUps + object.views.length - 1;
    // The first run also tests the filter. It rereads no pages, because it reads the complete list.
    if (position === null) return { ...changes, requests: requests + 1 };
    const rereads = backfillFrom ? 0 : countRereadPages(strategy, position.reread, object.pageSize);
    return { ...changes, requests: requests + rereads };
  }

  async #estimateFullList(object: ObjectSpec, position: FullListPosition | null): Promise<RequestEstimate> {
    const { strategy } = object;
    const last = position?.last ?? null;
    const estimate: RecordEstimate =
      last === null ? await this.#getTypical(object) : { records: last.count, basis: 'known' };
    const hasParts = strategy.kind === 'full-list' && strategy.paths;
    const requests = hasParts ? hasParts.length : countWindows(estimate.records, object.pageSize);
    return { ...estimate, requests };
  }

  /** Each day that is not complete costs one credit. The downloads cost none. */
  async #estimateDailyExport(
    object: ObjectSpec,
    strategy: DailyExportStrategy,
    position: DailyExportPosition | null,
  ): Promise<RequestEstimate> {
    const days = listDaysToRead(strategy, position, this.#getHistoryStart(object), new Date()).length;
    const { lastCount } = position ?? {};
    if (lastCount !== undefined) return { records: days * lastCount, basis: 'known', requests: days };
    return { ...(await this.#getTypical(object)), requests: days };
  }

  /** Estimates the number of parents whose children are read. */
  async #estimateParents(object: ObjectSpec): Promise<RecordEstimate> {
    const { strategy } = object;
    if (strategy.kind !== 'children') throw new TypeError(`${object.name} has no parent`);
    const parent = getObject(strategy.parent);
    const state = this.#states.get(object.name);
    const hasVersions = strategy.versionFields.length > 0;
    if (hasVersions && parent.strategy.kind !== 'children') {
      // Children of deleted parents are not read, so only the parents in the first view count.
      const changes = await this.#estimateChanges(parent);
      return { records: changes.records + (state?.pending ?? 0), basis: changes.basis };
    }
    if (this.#options.backfillFrom) return { records: 0, basis: 'known' };
    if (state && state.parents > 0) return { records: hasVersions ? state.pending : state.parents, basis: 'known' };
    return this.#getTypical(parent);
  }

  /** Estimates the number of records that the object's own list will return. */
  #estimateChanges(object: ObjectSpec): Promise<RecordEstimate> {
    const estimate = this.#changes.get(object.name) ?? this.#countChanges(object);
    this.#changes.set(object.name, estimate);
    return estimate;
  }

  async #countChanges(object: ObjectSpec): Promise<RecordEstimate> {
    const position = this.#getPosition(object);
    const { backfillFrom } = this.#options;
    if (backfillFrom) return this.#countHistory(object, position, backfillFrom);
    if (position === null) {
      const total = await this.#search(object, this.#getHistoryStart(object));
      return total === null ? this.#getTypical(object) : { records: total, basis: 'counted' };
    }
    const filter = getChangedSinceFilter(object, position);
    if (filter === null) return this.#getTypical(object);
    const reader = createObjectReader(this.#source, { ...object, include: [] });
    const { records, hasNext } = await reader.list({ [filter.param]: formatSeconds(filter.since) }, 1);
    if (!hasNext) return { records: records.length, basis: 'counted' };
    const total = await this.#search(object, filter.since);
    return total === null
      ? { records: records.length * 2, basis: 'typical' }
      : { records: Math.max(total, records.length + 1), basis: 'counted' };
  }

  /** Counts the records between a time and the start of the range that has been read. */
  async #countHistory(object: ObjectSpec, position: Position | null, backfillFrom: Date): Promise<RecordEstimate> {
    const backTo = position === null ? new Date() : new Date((position as KeysetPosition).backTo);
    if (!object.hasHistoryLimit || backTo <= backfillFrom) return { records: 0, basis: 'known' };
    const [totalCount, newerCount] = [await this.#search(object, backfillFrom), await this.#search(object, backTo)];
    return totalCount === null || newerCount === null
      ? this.#getTypical(object)
      : { records: Math.max(0, totalCount - newerCount), basis: 'counted' };
  }

  /**
   * Counts the records that changed since a given day. Repeated searches are sent only once.
   * @returns null if the search is not available.
   */
  #search(object: ObjectSpec, since: Date): Promise<number | null> {
    const key = `${object.name} ${since.toISOString().slice(0, 10)}`;
    const count = this.#searches.get(key) ?? countRecords(this.#source, object, since);
    this.#searches.set(key, count);
    return count;
  }

  /**
   * Estimates the number of records of the object from its `typicalCount`: a constant, or a factor
   * of the number of records of another object.
   */
  async #getTypical(object: ObjectSpec): Promise<RecordEstimate> {
    const { typicalCount } = object;
    if (typeof typicalCount === 'number') return { records: typicalCount, basis: 'typical' };
    const reference = getObject(typicalCount.perRecordOf);
    const total =
      (await this.#search(reference, this.#getHistoryStart(object))) ?? (await this.#getTypical(reference)).records;
    return { records: Math.round(total * typicalCount.factor), basis: 'typical' };
  }

  #getHistoryStart({ hasHistoryLimit }: ObjectSpec): Date {
    const { historyFrom } = this.#options;
    return hasHistoryLimit && historyFrom ? historyFrom : new Date(UNIX_EPOCH);
  }

  #getPosition({ name }: ObjectSpec): Position | null {
    return getStrategyPosition(this.#states.get(name)?.position ?? null);
  }
}

/** Returns the filter of the next extraction; null if it reads the complete list. */
function getChangedSinceFilter(
  { strategy, views }: ObjectSpec,
  position: Position,
): { readonly param: string; readonly since: Date } | null {
  if (strategy.kind === 'keyset') {
    const live = (position as KeysetPosition).views?.['live'];
    if (!live?.watermark) return null;
    return { param: strategy.sinceParam, since: new Date(getReadStart(live.watermark, live.newest)) };
  }
  if (strategy.kind !== 'changed-since') return null;
  const { param, watermarks } = position as ChangedSincePosition;
  const watermark = watermarks[views[0]?.name as string];
  if (!watermark || param === '') return null;
  return { param, since: new Date(Date.parse(watermark) - strategy.lookbackDays * DAY_MS) };
}
