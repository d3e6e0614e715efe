import { createHash } from 'node:crypto';
import {
  type ColumnType,
  customColumnName,
  isJsonObject,
  type Json,
  type JsonObject,
  type RecordLine,
  type SchemaPolicy,
  type Table,
} from '@freshet/contracts';
import { clean, mayNeedCleaning, type Notes } from './clean.ts';
import { columnName } from './identifiers.ts';
import { MISFIT, toSqlText, typeOfValue, widenedFor } from './values.ts';

/** A column as the warehouse has it now: its type is the warehouse's, whatever was declared. */
export interface LiveColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Where its value stands in a record. */
  readonly path: readonly string[];
}

export interface RowContext {
  readonly table: Table;
  readonly columns: readonly LiveColumn[];
  readonly policy: SchemaPolicy;
  /** Columns that cannot be widened now: what does not fit them is kept in `_freshet_extra`. */
  readonly fixed: ReadonlySet<string>;
}

/** A record's values in the order of the columns, and what goes beside them. */
export interface Row {
  readonly values: readonly (string | null)[];
  readonly extra: string | null;
  readonly notes: string | null;
  readonly hash: Buffer;
  readonly deleted: string | null;
}

/** What a record needs of the table before it can be a row. */
export interface Wishes {
  /** Column → the type that would hold what did not fit. */
  readonly widen: Map<string, ColumnType>;
  /** Fields that no column holds: name → path and type. */
  readonly add: Map<string, { readonly path: readonly string[]; readonly types: Set<ColumnType> }>;
}

export type RowResult = { readonly row: Row } | { readonly rejected: string };

/** @param wishes collects what the table lacks; the row is made as well as it can be without. */
export function toRow(line: RecordLine, text: string, context: RowContext, wishes: Wishes): RowResult {
  let { record } = line;
  if (!isJsonObject(record)) return { rejected: 'not_an_object' };
  let notes: Notes | null = null;
  if (mayNeedCleaning(text)) ({ record, notes } = clean(record));
  const note = (code: string, place: string) => {
    notes = notes ?? {};
    notes[code] = [...(notes[code] ?? []), place];
  };
  const extra: Record<string, Json> = {};
  const values: (string | null)[] = [];
  for (const column of context.columns) {
    const value = valueAt(record, column.path);
    const sql = toSqlText(value, column.type);
    if (sql !== MISFIT) {
      values.push(sql);
      continue;
    }
    if (context.table.primaryKey.includes(column.name)) return { rejected: `key_not_${column.type}: ${column.name}` };
    if (context.policy === 'freeze') return { rejected: `value_not_${column.type}: ${column.name}` };
    values.push(null);
    if (context.policy === 'discard') note('discarded', column.name);
    else if (context.fixed.has(column.name)) {
      extra[column.path.join('.')] = value as Json;
      note('kept_in_extra', column.name);
    } else wishes.widen.set(column.name, widest(wishes.widen.get(column.name), widenedFor(value as Json, column.type)));
  }
  const missingKey = context.table.primaryKey.find((key) => values[context.columns.findIndex((c) => c.name === key)] === null);
  if (missingKey !== undefined) return { rejected: `key_missing: ${missingKey}` };
  collectUnknown(record, context, wishes, extra);
  return {
    row: {
      values,
      extra: Object.keys(extra).length === 0 ? null : JSON.stringify(extra),
      notes: notes === null ? null : JSON.stringify(notes),
      hash: hashOf(text),
      deleted: line.deleted ?? null,
    },
  };
}

/** Fields without a column: asked for where a column may still be made, kept in `_freshet_extra` where not. */
function collectUnknown(record: JsonObject, context: RowContext, wishes: Wishes, extra: Record<string, Json>): void {
  const known = knownFields(context);
  const see = (field: string, path: readonly string[], value: Json) => {
    const type = typeOfValue(value);
    if (type === null) return;
    const name = columnName(field);
    if (context.fixed.has(name)) {
      // Custom fields stand in their own column already.
      if (path.length === 1) extra[path[0] as string] = value;
      return;
    }
    const wish = wishes.add.get(name) ?? { path, types: new Set<ColumnType>() };
    wish.types.add(type);
    wishes.add.set(name, wish);
  };
  for (const field in record) if (!known.fields.has(field)) see(field, [field], record[field] as Json);
  const { customFields } = context.table;
  const custom = customFields === null ? undefined : record[customFields];
  if (customFields !== null && isJsonObject(custom)) {
    for (const field in custom) if (!known.custom.has(field)) see(customColumnName(field), [customFields, field], custom[field] as Json);
  }
}

const knownOf = new WeakMap<readonly LiveColumn[], { readonly fields: ReadonlySet<string>; readonly custom: ReadonlySet<string> }>();

function knownFields(context: RowContext): { readonly fields: ReadonlySet<string>; readonly custom: ReadonlySet<string> } {
  let known = knownOf.get(context.columns);
  if (!known) {
    known = {
      fields: new Set(context.columns.filter((c) => c.path.length === 1).map((c) => c.path[0] as string)),
      custom: new Set(context.columns.filter((c) => c.path.length === 2).map((c) => c.path[1] as string)),
    };
    knownOf.set(context.columns, known);
  }
  return known;
}

function valueAt(record: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = record;
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

function widest(a: ColumnType | undefined, b: ColumnType): ColumnType {
  return a === undefined || a === b ? b : 'text';
}

/** Signatures of signed addresses differ from answer to answer; all else is what the record is. */
const SIGNED_QUERY = /\?[^"\\\s]*(?:Signature|X-Amz-Signature)=[^"\\\s]*/g;

function hashOf(text: string): Buffer {
  const stable = text.includes('Signature=') ? text.replace(SIGNED_QUERY, '') : text;
  return createHash('sha256').update(stable).digest().subarray(0, 16);
}
