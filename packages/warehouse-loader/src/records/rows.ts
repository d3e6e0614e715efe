import {
  ARRAY,
  type ColumnType,
  ESCAPED,
  EXPONENT,
  FALSE,
  FIELD_INTS,
  KIND,
  type Misfits,
  NULL,
  NUMBER,
  nameIs,
  nameOf,
  OBJECT,
  Places,
  parseJson,
  type SchemaPolicy,
  STRING,
  scanJson,
  type Table,
  TRUE,
} from '@freshet/contracts';
import { type LiveColumn, pathKey } from '../schema/columns.ts';
import type { Notes } from './clean.ts';
import { CopyBuffer } from './copy-buffer.ts';
import type { Identified } from './identify.ts';
import { isPlainDate, isPlainTimestamp, MISFIT, toSqlText, typeOfValue } from './values.ts';

export interface RowContext {
  readonly table: Table;
  readonly columns: readonly LiveColumn[];
  readonly policy: SchemaPolicy;
  /** Columns that keep their type: what does not fit them is kept in `_freshet_extra`. */
  readonly fixed: ReadonlySet<string>;
  /** Fields whose values are kept in `_freshet_extra`: field (`pathKey`) → its column, whose type cannot be written; null: it has no column. */
  readonly kept: ReadonlyMap<string, string | null>;
}

/** What records need of the table before they can be rows. */
export interface Wishes {
  /** Columns whose type does not hold a value, and might be widened. */
  readonly widen: Set<string>;
  /** Fields that no column holds: field (`pathKey`) → path and types. */
  readonly add: Map<string, { readonly path: readonly string[]; readonly types: Set<ColumnType> }>;
}

/** What is the same for all rows of a batch. */
export interface BatchMeta {
  readonly id: string;
  /** RFC 3339. */
  readonly extractedAt: string;
}

/** The columns that every row has beside its own, in the order in which they are written. */
export const WRITTEN_META = [
  '_freshet_extra',
  '_freshet_batch_id',
  '_freshet_extracted_at',
  '_freshet_loaded_at',
  '_freshet_hash',
  '_freshet_deleted_at',
  '_freshet_delete_kind',
  '_freshet_notes',
] as const;

const UNKNOWN = -1;

/** Which column a field fills, found anew only where records differ in the order of their fields. */
class Layout {
  /** A field's name → the place of its column. */
  readonly #columns: ReadonlyMap<string, number>;
  readonly #guesses: { name: string; column: number }[] = [];

  constructor(columns: ReadonlyMap<string, number>) {
    this.#columns = columns;
  }

  /** @param nth the field's place among those of its object. */
  columnOf(source: Buffer, fields: Int32Array, field: number, nth: number): number {
    const guess = this.#guesses[nth];
    if (guess !== undefined && nameIs(source, fields, field, guess.name)) return guess.column;
    const name = nameOf(source, fields, field);
    const column = this.#columns.get(name) ?? UNKNOWN;
    this.#guesses[nth] = { name, column };
    return column;
  }
}

/**
 * Writes records as rows of a table, in COPY's text format. A value that its column takes as it stands is moved as bytes; only
 * one that may not fit is read, and its type's own rules decide (`values.ts`).
 */
export class RowWriter {
  readonly #context: RowContext;
  readonly #wishes: Wishes;
  readonly #top: Layout;
  readonly #custom: Layout;
  readonly #types: readonly ColumnType[];
  /** Where each column's value stands in the record under way: start, end, kind; an end of 0: nowhere. */
  readonly #values: Int32Array;
  readonly out = new CopyBuffer();
  /** What of the record under way no column holds: name → JSON. */
  readonly #extra = new Map<string, string>();
  /** The column in which the account's own fields stand together; UNKNOWN: none. */
  readonly #customAt: number;
  /** Why the record under way cannot be a row; null: it can. */
  #refusal: string | null = null;
  /** Notes of the record under way. */
  #notes: Notes | null = null;
  #batchId = '';
  readonly #misfits = new Map<string, { -readonly [K in keyof Misfits]: Misfits[K] }>();
  /** Of the account's own fields, in the record under way. */
  readonly #customPlaces = new Places(4096);

