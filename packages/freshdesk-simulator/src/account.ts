import { type Json, unreachable } from '@freshet/contracts';
import { catalogue, childrenOf, type ObjectSpec, objectNamed, type View } from '@freshet/freshdesk-extractor';
import { ByteWriter } from './byte-writer.ts';
import { hash } from './random.ts';
import { ARCHIVED, KEY_BASE, keyBase, REMOVED, RecordList, UNSEEN } from './record-list.ts';
import { type Gap, type Template, Templates } from './templates.ts';

export interface AccountOptions {
  /** The same seed gives the same account. */
  readonly seed: number;
  /** Object → number of records; what is not named follows from the catalogue's typical counts. */
  readonly counts?: Readonly<Record<string, number>>;
  /** The newest record changed just before this moment; RFC 3339. */
  readonly asOf: Date;
  /** The oldest record was created this many days before `asOf`. */
  readonly spanDays: number;
  /** The account's clock; tests turn it. */
  readonly now?: () => number;
  /** Columns that are filled some seconds after a record was created are so after so many, without a newer version; absent: at once. */
  readonly lateSeconds?: number;
  /** Values have the shapes that the documentation promises, and none of the others that real accounts have. */
  readonly tame?: boolean;
  /** Records in the trash or in spam are purged after so many days; absent: never. */
  readonly purgeAfterDays?: number;
  /** Closed tickets that rest so many days go to the archive, which no list shows; absent: never. */
  readonly archiveAfterDays?: number;
  /** A change shows in lists up to so many seconds after it was made. */
  readonly lagSeconds?: number;
}

export type Fields = Record<string, unknown>;

/** No parent has more children than this: a child's key is its parent's times this, plus its own number. */
const CHILDREN_MAX = 64;

/**
 * A deterministic Freshdesk account of any size. Nothing is stored for a record but its two times and its
 * view; its text is made when it is asked for, from its number and the seed, until somebody edits it.
 */
export class SimulatedAccount {
  readonly options: AccountOptions;
  readonly #lists = new Map<string, RecordList>();
  readonly #templates: Templates;
  readonly #now: () => number;
  readonly #pages = new ByteWriter();

