import { catalogue, type ObjectSpec } from '@freshet/freshdesk-extractor';
import type { AccountOptions, Fields } from './account-options.ts';
import { hash } from './random.ts';

/**
 * The generated keys of objects whose list has no page limit are higher than this number. Like real
 * keys, they exceed the range of a 32-bit integer.
 */
export const KEY_BASE = 84_000_000_000;

// Views in addition to the views of the catalogue. No list contains records of these views.

/** The view of permanently deleted records. */
export const DELETED_VIEW = 255;
/** The view of archived records. */
export const ARCHIVED_VIEW = 253;
/** The view of new records that are not visible yet. */
export const PENDING_VIEW = 254;

/**
 * The records of one object: their times, views and edits. Orders are computed on request and
 * cached.
 */
export class RecordList {
  readonly object: ObjectSpec;
  readonly initialLength: number;
  readonly edits = new Map<number, Fields>();
  readonly #keyBase: number;
  readonly #created: number[];
  readonly #updated: number[];
  readonly #views: number[];
  readonly #orders = new Map<string, number[]>();
  /** Keys of records that were converted from a different object, by record number. */
  readonly #assignedKeys = new Map<number, number>();

  constructor(object: ObjectSpec, options: AccountOptions, count: number) {
    this.object = object;
    this.#keyBase = getKeyBase(object);
    this.initialLength = count;
    this.#created = new Array(count);
    this.#updated = new Array(count);
    this.#views = new Array(count);
    for (let n = 0; n < count; n++) {
      const { created, updated } = getGeneratedTimes(options, count, n);
      this.#created[n] = created;
      this.#updated[n] = updated;
      const roll = hash(options.seed, n, 23) % 100;
      this.#views[n] = roll === 0 ? Math.min(1, object.views.length - 1) : roll === 1 ? object.views.length - 1 : 0;
    }
  }

  get length(): number {
    return this.#created.length;
  }

  getKey(number: number): number {
    return (
      this.#assignedKeys.get(number) ??
      (this.object.list.fixedRecords?.[number]?.['id'] as number | undefined) ??
      this.#keyBase + number
    );
  }

  findNumber(key: number): number {
    if (this.#assignedKeys.size > 0)
      for (const [number, assigned] of this.#assignedKeys) if (assigned === key) return number;
    const fixed = this.object.list.fixedRecords?.findIndex((record) => record['id'] === key) ?? -1;
    return fixed >= 0 ? fixed : key - this.#keyBase;
  }

  getCreatedAt(number: number): number {
    return this.#created[number] as number;
  }

  getUpdatedAt(number: number): number {
    return this.#updated[number] as number;
  }

  getView(number: number): number {
    return this.#views[number] as number;
  }

  append(now: number, view: number): number {
    const number = this.length;
    this.#created.push(now);
    this.#updated.push(now);
    this.#views.push(view);
    this.#orders.clear();
    return number;
  }

  assignKey(number: number, key: number): void {
    this.#assignedKeys.set(number, key);
  }

  isArchived(number: number): boolean {
    return this.getView(number) === ARCHIVED_VIEW;
  }

  touch(number: number, now: number): void {
    this.#reorder(number, () => {
      this.#updated[number] = now;
    });
  }

  setView(number: number, view: number, now: number): void {
    this.#views[number] = view;
    this.#updated[number] = now;
    this.#orders.clear();
  }

  /**
   * Returns the record numbers of one view, sorted by a column in ascending order. Records with
   * equal values are sorted by number.
   * @param rank returns the rank of each record. Called only if the column is not `id`,
   * `created_at` or `updated_at`.
   */
  getOrder(view: number, column: string, rank: () => readonly number[]): readonly number[] {
    const key = `${view}/${column}`;
    let order = this.#orders.get(key);
    if (!order) {
      const by =
        column === 'created_at'
          ? this.#created
          : column === 'updated_at'
            ? this.#updated
            : column === 'id'
              ? null
              : rank();
      order = [];
      for (let n = 0; n < this.length; n++) if (this.#views[n] === view) order.push(n);
      if (by) order.sort((a, b) => (by[a] as number) - (by[b] as number) || a - b);
      this.#orders.set(key, order);
    }
    return order;
  }

  /**
   * Returns the index of the first record in `order` whose time in `column` is at or after
   * `seconds`, or the length of `order` if there is none. `order` must be sorted by `column` in
   * ascending order.
   */
  findFirstSince(order: readonly number[], column: string, seconds: number): number {
    const times = column === 'created_at' ? this.#created : this.#updated;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[order[middle] as number] as number) < seconds) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Applies `change` to the `updated_at` of one record, and moves the record within the cached
   * order by `updated_at`, so that an edit does not require sorting a million records.
   */
  #reorder(number: number, change: () => void): void {
    const key = `${this.getView(number)}/updated_at`;
    const order = this.#orders.get(key);
    for (const other of this.#orders.keys())
      if (other !== key && !other.endsWith('/created_at')) this.#orders.delete(other);
    if (!order) return change();
    let at = this.findFirstSince(order, 'updated_at', this.getUpdatedAt(number));
    while (order[at] !== number) at++;
    order.splice(at, 1);
    change();
    let to = this.findFirstSince(order, 'updated_at', this.getUpdatedAt(number));
    while (
      to < order.length &&
      this.getUpdatedAt(order[to] as number) === this.getUpdatedAt(number) &&
      (order[to] as number) < number
    )
      to++;
    order.splice(to, 0, number);
  }
}

interface GeneratedTimes {
  /** When the record was created, in seconds. */
  readonly created: number;
  /** When the record was last updated before the account was first used, in seconds. */
  readonly updated: number;
  /** One bulk update has changed the first records of the object, up to this number. */
  readonly bulkSize: number;
  /** When the bulk update was made, in seconds. */
  readonly bulkAt: number;
}

/** Returns the times of a generated record. @param count the number of generated records. */
export function getGeneratedTimes(
  { asOf: newest, spanDays, seed }: AccountOptions,
  count: number,
  number: number,
): GeneratedTimes {
  const asOf = Math.floor(newest.getTime() / 1000);
  const span = spanDays * 86_400;
  // Simulate one bulk update, after which up to `bulkSize` records have the same `updated_at`. In a
  // large account, these records fill more than two pages.
  const bulkSize = Math.min(250, Math.floor(count / 20));
  const bulkAt = asOf - Math.floor(span / 3);
  const random = hash(seed, number, 17);
  // The creation time increases with the number, except for a few imported records.
  const created = asOf - span + Math.floor((span * number) / count) - (random % 50 === 0 ? random % 86_400 : 0);
  // The last update is at most five days after the creation, and not after `asOf`.
  const updated = created + (hash(seed, number, 19) % Math.min(432_000, asOf - created + 1));
  return { created, updated: number < bulkSize && created < bulkAt ? bulkAt : updated, bulkSize, bulkAt };
}

/**
 * Returns the first generated key of an object. The keys of the following records are consecutive.
 * If the object's list has a page limit, the first key is 1. Otherwise, the first key is greater
 * than `KEY_BASE`, and different for each object.
 */
export function getKeyBase(object: ObjectSpec): number {
  if (object.maxPages !== null) return 1;
  return KEY_BASE + (catalogue.indexOf(object) + 1) * 1_000_000_000;
}
