import { AppError, type Column, type ColumnType, type SchemaChange, type Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import type { Identified } from '../records/identify.ts';
import type { Wishes } from '../records/rows.ts';
import { commonType, countFits, widerTypes } from '../records/values.ts';
import { ColumnNames, commentOf, type Live, type LiveColumn } from './columns.ts';
import { assumeWritten, recordWidened, trackColumns } from './completion.ts';
import { alignHistory, historyColumn, historyOf } from './history.ts';
import { literal, META_COLUMNS, quote } from './identifiers.ts';

/** A table of the warehouse by its names in SQL. */
export interface Target {
  readonly schema: string;
  readonly name: string;
  /** `"schema"."name"`. */
  readonly sql: string;
}

export function targetOf(schema: string, prefix: string, table: string): Target {
  const name = `${prefix}${table}`;
  return { schema, name, sql: `${quote(schema)}.${quote(name)}` };
}

/** Unknown fields become columns up to here; rows of many more would not fit PostgreSQL's page. */
const COLUMNS_MAX = 300;

/** A table up to this size is rewritten by a widening in well under a second; a larger one never is. */
const REWRITE_BYTES_MAX = 64 * 1024 * 1024;

/** Waiting longer for a lock would queue the readers behind us. */
const LOCK_TIMEOUT_MS = 3000;

export interface TableState {
  readonly names: ColumnNames;
  readonly columns: readonly LiveColumn[];
  /** The types of all its columns. */
  readonly types: ReadonlyMap<string, string>;
  /** Columns that keep their type: what does not fit is kept in `_freshet_extra`. */
  readonly fixed: ReadonlySet<string>;
  /** Fields whose values are kept in `_freshet_extra`: field → its column, whose type cannot be written; null: the table has no room for one. */
  readonly kept: ReadonlyMap<string, string | null>;
}

/**
 * Makes what is not there yet: the schema, the ledger, the table, its declared columns. Adds, never drops.
 * @returns with the types that its columns had before; null: there was no table.
 * @throws AppError `warehouse_data` if a column that loading needs has a type that Freshet cannot write.
 */
export async function ensureTable(
  client: ClientBase,
  target: Target,
  table: Table,
): Promise<{ readonly state: TableState; readonly before: TableState['types'] | null }> {
  const { columns: existing, hasLedger } = await liveColumns(client, target);
  const known = new ColumnNames(table, existing);
  const isComplete = existing !== null && hasLedger && known.missing.length === 0;
  if (!isComplete) {
    await inShortTransaction(client, target, async () => {
      await createSchema(client, target.schema);
      const found = await liveColumns(client, target);
      // Somebody else may have made it meanwhile; its tables are in use then, and not to be altered.
      if (!found.hasLedger) await client.query(ledgerOf(target.schema));
      // What is added below was not there when the rows were written.
      if (found.columns !== null) await assumeWritten(client, target, new ColumnNames(table, found.columns));
      // In one go: a round trip for each would be what a table's first load takes longest for.
      const statements = found.columns === null ? creationOf(target, table) : missingIn(target, table, found.columns);
      if (statements.length > 0) await client.query(statements.join('\n'));
    });
  }
  const names = isComplete ? known : new ColumnNames(table, (await liveColumns(client, target)).columns);
  await addComments(client, target, names);
  const state = stateOf(names);
  for (const name of [...table.primaryKey, ...table.lookups, ...(table.version === null ? [] : [table.version])]) {
    if (state.columns.some((c) => c.name === name)) continue;
    throw new AppError(
      'warehouse_data',
      `Column ${target.name}.${name} has the type ${state.types.get(name)}, which Freshet cannot write. Change its type back to the documented one.`,
    );
  }
  const changed = await trackColumns(client, target, names);
  // Where old versions do not fit the new type, their history keeps the column as it is, and gets no new values for it.
  if (changed.length > 0)
    await inShortTransaction(client, target, () => alignHistory(client, target)).catch(ignoreMisfits);
  return { state, before: existing === null ? null : typesOf(existing) };
}

/** What loading would change about a schema before the first rows: nothing is changed. */
export async function planTables(
  client: ClientBase,
  targets: readonly { readonly target: Target; readonly table: Table }[],
): Promise<SchemaPlan> {
  const tables: TablePlan[] = [];
  const schema = new Set<string>();
  for (const { target, table } of targets) {
    const { columns, hasLedger } = await liveColumns(client, target);
    if (!hasLedger) schema.add(`create schema if not exists ${quote(target.schema)};${ledgerOf(target.schema)}`);
    const statements = columns === null ? creationOf(target, table) : missingIn(target, table, columns);
    tables.push({ table: target.name, exists: columns !== null, statements });
  }
  return { statements: [...schema], tables };
}

export interface SchemaPlan {
  /** SQL that makes the schema and the ledger; none: they are there. */
  readonly statements: readonly string[];
  readonly tables: readonly TablePlan[];
}

interface TablePlan {
  readonly table: string;
  readonly exists: boolean;
  /** SQL, in order; none: it is as it should be. */
  readonly statements: readonly string[];
}

/** What is different now about a table that was as `before`. */
export function changesOf(target: Target, before: TableState['types'] | null, { types }: TableState): SchemaChange[] {
  if (before === null) return [{ change: 'table_added', table: target.name, column: null, type: null }];
  const changed = [...types].filter(([name, type]) => before.get(name) !== type);
  return changed.map(([column, type]) => ({
    change: before.has(column) ? 'column_widened' : 'column_added',
    table: target.name,
    column,
    type,
  }));
}

/**
 * Grants wishes where that is quick, safe and called for (`widensFor`). Columns that are not widened are `fixed` in the state it returns,
 * fields without a column `kept`.
 * @param records that are being loaded.
 */
export async function evolveTable(
  client: ClientBase,
  target: Target,
  table: Table,
  state: TableState,
  wishes: Wishes,
  records: readonly Identified[],
): Promise<TableState> {
  const fixed = new Set(state.fixed);
  const kept = new Map(state.kept);
  // In the order of their fields, so that names do not depend on the order in which fields arrive.
  const wanted = [...wishes.add].sort(([a], [b]) => (a < b ? -1 : 1));
  const room = Math.max(0, COLUMNS_MAX - state.columns.length);
  for (const [field] of wanted.slice(room)) kept.set(field, null);
  if (wanted.length > 0 && room > 0) {
    await inShortTransaction(client, target, async () => {
      // Another loader may have added columns meanwhile, so names are given under the lock.
      const names = new ColumnNames(table, (await liveColumns(client, target)).columns);
      const added = wanted.slice(0, room).map(([, { path, types }]) => ({
        name: names.nameOf(path),
        path,
        type: [...types].reduce(commonType),
        description: '',
      }));
      await client.query(added.map((column) => additionOf(target, column)).join('\n'));
    });
  }
  for (const name of wishes.widen) {
    const column = state.columns.find((c) => c.name === name) as LiveColumn;
    const wider = await widensFor(client, target, state, column, records);
    if (wider === null || !(await widen(client, target, column, wider))) fixed.add(name);
  }
  const next = stateOf(new ColumnNames(table, (await liveColumns(client, target)).columns));
  return { ...next, fixed, kept: new Map([...kept, ...next.kept]) };
}

/** Adds a column to the table, and to its history if it has one. */
function additionOf(target: Target, { name, type, path = [name], description }: Column): string {
  const to = (sql: string, column: string) => `alter table ${sql} add column if not exists ${quote(column)} ${type};`;
  return `${to(target.sql, name)}${to(`if exists ${historyOf(target).sql}`, historyColumn(name))}${commentOn(target, name, commentOf(path, description))}`;
}

/** SQL that adds the declared columns that a table lacks. */
function missingIn(target: Target, table: Table, live: ReadonlyMap<string, Live>): string[] {
  return new ColumnNames(table, live).missing.map((column) => additionOf(target, column));
}

/** Adds the comments that tell which field fills a column, where an earlier release has not. */
async function addComments(client: ClientBase, target: Target, { comments }: ColumnNames): Promise<void> {
  if (comments.length === 0) return;
  try {
    await inShortTransaction(client, target, () =>
      client.query(comments.map(({ name, comment }) => commentOn(target, name, comment)).join('\n')),
    );
  } catch (error) {
    // Another session has the table locked, or another role owns it. The columns are known without comments as well.
    if (![LOCK_NOT_AVAILABLE, INSUFFICIENT_PRIVILEGE].includes((error as { code?: string }).code ?? '')) throw error;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';
const INSUFFICIENT_PRIVILEGE = '42501';

function commentOn(target: Target, column: string, comment: string): string {
  return `comment on column ${target.sql}.${quote(column)} is ${literal(comment)};`;
}

/**
 * The type that a column is widened to for values that do not fit; null: it keeps its type.
 *
 * The account's definition of a field decides: if it asks for a wider type, the column takes that. Otherwise the values decide: the
 * column is widened only if more values do not fit than do, in the table and among the records that are being loaded. So one
 * outlier changes no column that holds values. The type is the narrowest for which most of these values fit.
 */
async function widensFor(
  client: ClientBase,
  target: Target,
  { names }: TableState,
  { name, path, type }: LiveColumn,
  records: readonly Identified[],
): Promise<ColumnType | null> {
  const declared = names.declaredOf(name)?.type;
  if (declared !== undefined && widerTypes(type).includes(declared)) return declared;
  // The column of a larger table is not widened anyway, so it is not counted either.
  if ((await bytesOf(client, target)) > REWRITE_BYTES_MAX) return null;
  const { rows } = await client.query<{ held: string; kept: string; kept_numbers: string }>(
    `select count(${quote(name)}) as held, count(*) filter (where _freshet_notes -> 'kept_in_extra' ? $1) as kept,
       count(*) filter (where _freshet_notes -> 'kept_in_extra' ? $1 and jsonb_typeof(_freshet_extra -> $2) = 'number') as kept_numbers
     from ${target.sql}`,
    [name, path.join('.')],
  );
  const [held, kept, keptNumbers] = [Number(rows[0]?.held), Number(rows[0]?.kept), Number(rows[0]?.kept_numbers)];
  const mostFit = (wider: ColumnType) => {
    const { fits, misfits } = countFits(records, path, wider);
    const keptThatFit = wider === 'numeric' ? keptNumbers : 0;
    return misfits + kept - keptThatFit <= fits + held + keptThatFit;
  };
  return mostFit(type) ? null : (widerTypes(type).find((wider) => wider === 'text' || mostFit(wider)) ?? null);
}

async function bytesOf(client: ClientBase, target: Target): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    'select greatest(pg_total_relation_size($1::regclass), pg_total_relation_size(to_regclass($2))) as bytes',
    [target.sql, historyOf(target).sql],
  );
  return Number(rows[0]?.bytes);
}

async function widen(
  client: ClientBase,
  target: Target,
  { name, type: from, path }: LiveColumn,
  type: ColumnType,
): Promise<boolean> {
  if ((await bytesOf(client, target)) > REWRITE_BYTES_MAX) return false;
  const history = historyOf(target);
  try {
    await inShortTransaction(client, target, async () => {
      const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
        history.sql,
      ]);
      for (const { sql } of rows[0]?.there === true ? [target, history] : [target]) {
        const column = quote(sql === history.sql ? historyColumn(name) : name);
        const value =
          from === 'date' && type === 'timestamptz' ? `${column}::timestamp at time zone 'UTC'` : `${column}::${type}`;
        await client.query(`alter table ${sql} alter column ${column} type ${type} using ${value}`);
        await restoreKept(client, sql, column, name, path.join('.'), type, sql === target.sql);
      }
      // PostgreSQL writes times in another form than Freshdesk: such rows are written again.
      if (from !== 'timestamptz' && !(from === 'date' && type === 'text'))
        await recordWidened(client, target, name, typeName(type));
    });
    return true;
  } catch (error) {
    // A view of the user's depends on the column: it stays as it is, and so does the view.
    if ((error as { code?: string }).code === '0A000') return false;
    throw error;
  }
}