  constructor(options: AccountOptions) {
    this.options = options;
    this.#templates = new Templates(options.seed, options.tame ?? false, (object, number, salt) =>
      this.#reference(object, number, salt),
    );
    this.#now = options.now ?? Date.now;
    for (const object of catalogue) {
      if (object.way.kind !== 'children')
        this.#lists.set(object.name, new RecordList(object, options, this.countOf(object)));
    }
  }

  /** How many records an object has at the start; for children: on average, all parents together. */
  countOf(object: ObjectSpec): number {
    if (object.list.fixed !== null) return object.list.fixed.length;
    const given = this.options.counts?.[object.name];
    if (given !== undefined) return given;
    const { typicalCount } = object;
    if (typeof typicalCount === 'number') return typicalCount;
    return Math.round(this.countOf(objectNamed(typicalCount.each)) * typicalCount.times);
  }

  /** The account's clock in whole seconds. */
  nowSeconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  /** @throws TypeError for an object that exists only below a parent. */
  listOf(object: ObjectSpec): RecordList {
    const list = this.#lists.get(object.name);
    if (!list) throw new TypeError(`${object.name} has no list of its own`);
    return list;
  }

  /** A record's JSON text. `hidden` columns are left out. */
  textOf(object: ObjectSpec, number: number, hidden: ReadonlySet<string>): string {
    const writer = new ByteWriter();
    this.#writeRecord(writer, object, this.listOf(object), number, hidden);
    return writer.take().toString('utf8');
  }

  /** A JSON array of records. */
  arrayOf(object: ObjectSpec, numbers: readonly number[], hidden: ReadonlySet<string>): Buffer {
    const list = this.listOf(object);
    this.#pages.ascii('[');
    for (let i = 0; i < numbers.length; i++) {
      if (i > 0) this.#pages.ascii(',');
      this.#writeRecord(this.#pages, object, list, numbers[i] as number, hidden);
    }
    this.#pages.ascii(']');
    return this.#pages.take();
  }

  #writeRecord(
    writer: ByteWriter,
    object: ObjectSpec,
    list: RecordList,
    number: number,
    hidden: ReadonlySet<string>,
  ): void {
    const template = this.#templates.for(object, number, hidden);
    const edit = list.edits.get(number);
    const view = list.viewOf(number);
    const plain = edit === undefined && view === 0;
    const into = plain ? writer : new ByteWriter();
    const fixed = object.list.fixed?.[number];
    if (fixed) into.bytes(Buffer.from(JSON.stringify(fixed)));
    else
      this.#writeTemplate(
        into,
        template,
        list.keyOf(number),
        list.createdAt(number),
        list.updatedAt(number),
        number,
        0,
      );
    if (plain) return;
    const fields = JSON.parse(into.take().toString('utf8')) as Fields;
    writer.bytes(
      Buffer.from(JSON.stringify({ ...fields, ...viewFields(object, view), ...withoutHidden(edit, hidden) })),
    );
  }

  #writeTemplate(
    writer: ByteWriter,
    { texts, gaps }: Template,
    key: number,
    created: number,
    updated: number,
    number: number,
    parentKey: number,
  ): void {
    writer.bytes(texts[0] as Buffer);
    for (let g = 0; g < gaps.length; g++) {
      writer.ascii(this.#fill(gaps[g] as Gap, key, created, updated, number, parentKey));
      writer.bytes(texts[g + 1] as Buffer);
    }
  }

  /** All children of one parent, oldest first; null when the parent does not exist, here or in the archive. */
  childrenOf(object: ObjectSpec, parentKey: number, archived = false): string[] | null {
    const { way } = object;
    if (way.kind !== 'children') throw new TypeError(`${object.name} has no parent`);
    const parent = this.#parent(way.parent, parentKey);
    if (parent === null || parent.archived !== archived) return null;
    const texts: string[] = [];
    for (let n = 0; n < this.#childCount(object, parent.number); n++) {
      const key = childKey(object, parent.number, n);
      const change = this.#childEdits.get(`${object.name}/${key}`);
      if (change === null) continue;
      const at = parent.createdAt + Math.floor(((parent.updatedAt - parent.createdAt) * (n + 1)) / (CHILDREN_MAX + 1));
      const template = this.#templates.for(object, parent.number * CHILDREN_MAX + n, NOTHING_HIDDEN);
      this.#writeTemplate(this.#pages, template, key, at, at, parent.number * CHILDREN_MAX + n, parentKey);
      const text = this.#pages.take().toString('utf8');
      texts.push(change === undefined ? text : JSON.stringify({ ...JSON.parse(text), ...change }));
    }
    for (const added of this.#childAdds.get(`${object.name}/${parentKey}`) ?? []) {
      if (this.#childEdits.get(`${object.name}/${added['id'] as number}`) !== null) texts.push(JSON.stringify(added));
    }
    return texts;
  }

  // Changes, as an agent would make them. Each moves `updated_at` to the account's clock, unless it says otherwise.

  /** @param at when it was changed, in seconds; other than now only to break what readers assume. */
  update(objectName: string, key: number, fields: Fields, at = this.nowSeconds()): void {
    const list = this.listOf(objectNamed(objectName));
    const number = list.numberOf(key);
    this.#change(number, () => {
      list.edits.set(number, { ...list.edits.get(number), ...fields });
      list.touch(number, at);
    });
  }

  /** @returns the new record's key. */
  create(objectName: string, fields: Fields = {}): number {
    const list = this.listOf(objectNamed(objectName));
    const at = this.nowSeconds();
    const number = list.append(at, this.#lag(list.length) > 0 ? UNSEEN : 0);
    this.#setLate(list, number, fields);
    if (list.viewOf(number) === UNSEEN) this.#change(number, () => list.setView(number, 0, at));
    return list.keyOf(number);
  }

  /** A new record's fields, those that come late without their values until then. */
  #setLate(list: RecordList, number: number, fields: Fields): void {
    const late =
      this.options.lateSeconds === undefined
        ? []
        : list.object.columns.filter((c) => c.late && !(c.name in fields)).map((c) => c.name);
    const edits = { ...Object.fromEntries(late.map((name) => [name, null])), ...fields };
    if (Object.keys(edits).length > 0) list.edits.set(number, edits);
    if (late.length === 0) return;
    const at = rfc3339(this.nowSeconds() + 3600);
    const show = () =>
      list.edits.set(number, { ...list.edits.get(number), ...Object.fromEntries(late.map((name) => [name, at])) });
    this.#unseen.push({ number, at: this.#now() + (this.options.lateSeconds ?? 0) * 1000, show });
    this.#unseen.sort((a, b) => a.at - b.at);
  }

  /** Into another of the object's views (trash, spam, …) or back to `live`. */
  move(objectName: string, key: number, view: string): void {
    const object = objectNamed(objectName);
    const list = this.listOf(object);
    const index = object.views.findIndex((v) => v.name === view);
    if (index < 0) throw new TypeError(`${objectName} has no view ${view}`);
    const number = list.numberOf(key);
    const at = this.nowSeconds();
    this.#change(number, () => list.setView(number, index, at));
  }

  /** Out of every list, though it still exists: it is known by its own address in the archive only. */
  archive(objectName: string, key: number): void {
    const list = this.listOf(objectNamed(objectName));
    const number = list.numberOf(key);
    list.setView(number, ARCHIVED, list.updatedAt(number));
  }

  /** A person of one object becomes one of another, under the same key. */
  convert(from: string, key: number, to: string): void {
    this.remove(from, key);
    const list = this.listOf(objectNamed(to));
    list.adopt(list.append(this.nowSeconds(), 0), key);
  }

  /** Into one record: what stands below the others moves to it, and they stay, closed. As Freshdesk merges tickets. */
  mergeInto(objectName: string, primary: number, others: readonly number[]): void {
    for (const other of others) {
      for (const child of childrenOf(objectName)) {
        for (const text of this.childrenOf(child, other) ?? []) {
          const fields = JSON.parse(text) as Fields & { id: number };
          this.addChild(child.name, primary, fields);
          this.editChild(child.name, fields.id, null);
        }
      }
      this.update(objectName, other, { status: CLOSED });
    }
  }

  /**
   * Into one record: the others are gone for good, and what referred to them refers to it, without a newer version. As
   * Freshdesk merges contacts.
   */
  absorb(objectName: string, primary: number, others: readonly number[]): void {
    const gone = new Set(others);
    for (const other of others) this.remove(objectName, other);
    for (const [name, list] of this.#lists) {
      const columns =
        list.object.rows === null
          ? list.object.columns.filter((c) => c.references === objectName).map((c) => c.name)
          : [];
      if (columns.length === 0) continue;
      for (let number = 0; number < list.length; number++) {
        const fields = JSON.parse(this.textOf(list.object, number, NOTHING_HIDDEN)) as Fields;
        const stale = columns.filter((column) => gone.has(fields[column] as number));
        if (stale.length > 0)
          this.update(
            name,
            list.keyOf(number),
            Object.fromEntries(stale.map((column) => [column, primary])),
            list.updatedAt(number),
          );
      }
    }
  }

  /** For good: no list and no view shows it again. */
  remove(objectName: string, key: number): void {
    const list = this.listOf(objectNamed(objectName));
    list.setView(list.numberOf(key), REMOVED, this.nowSeconds());
  }

  /** Makes changes show whose time has come. Every answer begins with it. */
  settle(): void {
    this.#age();
    while (this.#unseen.length > 0 && (this.#unseen[0] as Unseen).at <= this.#now())
      (this.#unseen.shift() as Unseen).show();
  }

  /** What time alone does to records, once a day of the account's clock. */
  #age(): void {
    const { purgeAfterDays, archiveAfterDays } = this.options;
    if (purgeAfterDays === undefined && archiveAfterDays === undefined) return;
    const now = this.nowSeconds();
    if (now - this.#agedAt < DAY_SECONDS) return;
    this.#agedAt = now;
    for (const [name, list] of this.#lists) {
      const { views, single } = list.object;
      for (let number = 0; number < list.length; number++) {
        const rested = (now - list.updatedAt(number)) / DAY_SECONDS;
        const view = views[list.viewOf(number)];
        if (view && view.deleted !== null && rested >= (purgeAfterDays ?? Number.POSITIVE_INFINITY))
          this.remove(name, list.keyOf(number));
        const isArchived = single?.elsewhere.some((e) => e.deleted === null) === true;
        if (view?.deleted !== null || !isArchived || rested < (archiveAfterDays ?? Number.POSITIVE_INFINITY)) continue;
        const { status } = JSON.parse(this.textOf(list.object, number, NOTHING_HIDDEN)) as { status?: number };
        if (status === CLOSED) this.archive(name, list.keyOf(number));
      }
    }
  }

  /** Changes of one record show in the order in which they were made. */
  #change(number: number, show: () => void): void {
    const lagMs = this.#lag(number) * 1000;
    if (lagMs === 0 && this.#unseen.length === 0) return show();
    const at = this.#now() + lagMs;
    const earlier = this.#unseen.findLast((u) => u.number === number);
    const entry = { number, at: Math.max(at, earlier?.at ?? 0), show };
    const place = this.#unseen.findLastIndex((u) => u.at <= entry.at);
    this.#unseen.splice(place + 1, 0, entry);
  }

  #lag(number: number): number {
    const most = this.options.lagSeconds ?? 0;
    return most === 0 ? 0 : (hash(this.options.seed, number, this.nowSeconds()) % (most * 1000 + 1)) / 1000;
  }

  /** The children that a parent's own list shows: of those that stand within one another the uppermost; null: no such parent. */
  childrenAtTop(object: ObjectSpec, parentKey: number, archived: boolean): string[] | null {
    const { way } = object;
    const all = this.childrenOf(object, parentKey, archived);
    if (all === null || way.kind !== 'children' || way.within === undefined) return all === null ? null : [...all];
    const { column } = way.within;
    return all.filter((text) => (JSON.parse(text) as Fields)[column] == null);
  }

  /** The children that stand within another one; null: there is no such other. */
  childrenWithin(object: ObjectSpec, key: number): string[] | null {
    const { way } = object;
    if (way.kind !== 'children' || way.within === undefined)
      throw new TypeError(`${object.name} do not stand within one another`);
    const { column } = way.within;
    const all = [...this.everything(object.name)].map(({ text }) => [JSON.parse(text) as Fields, text] as const);
    return all.some(([fields]) => fields['id'] === key)
      ? all.flatMap(([fields, text]) => (fields[column] === key ? [text] : []))
      : null;
  }

  addChild(objectName: string, parentKey: number, fields: Fields = {}): number {
    const object = objectNamed(objectName);
    const siblings = this.childrenOf(object, parentKey);
    if (siblings === null || object.way.kind !== 'children') throw new TypeError(`no parent ${parentKey}`);
    const key = KEY_BASE * 2 + ++this.#added;
    const like = siblings[0] === undefined ? {} : (JSON.parse(siblings[0]) as Fields);
    const now = rfc3339(this.nowSeconds());
    const child = { ...like, created_at: now, updated_at: now, ...fields, id: key, [object.way.column]: parentKey };
    const at = `${objectName}/${parentKey}`;
    this.#childAdds.set(at, [...(this.#childAdds.get(at) ?? []), child]);
    if (this.#lists.has(object.way.parent)) this.update(object.way.parent, parentKey, {});
    return key;
  }

  /** Edits a child without moving its parent's `updated_at`, as Freshdesk does with notes; null removes it. */
  editChild(objectName: string, key: number, fields: Fields | null): void {
    this.#childEdits.set(`${objectName}/${key}`, fields);
  }

  /** The records of an object as the account holds them: view → JSON texts, with every column. For comparisons. */
  *everything(objectName: string): Generator<{ readonly view: View; readonly text: string }> {
    const object = objectNamed(objectName);
    const { way } = object;
    if (object.rows !== null) {
      const above = way.kind === 'children' ? { [way.column]: idIn(object) } : {};
      for (const answer of this.answersOf(object)) {
        for (const row of object.rows(answer))
          yield { view: object.views[0] as View, text: JSON.stringify({ ...above, ...row }) };
      }
      return;
    }
    if (way.kind === 'children') {
      for (const { view, text } of this.everything(way.parent)) {
        if (view.deleted !== null) continue;
        const key = (JSON.parse(text) as { id: number }).id;
        for (const child of this.childrenOf(object, key, false) ?? this.childrenOf(object, key, true) ?? [])
          yield { view: object.views[0] as View, text: child };
      }
      return;
    }
    const list = this.listOf(object);
    for (let number = 0; number < list.length; number++) {
      const view = object.views[list.viewOf(number) === ARCHIVED ? 0 : list.viewOf(number)];
      if (view) yield { view, text: this.textOf(object, number, NOTHING_HIDDEN) };
    }
  }

  #agedAt = 0;
  /** What only a record's own address shows. */
  detailOf(object: ObjectSpec, key: number): Fields {
    const number = this.listOf(object).numberOf(key);
    return Object.fromEntries(
      (object.single?.columns ?? []).map((name, i) => [name, [hash(this.options.seed, number, 40 + i) % 1000]]),
    );
  }

  /** What is answered for an object whose answers are no lists of its records. */
  answersOf(object: ObjectSpec): Json[] {
    if (object.list.answers !== null) return Object.values(object.list.answers) as Json[];
    const owner = catalogue.find((o) => o.path === object.path && o.rows === null) as ObjectSpec;
    return [[...this.everything(owner.name)].map(({ text }) => JSON.parse(text) as Json)];
  }

  readonly #unseen: Unseen[] = [];
  readonly #childEdits = new Map<string, Fields | null>();
  readonly #childAdds = new Map<string, Fields[]>();
  #added = 0;

  #fill(gap: Gap, key: number, created: number, updated: number, number: number, parentKey: number): string {
    switch (gap.kind) {
      case 'key':
        return String(key);
      case 'created':
        return rfc3339(created);
      case 'updated':
        return rfc3339(updated);
      case 'parent':
        return String(parentKey);
      case 'bigKey':
        // Keys of the organisation: 19 digits, beyond what a double holds.
        return `18482956273${String(10_000_000 + (hash(this.options.seed, number, 7) % 90_000_000)).slice(0, 8)}`;
      case 'reference':
        return String(this.#reference(gap.object, number, gap.salt));
      default:
        return unreachable(gap);
    }
  }

  /** The key of some record of another object, the same one each time. */
  #reference(objectName: string, number: number, salt: number): number {
    const list = this.#lists.get(objectName);
    if (!list || list.initialLength === 0) return KEY_BASE;
    return list.keyOf(hash(this.options.seed, number, salt) % list.initialLength);
  }

  #parent(
    objectName: string,
    key: number,
  ): { number: number; createdAt: number; updatedAt: number; archived: boolean } | null {
    const list = this.#lists.get(objectName);
    if (list) {
      const number = list.numberOf(key);
      if (number < 0 || number >= list.length || list.viewOf(number) === REMOVED) return null;
      return {
        number,
        createdAt: list.createdAt(number),
        updatedAt: list.updatedAt(number),
        archived: list.isArchived(number),
      };
    }
    // A child that is a parent itself.
    const object = objectNamed(objectName);
    if (object.way.kind !== 'children') return null;
    const number = key - keyBase(object);
    const above = this.#parent(
      object.way.parent,
      this.#keyByNumber(object.way.parent, Math.floor(number / CHILDREN_MAX)),
    );
    if (above === null || number % CHILDREN_MAX >= this.#childCount(object, above.number)) return null;
    if (this.#childEdits.get(`${objectName}/${key}`) === null) return null;
    return { number, createdAt: above.createdAt, updatedAt: above.updatedAt, archived: false };
  }

  #keyByNumber(objectName: string, number: number): number {
    const list = this.#lists.get(objectName);
    return list ? list.keyOf(number) : keyBase(objectNamed(objectName)) + number;
  }

  #childCount(object: ObjectSpec, parentNumber: number): number {
    const { typicalCount } = object;
    const average =
      this.options.counts?.[object.name] ?? (typeof typicalCount === 'number' ? typicalCount : typicalCount.times);
    return Math.min(
      CHILDREN_MAX,
      hash(this.options.seed, parentNumber, object.name.length) % Math.round(average * 2 + 1),
    );
  }
}

