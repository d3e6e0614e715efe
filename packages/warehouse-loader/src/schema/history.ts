import type { Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { quote, quoteLiteral } from '../sql/identifiers.ts';
import { type TargetTable, tableExists } from '../sql/target.ts';
import { HISTORY_COLUMNS, listSharedColumns, toHistoryColumn, toHistoryTable } from './history-columns.ts';

/**
 * The history of a table. A row of `<table>_history` is a version of a row of the table: it has the
 * table's columns, and the time range in which the version was current (`valid_from`, `valid_to`).
 * `valid_to` is null if the version is still current. The function `<table>_as_of(moment)` returns
 * the versions that were current at `moment`.
 *
 * A version starts at the time in the row's version column, or at the time of extraction if the row
 * has no version time. The version of a deleted row starts when the deletion was detected. In all
 * cases, a version starts at least one microsecond after the start of the previous version. A
 * version ends when the next version starts.
 */

/**
 * Enables or disables the history. Runs in the caller's transaction, which must hold the table's
 * lock. If the history is enabled and a history table already exists, the table is reused, and rows
 * that were added or changed while the history was disabled get a new version.
 */
export async function setHistory(
  client: ClientBase,
  target: TargetTable,
  table: Table,
  isEnabled: boolean,
): Promise<void> {
  if (isEnabled && (await tableExists(client, toHistoryTable(target).sql)))
    await insertVersions(client, target, table, {
      join: '',
      where: 't._freshet_hash is distinct from h._freshet_hash',
      parameters: [],
    });
  else if (isEnabled) await createHistory(client, target, table);
  await client.query(`update ${quote(target.schema)}._freshet_objects set history = $2 where table_name = $1`, [
    target.name,
    isEnabled,
  ]);
}

/** Creates the history table with the current rows as the first versions. */
async function createHistory(
  client: ClientBase,
  target: TargetTable,
  { primaryKey, versionColumn }: Table,
): Promise<void> {
  const history = toHistoryTable(target);
  const keys = primaryKey.map(quote).join(', ');
  await client.query(`create table ${history.sql} (like ${target.sql} including comments) with (fillfactor = 85)`);
  const { rows: conflictingColumns } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname = any($2)`,
    [history.sql, [...HISTORY_COLUMNS]],
  );
  for (const { name } of conflictingColumns)
    await client.query(`alter table ${history.sql} rename column ${quote(name)} to ${quote(toHistoryColumn(name))}`);
  const columns = await listSharedColumns(client, target);
  await client.query(`alter table ${history.sql} add column valid_from timestamptz not null, add column valid_to timestamptz,
    add primary key (${keys}, valid_from)`);
  // Every load looks up current versions.
  await client.query(`create unique index on ${history.sql} (${keys}) where valid_to is null`);
  await client.query(
    `comment on table ${history.sql} is ${quoteLiteral(`Every version of each row of ${target.name}. A version was current from valid_from to valid_to. If valid_to is null, the version is still current.`)}`,
  );
  await client.query(
    `insert into ${history.sql} (${buildHistoryColumnList(columns)}, valid_from)
     select ${columns.map(quote).join(', ')}, ${buildValidFromExpression('t', versionColumn)} from ${target.sql} t`,
  );
  await client.query(`
    create function ${quote(target.schema)}.${quote(`${target.name}_as_of`)}(moment timestamptz)
    returns setof ${history.sql} language sql stable as
    $as_of$ select * from ${history.sql} where valid_from <= $1 and (valid_to is null or valid_to > $1) $as_of$`);
}

/**
 * Adds a version to the history for each row that this transaction has written. If the row was
 * rewritten from an unchanged record, updates the current version instead. In rows that this
 * transaction has written, `_freshet_loaded_at` is the time of the transaction.
 * @param keys the primary keys of the rows that may have been written, as the values of the key
 *   columns in PostgreSQL's text form; null: any row may have been written.
 */
export async function recordVersions(
  client: ClientBase,
  target: TargetTable,
  table: Table,
  keys: readonly (readonly string[])[] | null,
): Promise<void> {
  const types = table.primaryKey.map((name) => table.columns.find((c) => c.name === name)?.type ?? 'text');
  const join =
    keys === null
      ? ''
      : `join unnest(${types.map((type, i) => `$${i + 1}::${type}[]`).join(', ')}) as k(${types.map((_, i) => `k${i}`).join(', ')})
         on ${table.primaryKey.map((name, i) => `t.${quote(name)} = k.k${i}`).join(' and ')}`;
  const parameters = keys === null ? [] : table.primaryKey.map((_, i) => keys.map((key) => key[i] as string));
  await updateCurrentVersions(client, target, table.primaryKey, { join, parameters });
  await insertVersions(client, target, table, {
    join,
    where: 't._freshet_loaded_at = now() and h._freshet_loaded_at is distinct from now()',
    parameters,
  });
}

/**
 * Adds a version for each row of a child table that this transaction has marked as deleted. Does
 * nothing if the child table has no history.
 */
export async function recordChildVersions(client: ClientBase, child: TargetTable): Promise<void> {
  const { rows } = await client.query<{ key: string }>(
    `select a.attname as key from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
     where i.indrelid = $1::regclass and i.indisprimary
       and exists (select from ${quote(child.schema)}._freshet_objects where table_name = $2 and history)`,
    [child.sql, child.name],
  );
  if (rows.length === 0) return;
  // These versions start when the deletion was detected, so the version column is not needed.
  const table = { primaryKey: rows.map((r) => r.key), versionColumn: null };
  await insertVersions(client, child, table, { join: '', where: 't._freshet_loaded_at = now()', parameters: [] });
}

/** A selection of rows of the table `t`. */
interface RowSelection {
  /** A JOIN clause that restricts the rows, or an empty string. */
  readonly join: string;
  readonly parameters: readonly string[][];
}

interface VersionSelection extends RowSelection {
  /**
   * The SQL condition that selects the rows that get a new version. In the condition, `t` is the
   * row and `h` is the row's current version in the history table. All columns of `h` are NULL if
   * the row has no current version.
   */
  readonly where: string;
}

/**
 * Updates the current versions of rows that were rewritten from an unchanged record. These rows get
 * no new versions.
 */
async function updateCurrentVersions(
  client: ClientBase,
  target: TargetTable,
  primaryKey: readonly string[],
  { join, parameters }: RowSelection,
): Promise<void> {
  const columns = await listSharedColumns(client, target);
  await client.query(
    `update ${toHistoryTable(target).sql} h
     set (${buildHistoryColumnList(columns)}) = (
       select ${columns.map(quote).join(', ')} from ${target.sql} s where ${buildKeyCondition(primaryKey, 's', 't')}
     )
     from ${target.sql} t ${join}
     where ${buildKeyCondition(primaryKey, 'h', 't')} and h.valid_to is null and t._freshet_loaded_at = now()
       and h._freshet_hash = t._freshet_hash and h._freshet_deleted_at is not distinct from t._freshet_deleted_at`,
    [...parameters],
  );
}

async function insertVersions(
  client: ClientBase,
  target: TargetTable,
  { primaryKey, versionColumn }: Pick<Table, 'primaryKey' | 'versionColumn'>,
  { join, where, parameters }: VersionSelection,
): Promise<void> {
  const history = toHistoryTable(target);
  const columns = await listSharedColumns(client, target);
  // Use separate statements. In a single statement, the new version would be inserted before the
  // current version has ended.
  await client.query('drop table if exists pg_temp.freshet_versions');
  await client.query(
    `create temp table freshet_versions on commit drop as
     select t.*,
       greatest(${buildValidFromExpression('t', versionColumn)}, h.valid_from + interval '1 microsecond')
         as _freshet_begins
     from ${target.sql} t ${join} left join ${history.sql} h
       on ${buildKeyCondition(primaryKey, 'h', 't')} and h.valid_to is null
     where ${where}`,
    [...parameters],
  );
  await client.query(
    `update ${history.sql} h set valid_to = w._freshet_begins from freshet_versions w
     where ${buildKeyCondition(primaryKey, 'h', 'w')} and h.valid_to is null`,
  );
  await client.query(
    `insert into ${history.sql} (${buildHistoryColumnList(columns)}, valid_from)
     select ${columns.map(quote).join(', ')}, _freshet_begins from freshet_versions`,
  );
}

function buildKeyCondition(primaryKey: readonly string[], a: string, b: string): string {
  return primaryKey.map((name) => `${a}.${quote(name)} = ${b}.${quote(name)}`).join(' and ');
}

/** Builds the expression for the start of a version. @param alias the alias of the table. */
function buildValidFromExpression(alias: string, version: string | null): string {
  const times = ['_freshet_deleted_at', ...(version === null ? [] : [quote(version)]), '_freshet_extracted_at'];
  return `coalesce(${times.map((column) => `${alias}.${column}`).join(', ')})`;
}

function buildHistoryColumnList(columns: readonly string[]): string {
  return columns.map((name) => quote(toHistoryColumn(name))).join(', ');
}