/** Moves values that were kept in `_freshet_extra` into their column, now that its type holds them. Others stay there until their record is written again. */
async function restoreKept(
  client: ClientBase,
  sql: string,
  column: string,
  name: string,
  field: string,
  type: ColumnType,
  isTable: boolean,
): Promise<void> {
  const fits =
    type === 'text' ? 'true' : type === 'numeric' ? `jsonb_typeof(_freshet_extra -> $2) = 'number'` : 'false';
  await client.query(
    `update ${sql} set ${column} = (_freshet_extra ->> $2)::${type}, _freshet_extra = nullif(_freshet_extra - $2, '{}'),
       _freshet_notes = nullif(case when _freshet_notes -> 'kept_in_extra' = jsonb_build_array($1::text) then _freshet_notes - 'kept_in_extra'
         else jsonb_set(_freshet_notes, '{kept_in_extra}', (_freshet_notes -> 'kept_in_extra') - $1) end, '{}')
       ${isTable ? ', _freshet_loaded_at = now()' : ''}
     where _freshet_notes -> 'kept_in_extra' ? $1 and _freshet_extra ? $2 and ${fits}`,
    [name, field],
  );
}

async function createSchema(client: ClientBase, schema: string): Promise<void> {
  // `create schema if not exists` asks for the right to create one even where it exists.
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema]);
  if (rowCount === 0) await client.query(`create schema if not exists ${quote(schema)}`);
}

