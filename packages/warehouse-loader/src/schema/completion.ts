import type { ClientBase } from 'pg';
import type { ColumnNames } from './columns.ts';
import { quote } from './identifiers.ts';
import type { Target } from './tables.ts';

/** The columns that rows were written with: name → number and type, or `dropped` where a rule of the user drops the field. */
type WrittenColumns = Readonly<Record<string, string>>;

const DROPPED = 'dropped';

/** A table whose rows lack values: its rows that were last written before `since` are written again when their records are read. */
export interface Completion {
  readonly since: Date;
  /** Stored batches lack the values, too: only reading the records again completes the table. */
  readonly isRereadNeeded: boolean;
}

/** The identities of the columns that Freshet fills. */
function writtenColumns({ live, paths, dropped }: ColumnNames): WrittenColumns {
  const written: Record<string, string> = {};
  for (const [name, { number, type }] of live) if (paths.has(name)) written[name] = `${number} ${type}`;
  for (const name of dropped) written[name] = DROPPED;
  return written;
}

/** Records the columns of a table whose rows were written by a release that did not record them. */
export async function assumeWritten(client: ClientBase, target: Target, names: ColumnNames): Promise<void> {
  await client.query(
    `insert into ${quote(target.schema)}._freshet_objects as o (table_name, written_columns) values ($1, $2)
     on conflict (table_name) do update set written_columns = coalesce(o.written_columns, excluded.written_columns)`,
    [target.name, JSON.stringify(writtenColumns(names))],
  );
}

/** Records that Freshet has widened a column and that its values are what they would be if they were written again. */
export async function recordWidened(client: ClientBase, target: Target, column: string, type: string): Promise<void> {
  await client.query(
    `update ${quote(target.schema)}._freshet_objects
     set written_columns = jsonb_set(written_columns, array[$2::text], to_jsonb(split_part(written_columns ->> $2, ' ', 1) || ' ' || $3::text))
     where table_name = $1 and written_columns ? $2`,
    [target.name, column, type],
  );
}

/**
 * Compares the columns with those that the rows were written with. Where rows may lack values, marks the table as incomplete:
 * `completing_since` for its readers, `rewrite_before` for the loader.
 * @returns the names of the columns that are not as they were.
 */
export async function trackColumns(client: ClientBase, target: Target, names: ColumnNames): Promise<readonly string[]> {
  const { live } = names;
  const columns = writtenColumns(names);
  const objects = `${quote(target.schema)}._freshet_objects`;
  const { rows } = await client.query<{ written: WrittenColumns | null }>(
    `select written_columns as written from ${objects} where table_name = $1`,
    [target.name],
  );
  const written = rows[0]?.written ?? null;
  if (written === null) {
    await assumeWritten(client, target, names);
    return [];
  }
  const changed = Object.keys(columns).filter((name) => columns[name] !== written[name]);
  // Undeclared columns. They are added again when a record that has a value for them is written.
  const removed = Object.keys(written).filter((name) => written[name] !== DROPPED && !live.has(name));
  if (changed.length + removed.length === 0) return [];
  const affected: string[] = [];
  for (const name of changed) {
    if (columns[name] !== DROPPED && (await lacksValues(client, target, names, columns, name, written[name])))
      affected.push(name);
  }
  if (removed.length > 0 && (await exists(client, `select from ${target.sql}`, []))) affected.push(...removed);
  await client.query(
    `update ${objects} set written_columns = written_columns - $5::text[] || $2::jsonb,
       completing_since = case when $3 then now() else completing_since end,
       rewrite_before = case when $3 then now() else rewrite_before end,
       reread_needed = case when $3 then $4 or (completing_since is not null and reread_needed) else reread_needed end
     where table_name = $1`,
    [
      target.name,
      JSON.stringify(Object.fromEntries(changed.map((name) => [name, columns[name]]))),
      affected.length > 0,
      // What a rule dropped was never stored.
      affected.some((name) => written[name] === DROPPED),
      removed,
    ],
  );
  return changed;
}

/** Whether rows may lack a column's values, or have them in another form than they would be written in now. */
async function lacksValues(
  client: ClientBase,
  target: Target,
  names: ColumnNames,
  columns: WrittenColumns,
  name: string,
  before: string | undefined,
): Promise<boolean> {
  const { paths } = names;
  const path = paths.get(name) ?? [name];
  const declared = names.declaredOf(name) !== null;
  const isCustom = path.length > 1;
  // A column of the catalogue, or one that was there before: whatever the rows had is gone or has another type.
  if ((declared && !isCustom) || before !== undefined) return exists(client, `select from ${target.sql}`, []);
  // A new field of the account: a row without a value for it is complete as it is.
  const field = path.at(-1) as string;
  const custom = isCustom
    ? [...paths].find(
        ([column, at]) => at.length === 1 && at[0] === path[0] && columns[column]?.endsWith(' jsonb'),
      )?.[0]
    : undefined;
  const kept = `t._freshet_extra ? $1${custom === undefined ? '' : ` or t.${quote(custom)} ->> $1 is not null`}`;
  // A value that was kept elsewhere because it did not fit has a note, and would not fit again.
  return exists(
    client,
    `select from ${target.sql} t where t.${quote(name)} is null and t._freshet_notes is null and (${kept})`,
    [field],
  );
}

async function exists(client: ClientBase, query: string, parameters: readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(`select exists (${query}) as there`, [...parameters]);
  return rows[0]?.there === true;
}

/** Ends a completion when no row is left that was last written before it began; deleted rows do not count. */
export async function finishCompletion(client: ClientBase, target: Target): Promise<void> {
  await client.query(
    `update ${quote(target.schema)}._freshet_objects o set completing_since = null, reread_needed = false
     where table_name = $1 and completing_since is not null
       and not exists (select from ${target.sql} t where t._freshet_loaded_at < o.completing_since and t._freshet_deleted_at is null)`,
    [target.name],
  );
}