  /** @param wishes collects what the table lacks; a row that was written meanwhile lacks it, too. */
  constructor(context: RowContext, wishes: Wishes) {
    this.#context = context;
    this.#wishes = wishes;
    const { columns } = context;
    const at = (length: number, part: number) =>
      new Map(
        columns.flatMap(({ path }, i): [string, number][] =>
          path.length === length ? [[path[part] as string, i]] : [],
        ),
      );
    this.#top = new Layout(at(1, 0));
    this.#custom = new Layout(at(2, 1));
    this.#types = columns.map((c) => c.type);
    this.#values = new Int32Array(columns.length * 3);
    this.#customAt = columns.findIndex(({ path }) => path.length === 1 && path[0] === context.table.customFields);
  }

  /** Values of the rows that were written which did not fit their columns, by batch and column. */
  get misfits(): readonly Misfits[] {
    return [...this.#misfits.values()];
  }

  /** @returns why the record cannot be a row; null when it was written. */
  write({ raw, deleted, hash, notes: cleaned }: Identified, meta: BatchMeta): string | null {
    const { table, columns, policy, fixed } = this.#context;
    const { out } = this;
    const values = this.#values.fill(0);
    this.#notes = cleaned;
    this.#refusal = null;
    this.#batchId = meta.id;
    this.#extra.clear();
    const { source } = raw;
    this.#place(source, raw.fields, raw.first, raw.end, this.#top, (name) => [name]);
    const { customFields } = table;
    if (
      customFields !== null &&
      this.#customAt !== UNKNOWN &&
      ((values[this.#customAt * 3 + 2] as number) & KIND) === OBJECT
    ) {
      const places = this.#customPlaces.clear();
      scanJson(source, 1, values[this.#customAt * 3] as number, values[this.#customAt * 3 + 1] as number, places);
      this.#place(source, places.fields, 0, places.fieldInts, this.#custom, (name) => [customFields, name]);
    }

    if (this.#refusal !== null) return this.#refusal;
    const began = out.length;
    for (let column = 0; column < columns.length; column++) {
      const end = values[column * 3 + 1] as number;
      if (end === 0) {
        out.raw(NOTHING, 0, NOTHING.length);
        continue;
      }
      const start = values[column * 3] as number;
      const kind = values[column * 3 + 2] as number;
      if (this.#put(source, start, end, kind, this.#types[column] as ColumnType)) continue;
      const { name, type, path } = columns[column] as LiveColumn;
      const value = parseJson(source.toString('utf8', start, end));
      const text = toSqlText(value, type);
      if (text !== MISFIT) {
        if (text === null) out.raw(NOTHING, 0, NOTHING.length);
        else {
          out.text(text);
          out.raw(TAB, 0, 1);
        }
        continue;
      }
      if (table.primaryKey.includes(name) || policy === 'freeze') {
        out.backTo(began);
        return `${table.primaryKey.includes(name) ? 'key' : 'value'}_not_${type}: ${name}`;
      }
      out.raw(NOTHING, 0, NOTHING.length);
      if (policy === 'discard') this.#noteMisfit('discarded', name, type);
      else if (fixed.has(name)) {
        this.#extra.set(path.join('.'), source.toString('utf8', start, end));
        this.#noteMisfit('kept_in_extra', name, type);
      } else this.#wishes.widen.add(name);
    }
    if (this.#extra.size === 0) out.raw(NOTHING, 0, NOTHING.length);
    else {
      const extra = Buffer.from(
        `{${[...this.#extra].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`,
      );
      out.json(extra, 0, extra.length);
      out.raw(TAB, 0, 1);
    }
    out.ascii(`${meta.id}\t${meta.extractedAt}\tnow\t\\\\x${hash}\t`);
    if (deleted === null) out.ascii('\\N\t\\N\t');
    else {
      out.ascii(`${meta.extractedAt}\t`);
      out.text(deleted);
      out.raw(TAB, 0, 1);
    }
    if (this.#notes === null) out.ascii('\\N\n');
    else {
      out.text(JSON.stringify(this.#notes));
      out.ascii('\n');
    }
    return null;
  }

  /** Notes where each column's value stands; fields without a column are asked for, or kept where there can be none. */
  #place(
    source: Buffer,
    fields: Int32Array,
    first: number,
    end: number,
    layout: Layout,
    pathOf: (name: string) => readonly string[],
  ): void {
    for (let field = first, nth = 0; field < end; field += FIELD_INTS, nth++) {
      const column = layout.columnOf(source, fields, field, nth);
      const kind = fields[field + 4] as number;
      if (column !== UNKNOWN) {
        this.#values[column * 3] = fields[field + 2] as number;
        this.#values[column * 3 + 1] = fields[field + 3] as number;
        this.#values[column * 3 + 2] = kind;
      } else if ((kind & KIND) !== NULL) {
        this.#see(
          pathOf(nameOf(source, fields, field)),
          source.toString('utf8', fields[field + 2], fields[field + 3]),
          kind & KIND,
        );
      }
    }
  }

  #see(path: readonly string[], json: string, kind: number): void {
    const key = pathKey(path);
    const kept = this.#context.kept.get(key);
    if (kept === undefined) {
      // A list or object need not be parsed, however large.
      const type = kind === OBJECT || kind === ARRAY ? 'jsonb' : (typeOfValue(parseJson(json)) as ColumnType);
      const wish = this.#wishes.add.get(key) ?? { path, types: new Set<ColumnType>() };
      wish.types.add(type);
      this.#wishes.add.set(key, wish);
    } else if (kept === null) {
      // The account's own fields stand together in a column already.
      if (path.length === 1) this.#extra.set(path[0] as string, json);
    } else if (this.#context.policy === 'freeze') this.#refusal = `column_not_writable: ${kept}`;
    else if (this.#context.policy === 'discard') this.#noteMisfit('discarded', kept, null);
    else {
      this.#extra.set(path.join('.'), json);
      this.#noteMisfit('kept_in_extra', kept, null);
    }
  }

  #noteMisfit(note: Misfits['note'], column: string, type: ColumnType | null): void {
    this.#notes = { ...this.#notes, [note]: [...(this.#notes?.[note] ?? []), column] };
    const key = `${this.#batchId}/${column}`;
    const misfits = this.#misfits.get(key);
    if (misfits === undefined) this.#misfits.set(key, { batchId: this.#batchId, column, type, note, count: 1 });
    else misfits.count++;
  }

  /** Writes a value and the tab behind it. @returns false, and writes nothing, where the type has to decide. */
  #put(from: Buffer, start: number, end: number, kind: number, type: ColumnType): boolean {
    const { out } = this;
    switch (kind & KIND) {
      case NULL:
        out.raw(NOTHING, 0, NOTHING.length);
        return true;
      case STRING:
        if (type === 'text') {
          if ((kind & ESCAPED) === 0) out.raw(from, start + 1, end - 1);
          else out.jsonString(from, start + 1, end - 1);
        } else if (
          (type === 'timestamptz' && isPlainTimestamp(from, start + 1, end - 1)) ||
          (type === 'date' && isPlainDate(from, start + 1, end - 1))
        ) {
          out.raw(from, start + 1, end - 1);
        } else if (type === 'jsonb') out.json(from, start, end);
        else return false;
        break;
      case NUMBER:
        if (
          (kind & EXPONENT) !== 0 ||
          (type !== 'numeric' &&
            type !== 'jsonb' &&
            type !== 'text' &&
            !(type === 'bigint' && isShortInteger(from, start, end)))
        )
          return false;
        out.raw(from, start, end);
        break;
      case TRUE:
      case FALSE:
        if (type === 'boolean') out.raw((kind & KIND) === TRUE ? T : F, 0, 1);
        else if (type === 'jsonb' || type === 'text') out.raw(from, start, end);
        else return false;
        break;
      default:
        if (type !== 'jsonb' && type !== 'text') return false;
        if ((kind & ESCAPED) === 0) out.raw(from, start, end);
        else out.json(from, start, end);
    }
    out.raw(TAB, 0, 1);
    return true;
  }
}

const NOTHING = Buffer.from('\\N\t');
const TAB = Buffer.from('\t');
const T = Buffer.from('t');
const F = Buffer.from('f');
/** Digits of a whole number that certainly fits a bigint. */
const BIGINT_DIGITS = 18;

function isShortInteger(from: Buffer, start: number, end: number): boolean {
  if (end - start > BIGINT_DIGITS) return false;
  for (let i = start; i < end; i++) if (from[i] === 46) return false;
  // -0 is a number, and no whole one.
  return !(end - start === 2 && from[start] === 45 && from[start + 1] === 48);
}
