import type { Json } from '@freshet/contracts';
import { catalogue, getObject, type ListView, listChildren, type ObjectSpec } from '@freshet/freshdesk-extractor';
import { type AccountOptions, type Fields, NO_HIDDEN_COLUMNS } from './account-options.ts';
import { type Activity, ActivityLog } from './activity-log.ts';
import { ChildRecords } from './child-records.ts';
import { PendingChanges } from './pending-changes.ts';
import { hash } from './random.ts';
import { ARCHIVED_VIEW, DELETED_VIEW, PENDING_VIEW, RecordList } from './record-list.ts';
import { getViewFields, RecordWriter } from './record-writer.ts';
import { formatTimestamp } from './timestamps.ts';

const DAY_SECONDS = 86_400;
/** The status of a closed ticket. [documented] */
const CLOSED = 5;

/**
 * A deterministic Freshdesk account of any size. For each record of a list, it stores only the view
 * and two timestamps. It also stores all changes. It generates everything else, including the
 * children, on request from the seed and the record's number.
 *
 * Methods that change records set `updated_at` to the current time of the account's clock, unless
 * their documentation states otherwise.
 */
export class SimulatedAccount {
  readonly options: AccountOptions;
  readonly #lists = new Map<string, RecordList>();
  readonly #writer: RecordWriter;
  readonly #children: ChildRecords;
  readonly #pending: PendingChanges;
  readonly #activityLog: ActivityLog;
  readonly #now: () => number;
  /** When retention was last applied, in seconds. */
  #retentionAppliedAt = 0;

  constructor(options: AccountOptions) {
    this.options = options;
    this.#now = options.now ?? Date.now;
    this.#pending = new PendingChanges(this.#now);
    for (const object of catalogue) {
      if (object.strategy.kind !== 'children' && object.strategy.kind !== 'daily-export')
        this.#lists.set(object.name, new RecordList(object, options, this.getInitialCount(object)));
    }
    this.#writer = new RecordWriter(options, this.#lists);
    this.#children = new ChildRecords(options, this.#lists, this.#writer);
    this.#activityLog = new ActivityLog(options, this.#lists, this.#writer);
  }

  /**
   * Returns the initial number of records of an object. For a child object that `counts` does not
   * contain, returns the expected total over all parents.
   */
  getInitialCount(object: ObjectSpec): number {
    if (object.list.fixedRecords !== null) return object.list.fixedRecords.length;
    const count = this.options.counts?.[object.name];
    if (count !== undefined) return count;
    const { typicalCount } = object;
    if (typeof typicalCount === 'number') return typicalCount;
    return Math.round(this.getInitialCount(getObject(typicalCount.perRecordOf)) * typicalCount.factor);
  }

  /** The account's clock in whole seconds. */
  nowSeconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  /** @throws TypeError for an object whose records can be listed only under a parent record. */
  getList(object: ObjectSpec): RecordList {
    const list = this.#lists.get(object.name);
    if (!list) throw new TypeError(`${object.name} can be listed only under a parent record.`);
    return list;
  }

  /** Renders one record as JSON, without the `hidden` columns. */
  renderRecord(object: ObjectSpec, number: number, hidden: ReadonlySet<string>): string {
    return this.#writer.renderRecord({ object, list: this.getList(object), hidden }, number);
  }

  /** Renders a JSON array of records, without the `hidden` columns. */
  renderRecords(object: ObjectSpec, numbers: readonly number[], hidden: ReadonlySet<string>): Buffer {
    return this.#writer.renderRecords({ object, list: this.getList(object), hidden }, numbers);
  }

  /**
   * Lists all children of a parent as JSON, oldest first. Finds only archived parents if `archived`
   * is true, and only parents that are not archived if it is false. Returns null if the parent is
   * not found.
   */
  listChildren(object: ObjectSpec, parentKey: number, archived = false): string[] | null {
    return this.#children.list(object, parentKey, archived);
  }

  /** Like {@link listChildren}, but without children that are nested in other children. */
  listTopLevelChildren(object: ObjectSpec, parentKey: number, archived: boolean): string[] | null {
    const { strategy } = object;
    const children = this.listChildren(object, parentKey, archived);
    if (children === null || strategy.kind !== 'children' || strategy.nested === undefined) return children;
    const { parentColumn } = strategy.nested;
    return children.filter((text) => (JSON.parse(text) as Fields)[parentColumn] == null);
  }

