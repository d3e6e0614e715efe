import { AppError } from '@freshet/contracts';
import type { ObjectSpec } from './catalogue/define.ts';
import { objectNamed } from './catalogue/index.ts';
import type { Lists } from './http/client.ts';
import { countWindows } from './lists/page-overlap.ts';
import { BEGINNING, DAY_MS, readFrom, wholeSeconds } from './lists/timestamps.ts';
import { costOf, readerOf, singleCostOf } from './object-reader.ts';
import type { Position } from './page.ts';
import { withoutDetail } from './records/details.ts';
import { chooseProof, type SincePosition } from './strategies/changed-since.ts';
import type { SweepPosition } from './strategies/full-list.ts';
import type { KeysetPosition } from './strategies/keyset.ts';
import { rereadEstimate } from './strategies/rolling-reread.ts';

/**
 * What the next reading of each object will cost, told before it is read. It spends a few credits itself: a search tells how
 * many tickets, contacts and companies changed since a day, a list of one page how many changed since the last run. The
 * rest follows from what the last runs have left, or from what accounts of that size usually hold.
 */
export interface ObjectEstimate {
  readonly object: string;
  readonly records: number;
  readonly credits: number;
  /** … of them, what a list's own limit is charged; null: it has none. */
  readonly bucket: { readonly name: string; readonly credits: number } | null;
  /** `counted`: the account was asked. `known`: from the last runs. `typical`: what accounts of this size usually hold. */
  readonly basis: 'counted' | 'known' | 'typical';
}

/** What the store knows of an object of a pipeline. */
export interface KnownObject {
  readonly position: Position | null;
  /** Children: parents ever seen, and those of them that still wait. */
  readonly parents: number;
  readonly pending: number;
}

export interface EstimateOptions {
  /** The depth of a first reading; null: everything. */
  readonly historyFrom: Date | null;
  /** A backfill: what it costs to read back to this moment, beyond what has been read; absent: the next run. */
  readonly backfillFrom?: Date;
  /** Objects whose records are completed from their own addresses. */
  readonly detail: ReadonlySet<string>;
}

/** Calls at the object's full price, and others for one credit. */
interface Reading extends Amount {
  readonly calls: number;
  readonly plain?: number;
}

interface Amount {
  readonly records: number;
  readonly basis: ObjectEstimate['basis'];
}

/** A first sync of a list reads the newest days, then windows that double: each begins a pass of its own. */
const NEWEST_DAYS = 30;

/** @param known what is known of each object by its name; an object that is not there was never read. */
export async function estimate(
  client: Lists,
  objects: readonly ObjectSpec[],
  known: ReadonlyMap<string, KnownObject>,
  options: EstimateOptions,
): Promise<ObjectEstimate[]> {
  const estimator = new Estimator(client, known, options);
  const estimates: ObjectEstimate[] = [];
  for (const object of objects) {
    const { records, basis, calls, plain = 0 } = await estimator.read(object);
    const cost = costOf(object).credits;
    // The definitions of its own fields come first.
    const definitions = object.customFields === null || options.backfillFrom ? 0 : 1;
    // A first reading of several pages counts its records, to report progress.
    const isFirst = (known.get(object.name)?.position ?? null) === null && !options.backfillFrom;
    const counted = isFirst && object.search !== null && records > object.pageSize ? 1 : 0;
    const listed = calls * cost + plain;
    const completed =
      options.detail.has(object.name) && object.single !== null ? records * singleCostOf(object.single).credits : 0;
    const bucket = object.bucket === null ? null : { name: object.bucket, credits: listed };
    estimates.push({
      object: object.name,
      records,
      credits: listed + completed + definitions + counted,
      bucket,
      basis,
    });
  }
  return estimates;
}

class Estimator {
  readonly #client: Lists;
  readonly #known: ReadonlyMap<string, KnownObject>;
  readonly #options: EstimateOptions;
  /** What was asked already. */
  readonly #searched = new Map<string, Promise<number | null>>();
  readonly #changed = new Map<string, Promise<Amount>>();