function ledgerOf(schema: string): string {
  const s = quote(schema);
  return `
    create table if not exists ${s}._freshet_batches (
      batch_id uuid primary key,
      table_name text not null,
      epoch bigint not null,
      extracted_at timestamptz not null,
      loaded_at timestamptz not null default now(),
      records bigint not null,
      inserted bigint not null default 0,
      updated bigint not null default 0,
      unchanged bigint not null default 0,
      rejected bigint not null default 0,
      deleted bigint not null default 0,
      missing bigint not null default 0,
      stale bigint not null default 0
    );
    alter table ${s}._freshet_batches add column if not exists missing bigint not null default 0, add column if not exists stale bigint not null default 0;
    create table if not exists ${s}._freshet_objects (
      table_name text primary key,
      epoch bigint not null default 0,
      complete_as_of timestamptz,
      complete_back_to timestamptz,
      last_run_id uuid,
      last_loaded_at timestamptz,
      last_audit_at timestamptz,
      row_count bigint not null default 0,
      history boolean not null default false
    );
    alter table ${s}._freshet_objects add column if not exists history boolean not null default false,
      add column if not exists completing_since timestamptz, add column if not exists rewrite_before timestamptz,
      add column if not exists written_columns jsonb, add column if not exists reread_needed boolean not null default false,
      add column if not exists restarted_at timestamptz;
    comment on column ${s}._freshet_objects.completing_since is 'Not null: since then the table has a column that rows lack values for. They are being written again.';
    comment on table ${s}._freshet_batches is 'The ledger: every batch that was applied, once each.';
    comment on table ${s}._freshet_objects is 'How fresh (complete_as_of) and how deep (complete_back_to) each table is.';`;
}

