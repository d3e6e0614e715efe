import {
  type ColumnType,
  FieldIndex,
  getFieldName,
  HAS_ESCAPE,
  HAS_EXPONENT,
  INTS_PER_FIELD,
  isPlainDate,
  JSON_ARRAY,
  JSON_FALSE,
  JSON_NULL,
  JSON_NUMBER,
  JSON_OBJECT,
  JSON_STRING,
  JSON_TRUE,
  KIND_MASK,
  type Misfits,
  parseJson,
  parsePlainTimestamp,
  type RawObject,
  type SchemaPolicy,
  scanJson,
  type Table,
} from '@freshet/contracts';
import { ColumnLookup, NO_COLUMN } from './column-lookup.ts';
import { inferType } from './column-types.ts';
import { CopyBuffer } from './copy-buffer.ts';
import type { IdentifiedRecord } from './identify.ts';
import type { Notes } from './sanitize.ts';
import { MISFIT, toSqlText } from './values.ts';
import { toPathKey, type WritableColumn } from './writable-columns.ts';

export interface RowContext {
  readonly table: Table;
  readonly columns: readonly WritableColumn[];
  readonly schemaPolicy: SchemaPolicy;
  /**
   * Columns that are not widened. With the policy `evolve`, values that do not fit such a column
   * are stored in `_freshet_extra`.
   */
  readonly fixedColumns: ReadonlySet<string>;
  /**
   * Fields without a column that Freshet can write: field (`toPathKey`) → the column of the field,
   * whose type Freshet cannot write; null: the field has no column and gets none.
   */
  readonly extraFields: ReadonlyMap<string, string | null>;
}

/** Schema changes that the table needs before the records can be written. */
export interface SchemaChanges {
  /** Columns with a type that some values of the records do not fit. */
  readonly columnsToWiden: Set<string>;
  /** Fields without a column: field (`toPathKey`) → its path and the types of its values. */
  readonly fieldsToAdd: Map<string, { readonly path: readonly string[]; readonly types: Set<ColumnType> }>;
}

/** The metadata that all rows of a batch share. */
export interface BatchMetadata {
  readonly id: string;
  /** RFC 3339. */
  readonly extractedAt: string;
}

/**
 * The metadata columns in the order in which the writer writes them. They follow the columns of the
 * fields.
 */
export const WRITTEN_METADATA = [
  '_freshet_extra',
  '_freshet_batch_id',
  '_freshet_extracted_at',
  '_freshet_loaded_at',
  '_freshet_hash',
  '_freshet_deleted_at',
  '_freshet_delete_kind',
  '_freshet_notes',
] as const;

/** The fields of a JSON object in a scanned JSON text. */
interface FieldRange {
  readonly source: Buffer;
  readonly fields: Int32Array;
  readonly first: number;
  readonly end: number;
}

/** A JSON object in a record whose fields have separate columns. */
interface NestedObject {
  /** The index of the column that stores the complete object. */
  readonly column: number;
  readonly columns: ColumnLookup;
  /**
   * Returns the path of a field. Null: the object is documented, so that a field without a column
   * needs none. The fields of the account are not documented.
   */
  readonly toPath: ((field: string) => readonly string[]) | null;
}

/**
 * Returns the indexes of the columns of one JSON object: field → index.
 * @param parent the field that holds the object; null: the record itself.
 */
function indexColumns(columns: readonly WritableColumn[], parent: string | null): Map<string, number> {
  return new Map(
    columns.flatMap(({ path }, i): [string, number][] => {
      if (parent === null) return path.length === 1 ? [[path[0] as string, i]] : [];
      return path.length === 2 && path[0] === parent ? [[path[1] as string, i]] : [];
    }),
  );
}

/**
 * Encodes records as rows of a table in COPY's text format. If a column accepts a value unchanged,
 * the bytes of the value are copied. All other values are parsed and converted (`values.ts`).
 */
