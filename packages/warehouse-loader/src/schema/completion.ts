import type { ClientBase } from 'pg';
import { quote } from '../sql/identifiers.ts';
import type { TargetTable } from '../sql/target.ts';
import type { ColumnNames } from './column-names.ts';

/**
 * Completion adds missing values to existing rows. Rows that were written before a column existed
 * lack the values of this column. In `_freshet_objects.written_columns`, the loader stores the
 * columns that existed when the rows were written. When a column is new or has changed, and rows
 * may lack its values, the loader marks the table as incomplete. Each row is then rewritten when
 * its record is next loaded.
 */

/** Column → its number and type, or `dropped` if a field rule drops the field. */
type WrittenColumns = Readonly<Record<string, string>>;

const DROPPED = 'dropped';

/**
 * The completion of a table. Rows that were last written before `since` are rewritten when their
 * records are loaded.
 */
export interface Completion {
  readonly since: Date;
  /**
   * Whether the stored batches also lack the missing values, so that the records must be extracted
   * again.
   */
  readonly isRereadNeeded: boolean;
}

function describeColumns({ existingColumns: existing, fieldPaths, droppedColumns }: ColumnNames): WrittenColumns {
  const columns: Record<string, string> = {};
  for (const [name, { number, type }] of existing) if (fieldPaths.has(name)) columns[name] = `${number} ${type}`;
  for (const name of droppedColumns) columns[name] = DROPPED;
  return columns;
}

/**
 * Stores the current columns in `written_columns`, unless `written_columns` is already set.
 */
export async function recordInitialColumns(client: ClientBase, target: TargetTable, names: ColumnNames): Promise<void> {
  await client.query(
    `insert into ${quote(target.schema)}._freshet_objects as o (table_name, written_columns) values ($1, $2)
     on conflict (table_name) do update set written_columns = coalesce(o.written_columns, excluded.written_columns)`,
    [target.name, JSON.stringify(describeColumns(names))],
  );
}

/**
 * Stores the new type of a widened column in `written_columns`, so that the column does not count
 * as changed and the rows are not rewritten. Call this function only if the widening converts the
 * existing values to the values that a rewrite would produce.
 */
export async function recordWidening(
  client: ClientBase,
  target: TargetTable,
  column: string,
  type: string,
): Promise<void> {
  await client.query(
    `update ${quote(target.schema)}._freshet_objects
     set written_columns = jsonb_set(
       written_columns, array[$2::text], to_jsonb(split_part(written_columns ->> $2, ' ', 1) || ' ' || $3::text)
     )
     where table_name = $1 and written_columns ? $2`,
    [target.name, column, type],
  );
}

/**
 * Compares the current columns with the columns that existed when the rows were written. If rows
 * may lack values, marks the table as incomplete: sets `completing_since` for the readers of the
 * table, and `rewrite_before` for the loader.
 * @returns the names of the columns that are new or have changed.
 */