function creationOf(target: Target, table: Table): string[] {
  const made = new ColumnNames(table, null).missing;
  const columns = [
    ...made.map((c) => `${quote(c.name)} ${c.type}${table.primaryKey.includes(c.name) ? ' not null' : ''}`),
    ...Object.entries(META_COLUMNS).map(([name, type]) => `${name} ${type}`),
    `primary key (${table.primaryKey.map(quote).join(', ')})`,
  ];
  const isSelfEvident = ({ name, path = [name] }: Column) => path.length === 1 && path[0] === name;
  return [
    // Room in each page keeps updates beside their old version, which spares the index (HOT).
    `create table ${target.sql} (${columns.join(', ')}) with (fillfactor = 85);`,
    `comment on table ${target.sql} is ${literal(table.description)};`,
    ...made.map((c) =>
      commentOn(target, c.name, isSelfEvident(c) ? c.description : commentOf(c.path ?? [c.name], c.description)),
    ),
    ...table.lookups.map((column) => `create index on ${target.sql} (${quote(column)});`),
  ];
}

/** Schema changes: a transaction of their own, short, one at a time in a schema, and never long in anybody's way. */
async function inShortTransaction(client: ClientBase, target: Target, work: () => Promise<unknown>): Promise<void> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(`select pg_advisory_xact_lock(hashtextextended('freshet.ddl.' || $1, 0))`, [target.schema]);
    await work();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

function ignoreMisfits(error: unknown): void {
  const code = String((error as { code?: unknown }).code);
  if (!code.startsWith('22') && code !== '0A000' && code !== '42846') throw error;
}

/** The table's columns, null if there is no table; and whether the ledger is there as this release needs it. */
async function liveColumns(
  client: ClientBase,
  target: Target,
): Promise<{ readonly columns: Map<string, Live> | null; readonly hasLedger: boolean }> {
  const { rows } = await client.query<{
    table: string;
    name: string;
    number: number;
    type: string;
    comment: string | null;
  }>(
    `select c.relname as table, a.attname as name, a.attnum as number, format_type(a.atttypid, a.atttypmod) as type, col_description(c.oid, a.attnum) as comment
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and (c.relname = $2 or (c.relname = '_freshet_objects' and a.attname = 'restarted_at')) and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
    [target.schema, target.name],
  );
  const own = rows.filter((r) => r.table === target.name);
  return {
    columns:
      own.length === 0
        ? null
        : new Map(own.map((r) => [r.name, { number: r.number, type: r.type, comment: r.comment }])),
    hasLedger: own.length < rows.length,
  };
}

/** The columns that rows are made for: declared ones, and those that earlier batches have added. */
function stateOf(names: ColumnNames): TableState {
  const { columns, unwritable, live } = names;
  return {
    names,
    columns,
    types: typesOf(live),
    fixed: new Set(columns.map((c) => c.name).filter((name) => names.declaredOf(name)?.documented === true)),
    kept: unwritable,
  };
}

/** The name of a type as PostgreSQL writes it. */
function typeName(type: ColumnType): string {
  return type === 'timestamptz' ? 'timestamp with time zone' : type;
}

function typesOf(live: ReadonlyMap<string, Live>): Map<string, string> {
  return new Map([...live].map(([name, { type }]) => [name, type]));
}