export class RowWriter {
  readonly buffer = new CopyBuffer();
  readonly #context: RowContext;
  readonly #schemaChanges: SchemaChanges;
  readonly #topLevelColumns: ColumnLookup;
  /** The JSON objects whose fields have separate columns. */
  readonly #nestedObjects: readonly NestedObject[];
  readonly #types: readonly ColumnType[];
  /** The fields of a nested object of the current record. */
  readonly #nestedFieldIndex = new FieldIndex(4096);
  readonly #misfits = new Map<string, { -readonly [K in keyof Misfits]: Misfits[K] }>();
  /** The bytes that contain the current record. */
  #source: Buffer = EMPTY;
  /**
   * The values of the current record: start, end and kind for each column. An end of 0 means that
   * the record has no value for the column.
   */
  readonly #values: Int32Array;
  /** The values of the current record for `_freshet_extra`: field → JSON. */
  readonly #extra = new Map<string, string>();
  /** Why the current record is rejected; null: it is not rejected. */
  #rejection: string | null = null;
  /** The notes of the current record. */
  #notes: Notes | null = null;
  /** The batch of the current record. */
  #batchId = '';

  /**
   * @param schemaChanges collects the changes that the table needs. If there are any, the written
   *   rows are incomplete.
   */
  constructor(context: RowContext, schemaChanges: SchemaChanges) {
    this.#context = context;
    this.#schemaChanges = schemaChanges;
    const { columns } = context;
    const topLevelColumns = indexColumns(columns, null);
    this.#topLevelColumns = new ColumnLookup(topLevelColumns);
    this.#types = columns.map((c) => c.type);
    this.#values = new Int32Array(columns.length * 3);
    const { customFieldsColumn } = context.table;
    const nestedFields = columns.flatMap(({ path }) => (path.length === 2 ? [path[0] as string] : []));
    const names = new Set(customFieldsColumn === null ? nestedFields : [customFieldsColumn, ...nestedFields]);
    this.#nestedObjects = [...names].flatMap((name) => {
      const column = topLevelColumns.get(name);
      if (column === undefined) return [];
      return [
        {
          column,
          columns: new ColumnLookup(indexColumns(columns, name)),
          toPath: name === customFieldsColumn ? (field: string) => [name, field] : null,
        },
      ];
    });
  }

  /** For each batch and column of the written rows, the number of values that did not fit. */
  get misfits(): readonly Misfits[] {
    return [...this.#misfits.values()];
  }

  /**
   * Appends a record's row to the buffer.
   * @returns why the record is rejected; null: its row was appended.
   */
  write({ raw, deleteKind: deleted, hash, notes }: IdentifiedRecord, batch: BatchMetadata): string | null {
    this.#source = raw.source;
    this.#notes = notes;
    this.#rejection = null;
    this.#batchId = batch.id;
    this.#extra.clear();
    this.#locateValues(raw);
    if (this.#rejection !== null) return this.#rejection;
    const rowStart = this.buffer.length;
    const rejection = this.#writeValues();
    if (rejection !== null) {
      this.buffer.truncate(rowStart);
      return rejection;
    }
    this.#writeExtra();
    this.#writeMetadata(batch, hash, deleted);
    return null;
  }

  #locateValues({ source, fields, fieldsStart, fieldsEnd }: RawObject): void {
    const values = this.#values.fill(0);
    this.#locateFields({ source, fields, first: fieldsStart, end: fieldsEnd }, this.#topLevelColumns, (name) => [name]);
    for (const { column, columns, toPath } of this.#nestedObjects) {
      if (((values[column * 3 + 2] as number) & KIND_MASK) !== JSON_OBJECT) continue;
      const index = this.#nestedFieldIndex.clear();
      scanJson(source, 1, values[column * 3] as number, values[column * 3 + 1] as number, index);
      this.#locateFields({ source, fields: index.fields, first: 0, end: index.fieldInts }, columns, toPath);
    }
  }

  /**
   * Stores the position of each column's value, and handles the fields without a column.
   * @param toPath null: fields without a column need no handling.
   */
  #locateFields(
    { source, fields, first, end }: FieldRange,
    columns: ColumnLookup,
    toPath: ((name: string) => readonly string[]) | null,
  ): void {
    for (let field = first, position = 0; field < end; field += INTS_PER_FIELD, position++) {
      const column = columns.find(source, fields, field, position);
      const kind = fields[field + 4] as number;
      if (column !== NO_COLUMN) {
        this.#values[column * 3] = fields[field + 2] as number;
        this.#values[column * 3 + 1] = fields[field + 3] as number;
        this.#values[column * 3 + 2] = kind;
      } else if (toPath !== null && (kind & KIND_MASK) !== JSON_NULL) {
        const json = source.toString('utf8', fields[field + 2], fields[field + 3]);
        this.#handleFieldWithoutColumn(toPath(getFieldName(source, fields, field)), json, kind & KIND_MASK);
      }
    }
  }

  #handleFieldWithoutColumn(path: readonly string[], json: string, kind: number): void {
    const key = toPathKey(path);
    const column = this.#context.extraFields.get(key);
    if (column === undefined) {
      // A JSON array or JSON object always gets a jsonb column, so it need not be parsed.
      const type = kind === JSON_OBJECT || kind === JSON_ARRAY ? 'jsonb' : (inferType(parseJson(json)) as ColumnType);
      const addition = this.#schemaChanges.fieldsToAdd.get(key) ?? { path, types: new Set<ColumnType>() };
      addition.types.add(type);
      this.#schemaChanges.fieldsToAdd.set(key, addition);
    } else if (column === null) {
      // The value of a custom field needs no copy: the column of all custom fields contains it.
      if (path.length === 1) this.#extra.set(path[0] as string, json);
    } else if (this.#context.schemaPolicy === 'freeze') this.#rejection = `column_not_writable: ${column}`;
    else if (this.#context.schemaPolicy === 'discard') this.#noteMisfit('discarded', column, null);
    else {
      this.#extra.set(path.join('.'), json);
      this.#noteMisfit('kept_in_extra', column, null);
    }
  }

  /** @returns why the record is rejected; null: all values were written. */
  #writeValues(): string | null {
    const { buffer } = this;
    const source = this.#source;
    const { columns } = this.#context;
    const values = this.#values;
    for (let column = 0; column < columns.length; column++) {
      const end = values[column * 3 + 1] as number;
      if (end === 0) {
        buffer.appendBytes(NULL_VALUE, 0, NULL_VALUE.length);
        continue;
      }
      const start = values[column * 3] as number;
      const kind = values[column * 3 + 2] as number;
      if (this.#copyValue(start, end, kind, this.#types[column] as ColumnType)) continue;
      const json = source.toString('utf8', start, end);
      const { type } = columns[column] as WritableColumn;
      const text = toSqlText(parseJson(json), type);
      if (text === MISFIT) {
        const rejection = this.#handleMisfit(columns[column] as WritableColumn, json);
        if (rejection !== null) return rejection;
        buffer.appendBytes(NULL_VALUE, 0, NULL_VALUE.length);
      } else if (text === null) buffer.appendBytes(NULL_VALUE, 0, NULL_VALUE.length);
      else {
        buffer.appendText(text);
        buffer.appendBytes(TAB, 0, 1);
      }
    }
    return null;
  }

  /**
   * Handles a value that does not fit its column.
   * @returns why the record is rejected; null: the row is written with NULL in this column.
   */
  #handleMisfit({ name, type, path }: WritableColumn, json: string): string | null {
    const { table, schemaPolicy, fixedColumns } = this.#context;
    if (table.primaryKey.includes(name)) return `key_not_${type}: ${name}`;
    if (schemaPolicy === 'freeze') return `value_not_${type}: ${name}`;
    if (schemaPolicy === 'discard') this.#noteMisfit('discarded', name, type);
    else if (fixedColumns.has(name)) {
      this.#extra.set(path.join('.'), json);
      this.#noteMisfit('kept_in_extra', name, type);
    } else this.#schemaChanges.columnsToWiden.add(name);
    return null;
  }

  #writeExtra(): void {
    const { buffer } = this;
    if (this.#extra.size === 0) {
      buffer.appendBytes(NULL_VALUE, 0, NULL_VALUE.length);
      return;
    }
    const members = [...this.#extra].map(([field, json]) => `${JSON.stringify(field)}:${json}`);
    const extra = Buffer.from(`{${members.join(',')}}`);
    buffer.appendJson(extra, 0, extra.length);
    buffer.appendBytes(TAB, 0, 1);
  }

  #writeMetadata({ id, extractedAt }: BatchMetadata, hash: string, deleted: string | null): void {
    const { buffer } = this;
    buffer.appendAscii(`${id}\t${extractedAt}\tnow\t\\\\x${hash}\t`);
    if (deleted === null) buffer.appendAscii('\\N\t\\N\t');
    else {
      buffer.appendAscii(`${extractedAt}\t`);
      buffer.appendText(deleted);
      buffer.appendBytes(TAB, 0, 1);
    }
    if (this.#notes === null) buffer.appendAscii('\\N\n');
    else {
      buffer.appendText(JSON.stringify(this.#notes));
      buffer.appendAscii('\n');
    }
  }

  #noteMisfit(note: Misfits['note'], column: string, type: ColumnType | null): void {
    this.#notes = { ...this.#notes, [note]: [...(this.#notes?.[note] ?? []), column] };
    const key = `${this.#batchId}/${column}`;
    const misfits = this.#misfits.get(key);
    if (misfits === undefined) this.#misfits.set(key, { batchId: this.#batchId, column, type, note, count: 1 });
    else misfits.count++;
  }

  /**
   * Copies a value and a tab to the buffer if the column accepts the value unchanged.
   * @returns false if the value must be converted. In this case, nothing is copied.
   */
  #copyValue(start: number, end: number, kind: number, type: ColumnType): boolean {
    const { buffer } = this;
    const source = this.#source;
    switch (kind & KIND_MASK) {
      case JSON_NULL:
        buffer.appendBytes(NULL_VALUE, 0, NULL_VALUE.length);
        return true;
      case JSON_STRING:
        if (type === 'text') {
          if ((kind & HAS_ESCAPE) === 0) buffer.appendBytes(source, start + 1, end - 1);
          else buffer.appendJsonString(source, start + 1, end - 1);
        } else if (
          (type === 'timestamptz' && !Number.isNaN(parsePlainTimestamp(source, start + 1, end - 1))) ||
          (type === 'date' && isPlainDate(source, start + 1, end - 1))
        ) {
          buffer.appendBytes(source, start + 1, end - 1);
        } else if (type === 'jsonb') buffer.appendJson(source, start, end);
        else return false;
        break;
      case JSON_NUMBER:
        if (
          (kind & HAS_EXPONENT) !== 0 ||
          (type !== 'numeric' &&
            type !== 'jsonb' &&
            type !== 'text' &&
            !(type === 'bigint' && isShortInteger(source, start, end)))
        )
          return false;
        buffer.appendBytes(source, start, end);
        break;
      case JSON_TRUE:
      case JSON_FALSE:
        if (type === 'boolean') buffer.appendBytes((kind & KIND_MASK) === JSON_TRUE ? TRUE_VALUE : FALSE_VALUE, 0, 1);
        else if (type === 'jsonb' || type === 'text') buffer.appendBytes(source, start, end);
        else return false;
        break;
      default:
        if (type !== 'jsonb' && type !== 'text') return false;
        if ((kind & HAS_ESCAPE) === 0) buffer.appendBytes(source, start, end);
        else buffer.appendJson(source, start, end);
    }
    buffer.appendBytes(TAB, 0, 1);
    return true;
  }
}

const EMPTY = Buffer.alloc(0);
/** SQL NULL and a tab. */
const NULL_VALUE = Buffer.from('\\N\t');
const TAB = Buffer.from('\t');
const TRUE_VALUE = Buffer.from('t');
const FALSE_VALUE = Buffer.from('f');
/** Every integer of at most this many characters fits a bigint. */
const BIGINT_CHARACTERS = 18;

function isShortInteger(from: Buffer, start: number, end: number): boolean {
  if (end - start > BIGINT_CHARACTERS) return false;
  for (let i = start; i < end; i++) if (from[i] === 46) return false;
  // A bigint would drop the sign of -0.
  return !(end - start === 2 && from[start] === 45 && from[start + 1] === 48);
}
