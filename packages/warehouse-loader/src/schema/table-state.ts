import type { ColumnType, SchemaChange, Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import type { WritableColumn } from '../records/writable-columns.ts';
import type { TargetTable } from '../sql/target.ts';
import { ColumnNames, type ExistingColumn } from './column-names.ts';

/** The state of a warehouse table that a load depends on. */
export interface TableState {
  readonly names: ColumnNames;
  readonly columns: readonly WritableColumn[];
  /** All existing columns: name → type. */
  readonly types: ReadonlyMap<string, string>;
  /**
   * Columns that are not widened. With the policy `evolve`, values that do not fit such a column
   * are stored in `_freshet_extra`.
   */
  readonly fixedColumns: ReadonlySet<string>;
  /**
   * Columns that this load could not widen, although most values require it: column → the reason.
   */
  readonly wideningRefusals: ReadonlyMap<string, string>;
  /**
   * Fields without a column that Freshet can write: field (`toPathKey`) → the column of the field,
   * whose type Freshet cannot write; null: the field has no column, because the table already has
   * the maximum number of columns. With the policy `evolve`, the values of these fields are stored
   * in `_freshet_extra`, unless they are custom fields without a column.
   */
  readonly extraFields: ReadonlyMap<string, string | null>;
}

/**
 * Reads the columns of a table from the system catalog.
 * @returns the columns, or null if the table does not exist. `hasLedger` is true if the ledger
 *   tables have all columns that this release needs.
 */
export async function readColumns(
  client: ClientBase,
  target: TargetTable,
): Promise<{ readonly columns: Map<string, ExistingColumn> | null; readonly hasLedger: boolean }> {
  const { rows } = await client.query<{
    table: string;
    name: string;
    number: number;
    type: string;
    comment: string | null;
  }>(
    // `restarted_at` is the newest column of the ledger tables. If it exists, all columns exist.
    `select c.relname as table, a.attname as name, a.attnum as number,
       format_type(a.atttypid, a.atttypmod) as type, col_description(c.oid, a.attnum) as comment
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and a.attnum > 0 and not a.attisdropped
       and (c.relname = $2 or (c.relname = '_freshet_objects' and a.attname = 'restarted_at'))
     order by a.attnum`,
    [target.schema, target.name],
  );
  const tableRows = rows.filter((r) => r.table === target.name);
  return {
    columns:
      tableRows.length === 0
        ? null
        : new Map(tableRows.map((r) => [r.name, { number: r.number, type: r.type, comment: r.comment }])),
    hasLedger: tableRows.length < rows.length,
  };
}

/** Reads a table's columns and assigns them to fields. */
export async function readColumnNames(client: ClientBase, target: TargetTable, table: Table): Promise<ColumnNames> {
  return new ColumnNames(table, (await readColumns(client, target)).columns);
}

/** Builds the state of a table from its columns. Documented columns are fixed. */
export function toTableState(names: ColumnNames): TableState {
  const { writableColumns, unwritableFields, existingColumns: existing } = names;
  return {
    names,
    columns: writableColumns,
    types: getTypes(existing),
    fixedColumns: new Set(
      writableColumns.map((c) => c.name).filter((name) => names.getDeclaration(name)?.documented === true),
    ),
    wideningRefusals: new Map(),
    extraFields: unwritableFields,
  };
}

/**
 * Lists the differences between two states of a table.
 * @param before the types of the columns in the earlier state; null: the table did not exist.
 */
export function listSchemaChanges(
  target: TargetTable,
  before: TableState['types'] | null,
  { types }: TableState,
): SchemaChange[] {
  if (before === null) return [{ change: 'table_added', table: target.name, column: null, type: null }];
  const changedTypes = [...types].filter(([name, type]) => before.get(name) !== type);
  return changedTypes.map(([column, type]) => ({
    change: before.has(column) ? 'column_widened' : 'column_added',
    table: target.name,
    column,
    type,
  }));
}

export function getTypes(columns: ReadonlyMap<string, ExistingColumn>): Map<string, string> {
  return new Map([...columns].map(([name, { type }]) => [name, type]));
}

/** Returns the name of a type as `format_type` returns it. */
export function toCatalogTypeName(type: ColumnType): string {
  return type === 'timestamptz' ? 'timestamp with time zone' : type;
}
