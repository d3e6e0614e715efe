import { catalogue, type ObjectSpec } from '@freshet/freshdesk-extractor';
import type { AccountOptions, Fields } from './account.ts';
import { hash } from './random.ts';

/** Keys of all objects but the densely numbered ones begin here: 11 digits, as real ones. */
export const KEY_BASE = 84_000_000_000;

/** The view of records that are gone for good. */
export const REMOVED = 255;
/** The view of records in the archive. */
export const ARCHIVED = 253;
/** The view of records that no list shows yet. */
export const UNSEEN = 254;

/** The records of one object: their times and views, ordered when asked for. */
export class RecordList {
  readonly object: ObjectSpec;
  readonly initialLength: number;
  readonly edits = new Map<number, Fields>();
  readonly #created: number[];
  readonly #updated: number[];
  readonly #views: number[];
  readonly #orders = new Map<string, number[]>();
  /** Keys that records brought along from another object. */
  readonly #adopted = new Map<number, number>();

  constructor(object: ObjectSpec, options: AccountOptions, count: number) {
    this.object = object;
    this.initialLength = count;
    const asOf = Math.floor(options.asOf.getTime() / 1000);
    const span = options.spanDays * 86_400;
    this.#created = new Array(count);
    this.#updated = new Array(count);
    this.#views = new Array(count);
    // One bulk change of the past, in one second: more records than two pages, where the account is large enough.
    const bulkSize = Math.min(250, Math.floor(count / 20));
    const bulkAt = asOf - Math.floor(span / 3);
    for (let n = 0; n < count; n++) {
      const random = hash(options.seed, n, 17);
      // Rising with the number, but for the few that were imported.
      const created = asOf - span + Math.floor((span * n) / count) - (random % 50 === 0 ? random % 86_400 : 0);
      // Within five days after it was created, if there are so many.
      const updated = created + (hash(options.seed, n, 19) % Math.min(432_000, asOf - created + 1));
      this.#created[n] = created;
      this.#updated[n] = n < bulkSize && created < bulkAt ? bulkAt : updated;
      const roll = hash(options.seed, n, 23) % 100;
      this.#views[n] = roll === 0 ? Math.min(1, object.views.length - 1) : roll === 1 ? object.views.length - 1 : 0;
    }
  }

  get length(): number {
    return this.#created.length;
  }

  keyOf(number: number): number {
    return (
      this.#adopted.get(number) ??
      (this.object.list.fixed?.[number]?.['id'] as number | undefined) ??
      keyBase(this.object) + number
    );
  }

  numberOf(key: number): number {
    for (const [number, adopted] of this.#adopted) if (adopted === key) return number;
    const fixed = this.object.list.fixed?.findIndex((record) => record['id'] === key) ?? -1;
    return fixed >= 0 ? fixed : key - keyBase(this.object);
  }

  createdAt(number: number): number {
    return this.#created[number] as number;
  }

  updatedAt(number: number): number {
    return this.#updated[number] as number;
  }

  viewOf(number: number): number {
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

  adopt(number: number, key: number): void {
    this.#adopted.set(number, key);
  }

  isArchived(number: number): boolean {
    return this.viewOf(number) === ARCHIVED;
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
   * Record numbers of one view, ascending by `created_at`, `updated_at` or, for any other column, by the
   * number that `rank` gives; ties by number.
   */
  ordered(view: number, column: string, rank: () => readonly number[]): readonly number[] {
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

  /** The first place in an ascending time order whose time is not before `seconds`. */
  firstSince(order: readonly number[], column: string, seconds: number): number {
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

  /** Keeps the order by `updated_at` as one record moves in it: a million records must not be sorted for one edit. */
  #reorder(number: number, change: () => void): void {
    const key = `${this.viewOf(number)}/updated_at`;
    const order = this.#orders.get(key);
    for (const other of this.#orders.keys())
      if (other !== key && !other.endsWith('/created_at')) this.#orders.delete(other);
    if (!order) return change();
    let at = this.firstSince(order, 'updated_at', this.updatedAt(number));
    while (order[at] !== number) at++;
    order.splice(at, 1);
    change();
    let to = this.firstSince(order, 'updated_at', this.updatedAt(number));
    while (
      to < order.length &&
      this.updatedAt(order[to] as number) === this.updatedAt(number) &&
      (order[to] as number) < number
    )
      to++;
    order.splice(to, 0, number);
  }
}

/** Objects whose list has a page cap are those with small, dense, human keys; all others have 11 digits. */
export function keyBase(object: ObjectSpec): number {
  if (object.maxPages !== null) return 1;
  return KEY_BASE + (catalogue.indexOf(object) + 1) * 1_000_000_000;
}