export async function trackColumns(
  client: ClientBase,
  target: TargetTable,
  names: ColumnNames,
): Promise<readonly string[]> {
  const columns = describeColumns(names);
  const objects = `${quote(target.schema)}._freshet_objects`;
  const { rows } = await client.query<{ written: WrittenColumns | null }>(
    `select written_columns as written from ${objects} where table_name = $1`,
    [target.name],
  );
  const written = rows[0]?.written ?? null;
  if (written === null) {
    await recordInitialColumns(client, target, names);
    return [];
  }
  const changedColumns = Object.keys(columns).filter((name) => columns[name] !== written[name]);
  // All declared columns exist at this point. An undeclared column that was removed is added again
  // when a record with a value for the column is loaded.
  const removedColumns = Object.keys(written).filter(
    (name) => written[name] !== DROPPED && !names.existingColumns.has(name),
  );
  if (changedColumns.length + removedColumns.length === 0) return [];
  const incompleteColumns: string[] = [];
  for (const name of changedColumns) {
    if (columns[name] === DROPPED) continue;
    const isNew = written[name] === undefined;
    if (await lacksValues(client, target, { names, columns, name, isNew })) incompleteColumns.push(name);
  }
  if (removedColumns.length > 0 && (await hasRows(client, `select from ${target.sql}`, [])))
    incompleteColumns.push(...removedColumns);
  await client.query(
    `update ${objects} set written_columns = written_columns - $5::text[] || $2::jsonb,
       completing_since = case when $3 then now() else completing_since end,
       rewrite_before = case when $3 then now() else rewrite_before end,
       reread_needed = case when $3 then $4 or (completing_since is not null and reread_needed) else reread_needed end
     where table_name = $1`,
    [
      target.name,
      JSON.stringify(Object.fromEntries(changedColumns.map((name) => [name, columns[name]]))),
      incompleteColumns.length > 0,
      // The values of a dropped field are not in the stored batches.
      incompleteColumns.some((name) => written[name] === DROPPED),
      removedColumns,
    ],
  );
  return changedColumns;
}

interface ChangedColumn {
  readonly names: ColumnNames;
  /** All current columns. */
  readonly columns: WrittenColumns;
  readonly name: string;
  /** Whether the rows were written without the column. */
  readonly isNew: boolean;
}

/** Whether rows may lack the values of a column, or contain values that a rewrite would change. */
async function lacksValues(
  client: ClientBase,
  target: TargetTable,
  { names, columns, name, isNew }: ChangedColumn,
): Promise<boolean> {
  const { fieldPaths } = names;
  const path = fieldPaths.get(name) ?? [name];
  const isCustom = names.isAccountField(path);
  const isDocumented = names.getDeclaration(name) !== null && !isCustom;
  // All rows may lack the values of a new documented column. The same applies to any column that
  // was replaced or whose type has changed.
  if (isDocumented || !isNew) return hasRows(client, `select from ${target.sql}`, []);
  // For a new field of the account, only rows that store a value of the field in a different column
  // are incomplete.
  const customFieldsColumn = isCustom
    ? [...fieldPaths].find(
        ([column, p]) => p.length === 1 && p[0] === path[0] && columns[column]?.endsWith(' jsonb'),
      )?.[0]
    : undefined;
  const hasValueElsewhere = `t._freshet_extra ? $1${
    customFieldsColumn === undefined ? '' : ` or t.${quote(customFieldsColumn)} ->> $1 is not null`
  }`;
  // A row with a note counts as complete, because the note may state that the value did not fit.
  // The value would not fit again.
  return hasRows(
    client,
    `select from ${target.sql} t where t.${quote(name)} is null and t._freshet_notes is null and (${hasValueElsewhere})`,
    [path.at(-1) as string],
  );
}

async function hasRows(client: ClientBase, query: string, parameters: readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(`select exists (${query}) as exists`, [...parameters]);
  return rows[0]?.exists === true;
}

/**
 * Ends the completion of a table if all rows that are not deleted have been written since the
 * completion began.
 */
export async function finishCompletion(client: ClientBase, target: TargetTable): Promise<void> {
  await client.query(
    `update ${quote(target.schema)}._freshet_objects o set completing_since = null, reread_needed = false
     where table_name = $1 and completing_since is not null
       and not exists (
         select from ${target.sql} t where t._freshet_loaded_at < o.completing_since and t._freshet_deleted_at is null
       )`,
    [target.name],
  );
}

/** Returns the completion of a table; null: the table is complete. */
export async function readCompletion(client: ClientBase, target: TargetTable): Promise<Completion | null> {
  const { rows } = await client.query<{ since: Date; reread: boolean }>(
    `select completing_since as since, reread_needed as reread from ${quote(target.schema)}._freshet_objects
     where table_name = $1 and completing_since is not null`,
    [target.name],
  );
  const [row] = rows;
  return row === undefined ? null : { since: row.since, isRereadNeeded: row.reread };
}
