import { assertNever } from '@freshet/contracts';
import type { ObjectSpec } from '@freshet/freshdesk-extractor';
import type { AccountOptions, Fields } from './account-options.ts';
import { NO_HIDDEN_COLUMNS } from './account-options.ts';
import { ByteWriter } from './byte-writer.ts';
import { hash } from './random.ts';
import { ARCHIVED_VIEW, KEY_BASE, type RecordList } from './record-list.ts';
import { type Gap, type Template, Templates } from './templates.ts';
import { formatTimestamp } from './timestamps.ts';

/** The values that differ between records of one template. Times are in seconds. */
export interface RecordValues {
  readonly key: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The record's number, which determines the record's references. */
  readonly number: number;
  /** The parent's key; 0 for records without a parent. */
  readonly parentKey: number;
}

/** The records to render. */
export interface RecordSelection {
  /**
   * The object that declares the columns. Simulations pass an object with fewer columns than
   * `list.object`.
   */
  readonly object: ObjectSpec;
  readonly list: RecordList;
  /** The columns to omit. */
  readonly hidden: ReadonlySet<string>;
}

/** Renders records as JSON, from templates and the edits of their lists. */
export class RecordWriter {
  readonly #seed: number;
  readonly #lists: ReadonlyMap<string, RecordList>;
  readonly #templates: Templates;
  readonly #page = new ByteWriter();
  /** Receives the template of a record before the record's changes are applied. */
  readonly #unchanged = new ByteWriter();

  constructor({ seed, documentedShapesOnly = false }: AccountOptions, lists: ReadonlyMap<string, RecordList>) {
    this.#seed = seed;
    this.#lists = lists;
    this.#templates = new Templates(seed, documentedShapesOnly, (object, number, salt) =>
      this.#pickReference(object, number, salt),
    );
  }

  /** Renders one record of a list. */
  renderRecord(selection: RecordSelection, number: number): string {
    this.#writeRecord(this.#page, selection, number);
    return this.#page.takeText();
  }

  /** Renders a JSON array of records of a list. */
  renderRecords(selection: RecordSelection, numbers: readonly number[]): Buffer {
    this.#page.writeAscii('[');
    for (let i = 0; i < numbers.length; i++) {
      if (i > 0) this.#page.writeAscii(',');
      this.#writeRecord(this.#page, selection, numbers[i] as number);
    }
    this.#page.writeAscii(']');
    return this.#page.take();
  }

  /** Renders a record that is not part of a `RecordList`, such as a child, without its changes. */
  renderFromTemplate(object: ObjectSpec, values: RecordValues, hidden = NO_HIDDEN_COLUMNS): string {
    const template = this.#templates.get(object, values.number, hidden);
    this.#writeTemplate(this.#page, template, values);
    return this.#page.takeText();
  }

  #writeRecord(writer: ByteWriter, { object, list, hidden }: RecordSelection, number: number): void {
    const edit = list.edits.get(number);
    const view = list.getView(number);
    const isUnchanged = edit === undefined && view === 0;
    const target = isUnchanged ? writer : this.#unchanged;
    const fixed = object.list.fixedRecords?.[number];
    if (fixed) target.writeBytes(Buffer.from(JSON.stringify(fixed)));
    else
      this.#writeTemplate(target, this.#templates.get(object, number, hidden), {
        key: list.getKey(number),
        createdAt: list.getCreatedAt(number),
        updatedAt: list.getUpdatedAt(number),
        number,
        parentKey: 0,
      });
    if (isUnchanged) return;
    const fields = JSON.parse(target.takeText()) as Fields;
    const changes = { ...getViewFields(object, view), ...omitHidden(edit, hidden) };
    writer.writeBytes(Buffer.from(JSON.stringify({ ...fields, ...changes })));
  }

  #writeTemplate(writer: ByteWriter, { texts, gaps }: Template, values: RecordValues): void {
    writer.writeBytes(texts[0] as Buffer);
    for (let g = 0; g < gaps.length; g++) {
      writer.writeAscii(this.#fillGap(gaps[g] as Gap, values));
      writer.writeBytes(texts[g + 1] as Buffer);
    }
  }

  #fillGap(gap: Gap, { key, createdAt, updatedAt, number, parentKey }: RecordValues): string {
    switch (gap.kind) {
      case 'key':
        return String(key);
      case 'created':
        return formatTimestamp(createdAt);
      case 'updated':
        return formatTimestamp(updatedAt);
      case 'parent':
        return String(parentKey);
      case 'bigKey':
        // Keys of the organization have 19 digits, more than a double can represent exactly.
        return `18482956273${String(10_000_000 + (hash(this.#seed, number, 7) % 90_000_000)).slice(0, 8)}`;
      case 'reference':
        return String(this.#pickReference(gap.object, number, gap.salt));
      default:
        return assertNever(gap);
    }
  }

  /** Returns the key of a record of the given object. The key is the same for equal arguments. */
  #pickReference(objectName: string, number: number, salt: number): number {
    const list = this.#lists.get(objectName);
    if (!list || list.initialLength === 0) return KEY_BASE;
    return list.getKey(hash(this.#seed, number, salt) % list.initialLength);
  }
}

/** Returns the boolean fields that are true for the records of a view, such as `deleted`. */
export function getViewFields(object: ObjectSpec, view: number): Fields {
  if (view === ARCHIVED_VIEW) return { archived: true };
  const filters = Object.values(object.views[view]?.query ?? {});
  return Object.fromEntries(
    filters.filter((name) => object.columns.some((c) => c.name === name)).map((name) => [name, true]),
  );
}

function omitHidden(edit: Fields | undefined, hidden: ReadonlySet<string>): Fields {
  if (edit !== undefined && hidden.size === 0) return edit;
  return Object.fromEntries(Object.entries(edit ?? {}).filter(([name]) => !hidden.has(name)));
}
