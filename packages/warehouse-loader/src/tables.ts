import type { ColumnType, SchemaChange, Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { assumeWritten, recordWidened, trackColumns, writtenColumns } from './completion.ts';
import { alignHistory, historyOf } from './history.ts';
import { META_COLUMNS, quote } from './identifiers.ts';
import type { LiveColumn, Wishes } from './rows.ts';
import { commonType } from './values.ts';

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
  readonly columns: readonly LiveColumn[];
  /** The types of all its columns. */
  readonly types: ReadonlyMap<string, string>;
  /** Columns that stay as they are whatever comes. */
  readonly fixed: ReadonlySet<string>;
}

/**
 * Makes what is not there yet: the schema, the ledger, the table, its declared columns. Adds, never drops.
 * @returns with the types that its columns had before; null: there was no table.
 */
export async function ensureTable(
  client: ClientBase,
  target: Target,
  table: Table,
): Promise<{ readonly state: TableState; readonly before: TableState['types'] | null }> {
  const { columns: existing, hasLedger } = await liveTypes(client, target);
  const missing = !hasLedger || existing === null || table.columns.some((c) => c.dropped !== true && !existing.has(c.name));
  if (missing) {
    await inShortTransaction(client, target, async () => {
      await createSchema(client, target.schema);
      // Somebody else may have made it meanwhile; its tables are in use then, and not to be altered.
      if (!(await liveTypes(client, target)).hasLedger) await client.query(ledgerOf(target.schema));
      // What is added below was not there when the rows were written.
      if (existing !== null) await assumeWritten(client, target, writtenColumns(existing, table, pathsOf(existing, table)));
      await createTable(client, target, table);
      // In one go: a round trip for each would be what a table's first load takes longest for.
      await client.query(
        table.columns
          .filter((c) => c.dropped !== true)
          .map((c) => addColumn(target, c.name, c.type))
          .join(''),
      );
    });
  }
  const live = (missing ? (await liveTypes(client, target)).columns : existing) ?? new Map<string, Live>();
  const changed = await trackColumns(client, target, table, live, pathsOf(live, table));
  // Where old versions do not fit the new type, their history keeps the column as it is, and gets no new values for it.
  if (changed.length > 0) await inShortTransaction(client, target, () => alignHistory(client, target)).catch(ignoreMisfits);
  const state = stateOf(live, table, new Map());
  return { state, before: existing === null ? null : typesOf(existing) };
}

