import { getObject, type ObjectSpec } from '@freshet/freshdesk-extractor';
import type { AccountOptions, Fields } from './account-options.ts';
import { hash } from './random.ts';
import { DELETED_VIEW, getKeyBase, KEY_BASE, type RecordList } from './record-list.ts';
import type { RecordWriter } from './record-writer.ts';
import { formatTimestamp } from './timestamps.ts';

/**
 * The maximum number of generated children per parent. The record number of a generated child is
 * the parent's record number × `CHILDREN_MAX` + the child's index under that parent.
 */
const CHILDREN_MAX = 64;

interface Parent {
  readonly number: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly isArchived: boolean;
}

/**
 * Records that can be listed only under a parent record. Most of these records are generated on
 * request. Only created children and edits of generated children are stored.
 */
export class ChildRecords {
  readonly #options: AccountOptions;
  readonly #lists: ReadonlyMap<string, RecordList>;
  readonly #writer: RecordWriter;
  /** The changed fields of each edited child, by object and key. Null marks a deleted child. */
  readonly #edits = new Map<string, Fields | null>();
  /** The created children, by object and parent's key. */
  readonly #created = new Map<string, Fields[]>();
  #createdCount = 0;

  constructor(options: AccountOptions, lists: ReadonlyMap<string, RecordList>, writer: RecordWriter) {
    this.#options = options;
    this.#lists = lists;
    this.#writer = writer;
  }

  /**
   * Lists all children of a parent as JSON, oldest first.
   * @param archived true to find only archived parents, false to find only parents that are not
   * archived.
   * @returns the children, or null if the parent is not found.
   */
  list(object: ObjectSpec, parentKey: number, archived = false): string[] | null {
    const { strategy } = object;
    if (strategy.kind !== 'children') throw new TypeError(`${object.name} is not a child object.`);
    const parent = this.#findParent(strategy.parent, parentKey);
    if (parent === null || parent.isArchived !== archived) return null;
    const texts: string[] = [];
    for (let n = 0; n < this.#countChildren(object, parent.number); n++) {
      const number = parent.number * CHILDREN_MAX + n;
      const key = getKeyBase(object) + number;
      const edit = this.#edits.get(`${object.name}/${key}`);
      if (edit === null) continue;
      const at = parent.createdAt + Math.floor(((parent.updatedAt - parent.createdAt) * (n + 1)) / (CHILDREN_MAX + 1));
      const text = this.#writer.renderFromTemplate(object, { key, createdAt: at, updatedAt: at, number, parentKey });
      texts.push(edit === undefined ? text : JSON.stringify({ ...JSON.parse(text), ...edit }));
    }
    for (const child of this.#created.get(`${object.name}/${parentKey}`) ?? []) {
      if (this.#edits.get(`${object.name}/${child['id'] as number}`) !== null) texts.push(JSON.stringify(child));
    }
    return texts;
  }

  /**
   * Creates a child with the given fields. The other fields, except the key, the times and the
   * parent's key, are copied from the first sibling, if the parent has children.
   * @param at the creation time, in seconds.
   * @returns the child.
   * @throws TypeError if the parent does not exist or is archived.
   */
  create(object: ObjectSpec, parentKey: number, fields: Fields, at: number): Fields & { readonly id: number } {
    const { strategy } = object;
    const parent = strategy.kind === 'children' ? this.#findParent(strategy.parent, parentKey) : null;
    if (strategy.kind !== 'children' || parent === null || parent.isArchived)
      throw new TypeError(`Parent ${parentKey} does not exist.`);
    const created = this.#created.get(`${object.name}/${parentKey}`) ?? [];
    this.#created.set(`${object.name}/${parentKey}`, created);
    // If no siblings are generated, do not render them all, so that creating children is fast.
    const defaults =
      this.#countChildren(object, parent.number) === 0
        ? created.find((child) => this.#edits.get(`${object.name}/${child['id'] as number}`) !== null)
        : (JSON.parse(this.list(object, parentKey)?.[0] ?? '{}') as Fields);
    const key = KEY_BASE * 2 + ++this.#createdCount;
    const now = formatTimestamp(at);
    const child = {
      ...defaults,
      created_at: now,
      updated_at: now,
      ...fields,
      id: key,
      [strategy.parentColumn]: parentKey,
    };
    created.push(child);
    return child;
  }

  /**
   * Replaces the edits of a generated child with `fields`. If `fields` is null, deletes the child,
   * which can also be a created one.
   */
  update(objectName: string, key: number, fields: Fields | null): void {
    this.#edits.set(`${objectName}/${key}`, fields);
  }

  #findParent(objectName: string, key: number): Parent | null {
    const list = this.#lists.get(objectName);
    if (list) {
      const number = list.findNumber(key);
      if (number < 0 || number >= list.length || list.getView(number) === DELETED_VIEW) return null;
      return {
        number,
        createdAt: list.getCreatedAt(number),
        updatedAt: list.getUpdatedAt(number),
        isArchived: list.isArchived(number),
      };
    }
    // The parent is itself a child record.
    const object = getObject(objectName);
    const { strategy } = object;
    if (strategy.kind !== 'children') return null;
    const number = key - getKeyBase(object);
    const grandparentKey = this.#getKey(strategy.parent, Math.floor(number / CHILDREN_MAX));
    const grandparent = this.#findParent(strategy.parent, grandparentKey);
    if (grandparent === null || number % CHILDREN_MAX >= this.#countChildren(object, grandparent.number)) return null;
    if (this.#edits.get(`${objectName}/${key}`) === null) return null;
    return { number, createdAt: grandparent.createdAt, updatedAt: grandparent.updatedAt, isArchived: false };
  }

  #getKey(objectName: string, number: number): number {
    const list = this.#lists.get(objectName);
    return list ? list.getKey(number) : getKeyBase(getObject(objectName)) + number;
  }

  #countChildren(object: ObjectSpec, parentNumber: number): number {
    const { typicalCount } = object;
    const average =
      this.#options.counts?.[object.name] ?? (typeof typicalCount === 'number' ? typicalCount : typicalCount.factor);
    return Math.min(
      CHILDREN_MAX,
      hash(this.#options.seed, parentNumber, object.name.length) % Math.round(average * 2 + 1),
    );
  }
}