const NOTHING_HIDDEN: ReadonlySet<string> = new Set();
const DAY_SECONDS = 86_400;
/** The status of a closed ticket. [documented] */
const CLOSED = 5;

/** A change that was made and does not show yet. */
interface Unseen {
  readonly number: number;
  readonly at: number;
  readonly show: () => void;
}

function childKey(object: ObjectSpec, parentNumber: number, n: number): number {
  return keyBase(object) + parentNumber * CHILDREN_MAX + n;
}

/** What marks a record of a view: the boolean column that the view is asked for by. */
function viewFields(object: ObjectSpec, view: number): Fields {
  if (view === ARCHIVED) return { archived: true };
  const asked = Object.values(object.views[view]?.query ?? {});
  return Object.fromEntries(
    asked.filter((name) => object.columns.some((c) => c.name === name)).map((name) => [name, true]),
  );
}

function withoutHidden(edit: Fields | undefined, hidden: ReadonlySet<string>): Fields {
  return Object.fromEntries(Object.entries(edit ?? {}).filter(([name]) => !hidden.has(name)));
}

/** The parent's key in the path of a child's fixed answers. */
function idIn({ path, list }: ObjectSpec): number {
  const answered = Object.keys(list.answers ?? {})[0] ?? '';
  return Number(new RegExp(path.replace('{id}', '(\\d+)')).exec(answered)?.[1]);
}

const dayCache = new Map<number, string>();

/** Whole seconds as `YYYY-MM-DDTHH:MM:SSZ`; the day's text is remembered, for records by the million. */
function rfc3339(seconds: number): string {
  const day = Math.floor(seconds / 86_400);
  let date = dayCache.get(day);
  if (date === undefined) {
    date = new Date(day * 86_400_000).toISOString().slice(0, 11);
    dayCache.set(day, date);
  }
  const rest = seconds - day * 86_400;
  return `${date}${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}Z`;
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const two = (n: number): string => TWO_DIGITS[n] as string;
