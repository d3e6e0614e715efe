import type { ClientBase } from 'pg';
import { quote } from '../sql/identifiers.ts';
import type { TargetTable } from '../sql/target.ts';
import type { ColumnNames } from './column-names.ts';

/**
 * Completion: rows that were written before a column existed lack its values. The loader records
 * which columns the rows were written with (`_freshet_objects.written_columns`). When a column is
 * new or has changed, it marks the table as incomplete, and rows are written again when their
 * records are next loaded.
 */

/** Column → its number and type, or `dropped` if a field rule drops the field. */
type WrittenColumns = Readonly<Record<string, string>>;

const DROPPED = 'dropped';

/**
 * An incomplete table: rows that were last written before `since` are written again when their
 * records are loaded.
 */
export interface Completion {
  readonly since: Date;
  /** Stored batches lack the values, too. Only extracting the records again completes the table. */
  readonly isRereadNeeded: boolean;
}

function describeColumns({ existingColumns: existing, fieldPaths, droppedColumns }: ColumnNames): WrittenColumns {
  const columns: Record<string, string> = {};
  for (const [name, { number, type }] of existing) if (fieldPaths.has(name)) columns[name] = `${number} ${type}`;
  for (const name of droppedColumns) columns[name] = DROPPED;
  return columns;
}

/** Records the columns of a table whose rows were written by a release that did not record them. */
export async function recordInitialColumns(client: ClientBase, target: TargetTable, names: ColumnNames): Promise<void> {
  await client.query(
    `insert into ${quote(target.schema)}._freshet_objects as o (table_name, written_columns) values ($1, $2)
     on conflict (table_name) do update set written_columns = coalesce(o.written_columns, excluded.written_columns)`,
    [target.name, JSON.stringify(describeColumns(names))],
  );
}

/**
 * Records that Freshet has widened a column and that its converted values equal the values of a new
 * write.
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
 * Compares the columns with those that the rows were written with. Where rows may lack values,
 * marks the table as incomplete: `completing_since` for its readers, `rewrite_before` for the
 * loader.
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
  // These columns are not declared. They are added again when a record with a value for them is
  // written.
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
  /** The description of all columns. */
  readonly columns: WrittenColumns;
  readonly name: string;
  /** The rows were written without the column. */
  readonly isNew: boolean;
}

/**
 * Whether rows may lack a column's values, or have them in a different form than a new write would
 * produce.
 */
async function lacksValues(
  client: ClientBase,
  target: TargetTable,
  { names, columns, name, isNew }: ChangedColumn,
): Promise<boolean> {
  const { fieldPaths } = names;
  const path = fieldPaths.get(name) ?? [name];
  const isCustom = path.length > 1;
  const isDocumented = names.getDeclaration(name) !== null && !isCustom;
  // All rows may lack the values of a documented column that is new, and of any column that was
  // replaced or retyped.
  if (isDocumented || !isNew) return hasRows(client, `select from ${target.sql}`, []);
  // For a new field of the account, only rows that hold a value for it elsewhere are incomplete.
  const customFieldsColumn = isCustom
    ? [...fieldPaths].find(
        ([column, p]) => p.length === 1 && p[0] === path[0] && columns[column]?.endsWith(' jsonb'),
      )?.[0]
    : undefined;
  const hasValueElsewhere = `t._freshet_extra ? $1${
    customFieldsColumn === undefined ? '' : ` or t.${quote(customFieldsColumn)} ->> $1 is not null`
  }`;
  // A row with a note is complete: its value did not fit and would not fit again.
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

/** Ends a completion if all rows that are not deleted have been written since it began. */
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