/** What loading would change about a schema before the first rows: nothing is changed. */
export async function planTables(client: ClientBase, targets: readonly { readonly target: Target; readonly table: Table }[]): Promise<SchemaPlan> {
  const tables: TablePlan[] = [];
  const schema = new Set<string>();
  for (const { target, table } of targets) {
    const { columns, hasLedger } = await liveTypes(client, target);
    if (!hasLedger) schema.add(`create schema if not exists ${quote(target.schema)};${ledgerOf(target.schema)}`);
    const added = table.columns.filter((c) => c.dropped !== true && columns !== null && !columns.has(c.name));
    const statements =
      columns === null ? creationOf(target, table) : added.map((c) => `alter table ${target.sql} add column if not exists ${quote(c.name)} ${c.type};`);
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
  return changed.map(([column, type]) => ({ change: before.has(column) ? 'column_widened' : 'column_added', table: target.name, column, type }));
}

/** Grants wishes where that is quick and safe; what cannot be granted is `fixed` in the state it returns. */
export async function evolveTable(client: ClientBase, target: Target, table: Table, state: TableState, wishes: Wishes): Promise<TableState> {
  const fixed = new Set(state.fixed);
  const paths = new Map(state.columns.map((c) => [c.name, c.path]));
  let room = COLUMNS_MAX - state.columns.length;
  for (const [name, { path, types }] of wishes.add) {
    const type = state.types.get(name);
    // A user has given the column a type that Freshet does not know.
    if ((type !== undefined && TYPES[type] === undefined) || room-- <= 0) {
      fixed.add(name);
      continue;
    }
    paths.set(name, path);
    const wanted = [...types].reduce(commonType);
    await inShortTransaction(client, target, async () => {
      // A column's path cannot be told from its name where the name had to be changed.
      await client.query(
        `${addColumn(target, name, wanted)} comment on column ${target.sql}.${quote(name)} is '${JSON.stringify({ path }).replaceAll("'", "''")}'`,
      );
    });
  }
  for (const [name, type] of wishes.widen) {
    if (!(await widen(client, target, state, name, type))) fixed.add(name);
  }
  const next = stateOf((await liveTypes(client, target)).columns, table, paths);
  return { ...next, fixed };
}

/** To the table, and to its history if it has one. */
function addColumn(target: Target, name: string, type: ColumnType): string {
  return [target, historyOf(target)].map(({ sql }) => `alter table if exists ${sql} add column if not exists ${quote(name)} ${type};`).join('');
}

async function widen(client: ClientBase, target: Target, state: TableState, name: string, type: ColumnType): Promise<boolean> {
  const history = historyOf(target);
  const { rows } = await client.query<{ bytes: string }>(
    'select greatest(pg_total_relation_size($1::regclass), pg_total_relation_size(to_regclass($2))) as bytes',
    [target.sql, history.sql],
  );
  if (Number(rows[0]?.bytes) > REWRITE_BYTES_MAX) return false;
  const from = state.columns.find((c) => c.name === name)?.type;
  const column = quote(name);
  const value = from === 'date' && type === 'timestamptz' ? `${column}::timestamp at time zone 'UTC'` : `${column}::${type}`;
  try {
    await inShortTransaction(client, target, async () => {
      for (const { sql } of [target, history]) await client.query(`alter table if exists ${sql} alter column ${column} type ${type} using ${value}`);
      // PostgreSQL writes times in another form than Freshdesk: such rows are written again.
      if (from !== 'timestamptz' && !(from === 'date' && type === 'text')) await recordWidened(client, target, name, typeName(type));
    });
    return true;
  } catch (error) {
    // A view of the user's depends on the column: it stays as it is, and so does the view.
    if ((error as { code?: string }).code === '0A000') return false;
    throw error;
  }
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

async function createTable(client: ClientBase, target: Target, table: Table): Promise<void> {
  const { rowCount } = await client.query('select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2', [
    target.schema,
    target.name,
  ]);
  if (rowCount === 0) await client.query(creationOf(target, table).join('\n'));
}

function creationOf(target: Target, table: Table): string[] {
  const made = table.columns.filter((c) => c.dropped !== true);
  const columns = [
    ...made.map((c) => `${quote(c.name)} ${c.type}${table.primaryKey.includes(c.name) ? ' not null' : ''}`),
    ...Object.entries(META_COLUMNS).map(([name, type]) => `${name} ${type}`),
    `primary key (${table.primaryKey.map(quote).join(', ')})`,
  ];
  const comment = (on: string, text: string) => `comment on ${on} is '${text.replaceAll("'", "''")}';`;
  return [
    // Room in each page keeps updates beside their old version, which spares the index (HOT).
    `create table ${target.sql} (${columns.join(', ')}) with (fillfactor = 85);`,
    comment(`table ${target.sql}`, table.description),
    ...made.map((c) => comment(`column ${target.sql}.${quote(c.name)}`, c.description)),
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

const TYPES: Readonly<Record<string, ColumnType>> = {
  bigint: 'bigint',
  integer: 'bigint',
  numeric: 'numeric',
  boolean: 'boolean',
  text: 'text',
  'timestamp with time zone': 'timestamptz',
  date: 'date',
  jsonb: 'jsonb',
};

interface Live {
  readonly number: number;
  readonly type: string;
  readonly comment: string | null;
}

/** The table's columns, null if there is no table; and whether the ledger is there as this release needs it. */
async function liveTypes(client: ClientBase, target: Target): Promise<{ readonly columns: Map<string, Live> | null; readonly hasLedger: boolean }> {
  const { rows } = await client.query<{ table: string; name: string; number: number; type: string; comment: string | null }>(
    `select c.relname as table, a.attname as name, a.attnum as number, format_type(a.atttypid, null) as type, col_description(c.oid, a.attnum) as comment
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and (c.relname = $2 or (c.relname = '_freshet_objects' and a.attname = 'restarted_at')) and a.attnum > 0 and not a.attisdropped
     order by a.attnum`,
    [target.schema, target.name],
  );
  const own = rows.filter((r) => r.table === target.name);
  return {
    columns: own.length === 0 ? null : new Map(own.map((r) => [r.name, { number: r.number, type: r.type, comment: r.comment }])),
    hasLedger: own.length < rows.length,
  };
}

/** The columns that rows are made for: declared ones, and those that earlier batches have added. */
function stateOf(live: ReadonlyMap<string, Live> | null, table: Table, addedPaths: ReadonlyMap<string, readonly string[]>): TableState {
  const declared = new Map(table.columns.map((c) => [c.name, c.path ?? [c.name]]));
  const columns: LiveColumn[] = [];
  for (const [name, { type, comment }] of live ?? []) {
    const path = declared.get(name) ?? addedPaths.get(name) ?? pathIn(comment);
    const known = TYPES[type];
    // A column without a path is the user's own.
    if (path && known && !(name in META_COLUMNS)) columns.push({ name, type: known, path });
  }
  return { columns, types: typesOf(live ?? new Map()), fixed: new Set() };
}

/** The columns that Freshet fills, whatever their type: declared ones, and those that it has added. */
function pathsOf(live: ReadonlyMap<string, Live>, table: Table): Map<string, readonly string[]> {
  const declared = new Map(table.columns.map((c) => [c.name, c.path ?? [c.name]]));
  const paths = new Map<string, readonly string[]>();
  for (const [name, { comment }] of live) {
    const path = declared.get(name) ?? pathIn(comment);
    if (path && !(name in META_COLUMNS)) paths.set(name, path);
  }
  return paths;
}

/** The name of a type as PostgreSQL writes it. */
function typeName(type: ColumnType): string {
  return type === 'timestamptz' ? 'timestamp with time zone' : type;
}

function typesOf(live: ReadonlyMap<string, Live>): Map<string, string> {
  return new Map([...live].map(([name, { type }]) => [name, type]));
}

function pathIn(comment: string | null): readonly string[] | null {
  if (comment === null || !comment.startsWith('{"path":')) return null;
  return (JSON.parse(comment) as { path: string[] }).path;
}
