import { columnName, type Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import type { LoadRequest } from '../load/request.ts';
import { quote } from './identifiers.ts';
import type { Target } from './tables.ts';

/**
 * Every version that a row has had, beside the table: `<table>_history` has the table's columns, and from when to when each
 * version stood (`valid_from`, `valid_to`; null: it still does). `<table>_as_of(moment)` answers the table as it was.
 *
 * A version begins with the record's own version, or, where it has none or does not show what changed, with when it was read; one
 * that is marked as deleted, with when that was seen. It ends where the next one begins.
 */
export function historyOf({ schema, name }: Target): Target {
  return { schema, name: `${name}_history`, sql: `${quote(schema)}.${quote(`${name}_history`)}` };
}

/** Names of the history's own. A column of the table that has one of them (a user's, or of a release before the names were reserved) has another name there. */
const OWN_NAMES: ReadonlySet<string> = new Set(['valid_from', 'valid_to']);

/** The name that a column of the table has in its history. */
export function historyColumn(name: string): string {
  return OWN_NAMES.has(name) ? columnName(name) : name;
}

async function hasHistory(client: ClientBase, target: Target): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    historyOf(target).sql,
  ]);
  return rows[0]?.there === true;
}

/**
 * Begins or ends the keeping of versions, in the caller's transaction, which holds the table's fence. A history that is there
 * already goes on; what has changed meanwhile is its next version.
 */
export async function switchHistory(
  client: ClientBase,
  target: Target,
  { table, history }: Pick<LoadRequest, 'table' | 'history'>,
): Promise<void> {
  if (history && (await hasHistory(client, target)))
    await addVersions(client, target, table, '', 't._freshet_hash is distinct from h._freshet_hash', []);
  else if (history) await createHistory(client, target, table.primaryKey, table.version);
  await client.query(`update ${quote(target.schema)}._freshet_objects set history = $2 where table_name = $1`, [
    target.name,
    history,
  ]);
}

/** With what the table holds now as its first versions. */
async function createHistory(
  client: ClientBase,
  target: Target,
  primaryKey: readonly string[],
  version: string | null,
): Promise<void> {
  const history = historyOf(target);
  const keys = primaryKey.map(quote).join(', ');
  await client.query(`create table ${history.sql} (like ${target.sql} including comments) with (fillfactor = 85)`);
  const { rows: taken } = await client.query<{ name: string }>(
    'select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname = any($2)',
    [history.sql, [...OWN_NAMES]],
  );
  for (const { name } of taken)
    await client.query(`alter table ${history.sql} rename column ${quote(name)} to ${quote(historyColumn(name))}`);
  const columns = await columnsOf(client, target);
  await client.query(`alter table ${history.sql} add column valid_from timestamptz not null, add column valid_to timestamptz,
    add primary key (${keys}, valid_from)`);
  // Finding the version that stands is what every load does.
  await client.query(`create unique index on ${history.sql} (${keys}) where valid_to is null`);
  await client.query(
    `comment on table ${history.sql} is 'Every version of ${target.name.replaceAll("'", "''")}, and from when to when it stood.'`,
  );
  await client.query(
    `insert into ${history.sql} (${historyNames(columns)}, valid_from) select ${columns.map(quote).join(', ')}, ${beginning('t', version)} from ${target.sql} t`,
  );
  await client.query(`
    create function ${quote(target.schema)}.${quote(`${target.name}_as_of`)}(moment timestamptz) returns setof ${history.sql} language sql stable as
    $as_of$ select * from ${history.sql} where valid_from <= $1 and (valid_to is null or valid_to > $1) $as_of$`);
}

/**
 * Adds the versions that this transaction has written, told by their time of loading, which is the transaction's.
 * @param keys of the rows that may have been written, column by column as PostgreSQL's texts; null: any.
 */
export async function keepVersions(
  client: ClientBase,
  target: Target,
  table: Table,
  keys: readonly (readonly string[])[] | null,
): Promise<void> {
  const types = table.primaryKey.map((name) => table.columns.find((c) => c.name === name)?.type ?? 'text');
  const among =
    keys === null
      ? ''
      : `join unnest(${types.map((type, i) => `$${i + 1}::${type}[]`).join(', ')}) as k(${types.map((_, i) => `k${i}`).join(', ')})
         on ${table.primaryKey.map((name, i) => `t.${quote(name)} = k.k${i}`).join(' and ')}`;
  const parameters = keys === null ? [] : table.primaryKey.map((_, i) => keys.map((key) => key[i] as string));
  await rewriteVersions(client, target, table, among, parameters);
  await addVersions(
    client,
    target,
    table,
    among,
    't._freshet_loaded_at = now() and h._freshet_loaded_at is distinct from now()',
    parameters,
  );
}