  constructor(client: Lists, known: ReadonlyMap<string, KnownObject>, options: EstimateOptions) {
    this.#client = client;
    this.#known = known;
    this.#options = options;
  }

  async read(object: ObjectSpec): Promise<Reading> {
    const { way } = object;
    const position = withoutDetail(this.#known.get(object.name)?.position ?? null);
    switch (way.kind) {
      case 'keyset': {
        const amount = await this.#changedIn(object);
        // The seconds at which pages meet come twice.
        const pages = Math.max(1, Math.ceil(amount.records / (object.pageSize - 1)));
        if (this.#options.backfillFrom) return { ...amount, calls: pages };
        // Lists of deleted records are looked at for one credit, and read if there is something, as there is at first.
        const deleted = object.views.length - 1;
        return { ...amount, calls: pages + (position === null ? deleted + this.#windows(object) : 0), plain: deleted };
      }
      case 'since': {
        if (this.#options.backfillFrom && !object.history) return NOTHING;
        const amount = await this.#changedIn(object);
        const { param } = (position ?? { param: null }) as Pick<SincePosition, 'param'>;
        if (param === '')
          return this.#swept(object, ((position as SincePosition).sweep ?? null) as SweepPosition | null);
        const windows = countWindows(amount.records, object.pageSize);
        const followUp = windows > 1 && chooseProof(way) === 'chain' ? 1 : 0;
        const calls = windows + followUp + object.views.length - 1;
        // The first run finds out which filter works, and has read the complete list.
        if (position === null) return { ...amount, calls: calls + 1 };
        return {
          ...amount,
          calls:
            calls + (this.#options.backfillFrom ? 0 : rereadEstimate(way, position as SincePosition, object.pageSize)),
        };
      }
      case 'sweep':
        return this.#options.backfillFrom ? NOTHING : this.#swept(object, position as SweepPosition | null);
      default: {
        const parents = await this.#parentsOf(object);
        return { records: Math.round(parents.records * timesOf(object)), basis: parents.basis, calls: parents.records };
      }
    }
  }

  async #swept(object: ObjectSpec, position: SweepPosition | null): Promise<Reading> {
    const last = position?.last ?? null;
    const amount: Amount = last === null ? await this.#typical(object) : { records: last.count, basis: 'known' };
    const { way } = object;
    return {
      ...amount,
      calls: way.kind === 'sweep' && way.paths ? way.paths.length : countWindows(amount.records, object.pageSize),
    };
  }

  /** Parents whose children the reading asks for. */
  async #parentsOf(object: ObjectSpec): Promise<Amount> {
    const { way } = object;
    if (way.kind !== 'children') throw new TypeError(`${object.name} has no parent`);
    const parent = objectNamed(way.parent);
    const known = this.#known.get(object.name);
    if (way.versionFields.length > 0 && parent.way.kind !== 'children') {
      const changed = await this.#changedIn(parent);
      // Children of records in other lists, such as the trash, are not read.
      return { records: changed.records + (known?.pending ?? 0), basis: changed.basis };
    }
    if (this.#options.backfillFrom) return { records: 0, basis: 'known' };
    if (known && known.parents > 0)
      return { records: way.versionFields.length > 0 ? known.pending : known.parents, basis: 'known' };
    return this.#typical(parent);
  }

  /** Records of the object's own list that the reading will bring. */
  #changedIn(object: ObjectSpec): Promise<Amount> {
    const asked = this.#changed.get(object.name) ?? this.#countChanged(object);
    this.#changed.set(object.name, asked);
    return asked;
  }

  async #countChanged(object: ObjectSpec): Promise<Amount> {
    const { way } = object;
    const position = withoutDetail(this.#known.get(object.name)?.position ?? null);
    const depth = object.history && this.#options.historyFrom ? this.#options.historyFrom : new Date(BEGINNING);
    const { backfillFrom } = this.#options;
    if (backfillFrom) {
      const done = position === null ? new Date() : new Date((position as KeysetPosition).backTo);
      if (!object.history || done <= backfillFrom) return { records: 0, basis: 'known' };
      const [all, newer] = [await this.#search(object, backfillFrom), await this.#search(object, done)];
      return all === null || newer === null
        ? this.#typical(object)
        : { records: Math.max(0, all - newer), basis: 'counted' };
    }
    if (position === null) {
      const found = await this.#search(object, depth);
      return found === null ? this.#typical(object) : { records: found, basis: 'counted' };
    }
    const first = object.views[0]?.name as string;
    const live = (position as KeysetPosition).views?.['live'];
    const watermark =
      way.kind === 'keyset'
        ? live?.watermark && readFrom(live.watermark, live.newest)
        : (position as SincePosition).watermarks[first];
    const param = way.kind === 'keyset' ? way.sinceParam : (position as SincePosition).param;
    if (!watermark || param === '') return this.#typical(object);
    const lookback = way.kind === 'since' ? way.lookbackDays * DAY_MS : 0;
    const since = new Date(Date.parse(watermark) - lookback);
    // One page without what it can embed costs one credit.
    const plain = readerOf(this.#client, { ...object, include: [] });
    const { records, hasNext } = await plain.list({ [param]: wholeSeconds(since) }, 1);
    if (!hasNext) return { records: records.length, basis: 'counted' };
    const found = await this.#search(object, since);
    return found === null
      ? { records: records.length * 2, basis: 'typical' }
      : { records: Math.max(found, records.length + 1), basis: 'counted' };
  }

  /** How many records changed since a day began, by the account's search; null: it does not tell. */
  #search(object: ObjectSpec, since: Date): Promise<number | null> {
    const { search } = object;
    if (search === null) return Promise.resolve(null);
    const day = since.toISOString().slice(0, 10);
    const key = `${object.name} ${day}`;
    const asked = this.#searched.get(key) ?? totalOf(this.#client, search, day);
    this.#searched.set(key, asked);
    return asked;
  }

  /** What accounts with so many tickets usually hold. */
  async #typical(object: ObjectSpec): Promise<Amount> {
    const { typicalCount } = object;
    if (typeof typicalCount === 'number') return { records: typicalCount, basis: 'typical' };
    const each = objectNamed(typicalCount.each);
    const above =
      (await this.#search(
        each,
        object.history && this.#options.historyFrom ? this.#options.historyFrom : new Date(BEGINNING),
      )) ?? (await this.#typical(each)).records;
    return { records: Math.round(above * typicalCount.times), basis: 'typical' };
  }

  /** The passes of a first sync beyond the first. */
  #windows(object: ObjectSpec): number {
    const from = object.history ? this.#options.historyFrom : null;
    const days = from === null ? (Date.now() - Date.parse(BEGINNING)) / DAY_MS : (Date.now() - from.getTime()) / DAY_MS;
    return Math.max(0, Math.ceil(Math.log2(days / NEWEST_DAYS)));
  }
}

const NOTHING: Reading = { records: 0, basis: 'known', calls: 0 };

function timesOf({ typicalCount }: ObjectSpec): number {
  return typeof typicalCount === 'number' ? 1 : typicalCount.times;
}

/**
 * Counts the records of an object that changed since a moment, by the account's search. Costs one credit.
 * @returns null when the object has no search, or the key or plan may not use it.
 */
export async function countRecords(client: Lists, object: ObjectSpec, since: Date | null): Promise<number | null> {
  return object.search === null
    ? null
    : totalOf(client, object.search, (since ?? new Date(BEGINNING)).toISOString().slice(0, 10));
}

async function totalOf(client: Lists, search: string, day: string): Promise<number | null> {
  try {
    const { raw } = await client.view(search, { query: `"updated_at:>'${day}'"` }, { credits: 1, bucket: null });
    const total = raw.get('total');
    return typeof total === 'number' ? total : null;
  } catch (error) {
    // Not for every key and plan; the estimate is a guess then, and says so.
    if (
      error instanceof AppError &&
      ['source_forbidden', 'source_not_in_plan', 'source_not_found', 'source_invalid_request'].includes(error.code)
    )
      return null;
    throw error;
  }
}