  /**
   * Lists the children that are nested in the child with the key `key`. Returns null if that child
   * does not exist.
   */
  listNestedChildren(object: ObjectSpec, key: number): string[] | null {
    const { strategy } = object;
    if (strategy.kind !== 'children' || strategy.nested === undefined)
      throw new TypeError(`${object.name} does not have nested children.`);
    const { parentColumn } = strategy.nested;
    const all = [...this.listAllRecords(object.name)].map(({ text }) => [JSON.parse(text) as Fields, text] as const);
    return all.some(([fields]) => fields['id'] === key)
      ? all.flatMap(([fields, text]) => (fields[parentColumn] === key ? [text] : []))
      : null;
  }

  /**
   * Updates fields of a record.
   * @param at the new `updated_at` in seconds. An earlier time simulates a change that does not
   * advance `updated_at`.
   */
  update(objectName: string, key: number, fields: Fields, at = this.nowSeconds()): void {
    const list = this.getList(getObject(objectName));
    const number = list.findNumber(key);
    if (this.#activityLog.covers(objectName) && this.#activityLog.hasRecordedField(fields)) {
      const before = this.#readFields(list, number, [...Object.keys(fields), 'responder_id']);
      this.#activityLog.recordUpdate(this.nowSeconds(), before, { ...before, ...fields });
    }
    this.#apply(number, () => {
      if (Object.keys(fields).length > 0) list.edits.set(number, { ...list.edits.get(number), ...fields });
      list.touch(number, at);
    });
  }

  /**
   * Lists the activities of one day, oldest first: the creations and changes of the account's
   * tickets.
   * @param day such as `2026-12-31`.
   * @param offsetHours how many hours after midnight UTC the day starts.
   */
  listActivities(day: string, offsetHours = 0): Activity[] {
    const from = Date.parse(`${day}T00:00:00Z`) / 1000 + offsetHours * 3600;
    return this.#activityLog.list(from, from + DAY_SECONDS);
  }

  /** Returns at least the key and the given fields of a record. Rendering the record is slower. */
  #readFields(list: RecordList, number: number, names: readonly string[]): Fields {
    const edits = list.edits.get(number) ?? {};
    return names.every((name) => name in edits)
      ? { ...edits, id: list.getKey(number) }
      : this.#parseRecord(list, number);
  }

  #parseRecord(list: RecordList, number: number): Fields {
    return JSON.parse(this.renderRecord(list.object, number, NO_HIDDEN_COLUMNS)) as Fields;
  }

  /** Creates a record. @returns the key of the record. */
  create(objectName: string, fields: Fields = {}): number {
    const list = this.getList(getObject(objectName));
    const at = this.nowSeconds();
    const number = list.append(at, this.#getLagSeconds(list.length) > 0 ? PENDING_VIEW : 0);
    this.#setInitialFields(list, number, fields);
    if (this.#activityLog.covers(objectName)) {
      const initialFields = list.edits.get(number);
      const values = { key: list.getKey(number), createdAt: at, updatedAt: at, number, parentKey: 0 };
      this.#activityLog.recordCreation(at, values, initialFields);
    }
    if (list.getView(number) === PENDING_VIEW) this.#apply(number, () => list.setView(number, 0, at));
    return list.getKey(number);
  }

  /**
   * Sets the fields of a new record. With `fillDelaySeconds`, a column with `setAfterCreation` that
   * `fields` does not contain is null until this time has passed.
   */
  #setInitialFields(list: RecordList, number: number, fields: Fields): void {
    const { fillDelaySeconds } = this.options;
    const delayed =
      fillDelaySeconds === undefined
        ? []
        : list.object.columns.filter((c) => c.setAfterCreation && !(c.name in fields)).map((c) => c.name);
    const edits = { ...Object.fromEntries(delayed.map((name) => [name, null])), ...fields };
    if (Object.keys(edits).length > 0) list.edits.set(number, edits);
    if (delayed.length === 0) return;
    const value = formatTimestamp(this.nowSeconds() + 3600);
    this.#pending.scheduleUnordered(number, (fillDelaySeconds ?? 0) * 1000, () =>
      list.edits.set(number, {
        ...list.edits.get(number),
        ...Object.fromEntries(delayed.map((name) => [name, value])),
      }),
    );
  }

  /** Moves a record to a different view of its object, such as from `live` to `trash`. */
  move(objectName: string, key: number, view: string): void {
    const object = getObject(objectName);
    const list = this.getList(object);
    const index = object.views.findIndex((v) => v.name === view);
    if (index < 0) throw new TypeError(`${objectName} has no view ${view}.`);
    const number = list.findNumber(key);
    const at = this.nowSeconds();
    if (this.#activityLog.covers(objectName)) {
      const changes = {
        ...mapValues(getViewFields(object, list.getView(number)), () => false),
        ...getViewFields(object, index),
      };
      this.#activityLog.recordMove(at, this.#parseRecord(list, number), changes);
    }
    this.#apply(number, () => list.setView(number, index, at));
  }

  /**
   * Moves a record to the archive. No list contains archived records, and only the archive endpoint
   * returns them. `updated_at` does not change.
   */
  archive(objectName: string, key: number): void {
    const list = this.getList(getObject(objectName));
    const number = list.findNumber(key);
    list.setView(number, ARCHIVED_VIEW, list.getUpdatedAt(number));
  }

  /**
   * Converts a person, such as a contact to an agent: deletes the record of the object `from`, and
   * creates a record of the object `to` with the same key.
   */
  convert(from: string, key: number, to: string): void {
    this.delete(from, key);
    const list = this.getList(getObject(to));
    list.assignKey(list.append(this.nowSeconds(), 0), key);
  }

  /**
   * Simulates a merge of tickets: moves the children of the records `others` to the record
   * `primary`, where the children have new keys, and closes `others`.
   */
  mergeAndClose(objectName: string, primary: number, others: readonly number[]): void {
    for (const other of others) {
      for (const child of listChildren(objectName)) {
        for (const text of this.listChildren(child, other) ?? []) {
          const fields = JSON.parse(text) as Fields & { id: number };
          // A moved child is not a new activity.
          this.#children.create(child, primary, fields, this.nowSeconds());
          this.update(objectName, primary, {});
          this.updateChild(child.name, fields.id, null);
        }
      }
      this.update(objectName, other, { status: CLOSED });
    }
    if (!this.#activityLog.covers(objectName)) return;
    const list = this.getList(getObject(objectName));
    const [target, ...merged] = [primary, ...others].map((key) => this.#parseRecord(list, list.findNumber(key)));
    this.#activityLog.recordMerge(this.nowSeconds(), target as Fields, merged);
  }

  /**
   * Simulates a merge of contacts: deletes the records `others`, and replaces references to
   * `others` with references to `primary`. The `updated_at` of the referring records does not
   * change.
   */
  mergeAndDelete(objectName: string, primary: number, others: readonly number[]): void {
    const deleted = new Set(others);
    for (const other of others) this.delete(objectName, other);
    for (const [name, list] of this.#lists) {
      const columns =
        list.object.parseRecords === null
          ? list.object.columns.filter((c) => c.references === objectName).map((c) => c.name)
          : [];
      if (columns.length === 0) continue;
      for (let number = 0; number < list.length; number++) {
        const fields = JSON.parse(this.renderRecord(list.object, number, NO_HIDDEN_COLUMNS)) as Fields;
        const stale = columns.filter((column) => deleted.has(fields[column] as number));
        if (stale.length === 0) continue;
        const changes = Object.fromEntries(stale.map((column) => [column, primary]));
        this.update(name, list.getKey(number), changes, list.getUpdatedAt(number));
      }
    }
  }

  /** Deletes a record permanently. No endpoint returns the record afterwards. */
  delete(objectName: string, key: number): void {
    const list = this.getList(getObject(objectName));
    list.setView(list.findNumber(key), DELETED_VIEW, this.nowSeconds());
  }

  /**
   * Creates a child, and sets the parent's `updated_at` to the current time, unless the parent is
   * itself a child record.
   * @returns the child's key.
   */
  createChild(objectName: string, parentKey: number, fields: Fields = {}): number {
    const object = getObject(objectName);
    const child = this.#children.create(object, parentKey, fields, this.nowSeconds());
    this.#activityLog.recordChild(this.nowSeconds(), object, parentKey, child);
    if (object.strategy.kind === 'children' && this.#lists.has(object.strategy.parent))
      this.update(object.strategy.parent, parentKey, {});
    return child.id;
  }

  /**
   * Replaces the edits of a generated child with `fields`, or deletes a child if `fields` is null.
   * The parent's `updated_at` does not change, as for notes in Freshdesk.
   */
  updateChild(objectName: string, key: number, fields: Fields | null): void {
    this.#children.update(objectName, key, fields);
  }

  /**
   * Applies retention and the pending changes that are due. Must be called before records are read
   * for a response.
   */
  applyPendingChanges(): void {
    this.#applyRetention();
    this.#pending.applyDue();
  }

  /** Purges and archives old records, at most once per day of the account's clock. */
  #applyRetention(): void {
    const { purgeAfterDays = Number.POSITIVE_INFINITY, archiveAfterDays = Number.POSITIVE_INFINITY } = this.options;
    if (purgeAfterDays === Number.POSITIVE_INFINITY && archiveAfterDays === Number.POSITIVE_INFINITY) return;
    const now = this.nowSeconds();
    if (now - this.#retentionAppliedAt < DAY_SECONDS) return;
    this.#retentionAppliedAt = now;
    for (const [name, list] of this.#lists) {
      const { views, detail } = list.object;
      const hasArchive = detail?.fallbackLookups.some((lookup) => lookup.deleteKind === null) === true;
      for (let number = 0; number < list.length; number++) {
        const ageDays = (now - list.getUpdatedAt(number)) / DAY_SECONDS;
        const view = views[list.getView(number)];
        if (view === undefined) continue;
        if (view.deleteKind !== null) {
          if (ageDays >= purgeAfterDays) this.delete(name, list.getKey(number));
          continue;
        }
        if (!hasArchive || ageDays < archiveAfterDays) continue;
        const text = this.renderRecord(list.object, number, NO_HIDDEN_COLUMNS);
        if ((JSON.parse(text) as { status?: number }).status === CLOSED) this.archive(name, list.getKey(number));
      }
    }
  }

  #apply(number: number, change: () => void): void {
    this.#pending.schedule(number, this.#getLagSeconds(number) * 1000, change);
  }

  /** Returns the delay in seconds until a change of the record becomes visible. */
  #getLagSeconds(number: number): number {
    const max = this.options.lagSeconds ?? 0;
    return max === 0 ? 0 : (hash(this.options.seed, number, this.nowSeconds()) % (max * 1000 + 1)) / 1000;
  }

  /**
   * Lists the records of an object with every column of its list, as JSON: archived records and the
   * records of all views, but no permanently deleted records and no records that are not visible
   * yet. For a child object, lists the children of all parents that are not deleted. These records
   * are the expected content of the object's table.
   */
  *listAllRecords(objectName: string): Generator<{ readonly view: ListView; readonly text: string }> {
    const object = getObject(objectName);
    const { strategy } = object;
    const live = object.views[0] as ListView;
    if (strategy.kind === 'daily-export') return;
    if (object.parseRecords !== null) {
      const parent = strategy.kind === 'children' ? { [strategy.parentColumn]: findParentKey(object) } : {};
      for (const response of this.listResponses(object)) {
        for (const record of object.parseRecords(response))
          yield { view: live, text: JSON.stringify({ ...parent, ...record }) };
      }
      return;
    }
    if (strategy.kind === 'children') {
      for (const { view, text } of this.listAllRecords(strategy.parent)) {
        if (view.deleteKind !== null) continue;
        const key = (JSON.parse(text) as { id: number }).id;
        for (const child of this.listChildren(object, key, false) ?? this.listChildren(object, key, true) ?? [])
          yield { view: live, text: child };
      }
      return;
    }
    const list = this.getList(object);
    for (let number = 0; number < list.length; number++) {
      const view = list.isArchived(number) ? live : object.views[list.getView(number)];
      if (view) yield { view, text: this.renderRecord(object, number, NO_HIDDEN_COLUMNS) };
    }
  }

  /** Returns the fields that lists omit, and only the endpoint for single records returns. */
  getDetailFields(object: ObjectSpec, key: number): Fields {
    const number = this.getList(object).findNumber(key);
    return Object.fromEntries(
      (object.detail?.columns ?? []).map((name, i) => [name, [hash(this.options.seed, number, 40 + i) % 1000]]),
    );
  }

  /**
   * Lists the response bodies of an object whose records are extracted from the bodies by
   * `parseRecords`.
   */
  listResponses(object: ObjectSpec): Json[] {
    if (object.list.responses !== null) return Object.values(object.list.responses) as Json[];
    const source = catalogue.find((o) => o.path === object.path && o.parseRecords === null) as ObjectSpec;
    return [[...this.listAllRecords(source.name)].map(({ text }) => JSON.parse(text) as Json)];
  }
}

/** Finds the parent's key in the path of a child object's fixed response. */
function findParentKey({ path, list }: ObjectSpec): number {
  const responsePath = Object.keys(list.responses ?? {})[0] ?? '';
  return Number(new RegExp(path.replace('{id}', '(\\d+)')).exec(responsePath)?.[1]);
}

function mapValues(fields: Fields, map: (value: unknown) => unknown): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, map(value)]));
}