/** A row that was written again from the same record is the same version: it gets the row's values. */
async function rewriteVersions(
  client: ClientBase,
  target: Target,
  { primaryKey }: Pick<Table, 'primaryKey'>,
  among: string,
  parameters: readonly string[][],
): Promise<void> {
  const columns = await columnsOf(client, target);
  await client.query(
    `update ${historyOf(target).sql} h set (${historyNames(columns)}) = (select ${columns.map(quote).join(', ')} from ${target.sql} s where ${primaryKey.map((name) => `s.${quote(name)} = t.${quote(name)}`).join(' and ')})
     from ${target.sql} t ${among}
     where ${primaryKey.map((name) => `h.${quote(name)} = t.${quote(name)}`).join(' and ')} and h.valid_to is null and t._freshet_loaded_at = now()
       and h._freshet_hash = t._freshet_hash and h._freshet_deleted_at is not distinct from t._freshet_deleted_at`,
    [...parameters],
  );
}

/** The same for a table that was not loaded but marked, if its versions are kept. */
export async function keepVersionsBelow(client: ClientBase, target: Target): Promise<void> {
  const { rows } = await client.query<{ key: string }>(
    `select a.attname as key from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
     where i.indrelid = $1::regclass and i.indisprimary
       and exists (select from ${quote(target.schema)}._freshet_objects where table_name = $2 and history)`,
    [target.sql, target.name],
  );
  if (rows.length === 0) return;
  // What was marked begins when that was seen, whatever its version.
  await addVersions(
    client,
    target,
    { primaryKey: rows.map((r) => r.key), version: null },
    '',
    't._freshet_loaded_at = now()',
    [],
  );
}

/** @param among joined to the table `t`. @param where which rows have a new version, by themselves and the one that stands, `h`. */
async function addVersions(
  client: ClientBase,
  target: Target,
  table: Pick<Table, 'primaryKey' | 'version'>,
  among: string,
  where: string,
  parameters: readonly string[][],
): Promise<void> {
  const history = historyOf(target);
  const columns = await columnsOf(client, target);
  const same = (a: string, b: string) =>
    table.primaryKey.map((name) => `${a}.${quote(name)} = ${b}.${quote(name)}`).join(' and ');
  // In steps: one statement would add a version before the one that stands has ended.
  await client.query('drop table if exists pg_temp.freshet_versions');
  await client.query(
    `create temp table freshet_versions on commit drop as
     select t.*, greatest(${beginning('t', table.version)}, h.valid_from + interval '1 microsecond') as _freshet_begins
     from ${target.sql} t ${among} left join ${history.sql} h on ${same('h', 't')} and h.valid_to is null
     where ${where}`,
    [...parameters],
  );
  await client.query(
    `update ${history.sql} h set valid_to = w._freshet_begins from freshet_versions w where ${same('h', 'w')} and h.valid_to is null`,
  );
  await client.query(
    `insert into ${history.sql} (${historyNames(columns)}, valid_from) select ${columns.map(quote).join(', ')}, _freshet_begins from freshet_versions`,
  );
}

function beginning(alias: string, version: string | null): string {
  return `coalesce(${alias}._freshet_deleted_at, ${version === null ? '' : `${alias}.${quote(version)}, `}${alias}._freshet_extracted_at)`;
}

function historyNames(columns: readonly string[]): string {
  return columns.map((name) => quote(historyColumn(name))).join(', ');
}

/** The columns of a table and of its history, as they are. */
async function columnsOfBoth(
  client: ClientBase,
  target: Target,
): Promise<{ readonly table: readonly LiveType[]; readonly history: ReadonlyMap<string, LiveType> }> {
  const { rows } = await client.query<LiveType & { history: boolean }>(
    `select attname as name, atttypid as oid, format_type(atttypid, atttypmod) as type, attrelid = $2::regclass as history from pg_attribute
     where attrelid in ($1::regclass, $2::regclass) and attnum > 0 and not attisdropped order by attnum`,
    [target.sql, historyOf(target).sql],
  );
  return {
    table: rows.filter((r) => !r.history),
    history: new Map(rows.filter((r) => r.history).map((r) => [r.name, r])),
  };
}

interface LiveType {
  readonly name: string;
  readonly oid: number;
  readonly type: string;
}

/** The columns that a table and its history share, in one type; a user's own may be in one of them only. */
async function columnsOf(client: ClientBase, target: Target): Promise<string[]> {
  const { table, history } = await columnsOfBoth(client, target);
  return table.filter(({ name, oid }) => history.get(historyColumn(name))?.oid === oid).map(({ name }) => name);
}

/** Gives the history of a table, if there is one, the columns that a user has added, or added again in another type. */
export async function alignHistory(client: ClientBase, target: Target): Promise<void> {
  if (!(await hasHistory(client, target))) return;
  const { table, history } = await columnsOfBoth(client, target);
  for (const { name, oid, type } of table) {
    const column = quote(historyColumn(name));
    const there = history.get(historyColumn(name));
    if (there?.oid === oid) continue;
    const change = there
      ? `alter column ${column} type ${type} using ${column}::text::${type}`
      : `add column ${column} ${type}`;
    await client.query(`alter table ${historyOf(target).sql} ${change}`);
  }
}
