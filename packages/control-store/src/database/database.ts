import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AppError, isConnectionLoss } from '@freshet/contracts';
import { getTableColumns } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import type { PgTable } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

export type Database = PostgresJsDatabase;
export type Sql = postgres.Sql;
export type Tx = postgres.TransactionSql;
/** A part of a statement, such as a condition. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** The oldest PostgreSQL that the control database may be. */
const SERVER_VERSION_MIN = 140000;

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
/** When the newest migration was written, in milliseconds: by that drizzle tells which are done. */
const NEWEST_MIGRATION = Math.max(...readMigrationFiles({ migrationsFolder: MIGRATIONS }).map((m) => m.folderMillis));

/** @throws AppError `configuration` that says what is wrong with the database and what would be right. */
export async function migrateControlDatabase(url: string): Promise<void> {
  const sql = connect(url, 1);
  try {
    const [row] = await sql<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
    if ((row?.version ?? 0) < SERVER_VERSION_MIN)
      throw new AppError('configuration', 'DATABASE_URL: PostgreSQL 14 or newer is needed.');
    // Any number of processes may start at once; one migrates, the others wait and find it done.
    await sql`select pg_advisory_lock(hashtextextended('freshet.migrations', 0))`;
    await migrate(drizzle(sql), { migrationsFolder: MIGRATIONS, migrationsSchema: 'freshet_migrations' });
  } catch (error) {
    throw databaseError(error);
  } finally {
    await sql.end();
  }
}

/** How long a database is waited for that starts, recovers or fails over. */
const PATIENCE_MS = 60_000;
const PATIENCE_PAUSE_MS = 500;

/** Does something at start as soon as the database lets it: a process that ended instead would be started again, and again. It must be harmless to repeat. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionLoss(error) || Date.now() > until) throw error;
    }
    await sleep(PATIENCE_PAUSE_MS);
  }
}

/** @throws AppError `configuration` when an older release was the last to migrate, or the tables are gone. */
export async function checkSchema(sql: Sql): Promise<void> {
  const [row] = await sql<
    { newest: number }[]
  >`select coalesce(max(created_at), 0)::float8 as newest from freshet_migrations.__drizzle_migrations`;
  if ((row?.newest ?? 0) < NEWEST_MIGRATION)
    throw new AppError('configuration', 'The control database is older than this release: it was not migrated.');
}

export function connect(url: string, max: number, settings: Record<string, string> = {}): Sql {
  return postgres(url, {
    max,
    onnotice: () => {},
    types: { json: JSON_ONCE, number: AS_NUMBER },
    connection: { application_name: 'freshet', ...settings },
  });
}

/** bigint and numeric: nothing here is beyond a double's 53 bits. (Records' own keys are texts.) */
const AS_NUMBER: postgres.PostgresType = { to: 1700, from: [20, 1700], serialize: String, parse: Number };

/** JSON as a driver expects it, for values; drizzle brings texts that are JSON already. */
const JSON_ONCE: postgres.PostgresType = {
  to: 3802,
  from: [114, 3802],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string) => JSON.parse(text),
};

/**
 * A table's columns, as this release knows them. Never `*`: a column that a newer release adds would change what a prepared statement
 * answers, and each would fail once, in the middle of a transaction.
 */
export function columnsOf(sql: Sql | Tx, table: PgTable): Fragment {
  const names =
    columnNames.get(table) ??
    Object.values(getTableColumns(table))
      .map(({ name }) => `"${name}"`)
      .join(', ');
  columnNames.set(table, names);
  return sql.unsafe(names);
}

const columnNames = new WeakMap<PgTable, string>();

export interface AmbientSql {
  /** Runs its statements in the transaction that is open around it, and else on the pool; `begin` within one makes a savepoint. */
  readonly sql: Sql;
  /** The same, for drizzle. */
  readonly db: Database;
  /** Opens a transaction around all that `work` does, however deep: it happens as a whole, or not at all. One within another can fail alone. */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
}

export function ambientSql(pool: Sql): AmbientSql {
  const open = new AsyncLocalStorage<Tx>();
  const here = (): Sql | Tx => open.getStore() ?? pool;
  const begin = (work: (tx: Tx) => Promise<unknown>): Promise<unknown> => {
    const tx = open.getStore();
    // What is done by other methods within the savepoint belongs to it as well.
    return tx ? tx.savepoint((inner) => open.run(inner, () => work(inner))) : pool.begin(work);
  };
  const call = (...args: Parameters<Sql>) => here()(...args);
  const sql = Object.assign(call, {
    unsafe: (...args: Parameters<Sql['unsafe']>) => here().unsafe(...args),
    json: (...args: Parameters<Sql['json']>) => pool.json(...args),
    begin,
    // Drizzle changes how the client that it is given reads and writes values; this pool stays as it is.
    options: { ...pool.options, parsers: { ...pool.options.parsers }, serializers: { ...pool.options.serializers } },
  }) as unknown as Sql;
  return {
    sql,
    db: drizzle(sql),
    transaction: async <T>(work: () => Promise<T>) => (await begin((tx) => open.run(tx, work))) as T,
  };
}

/** A failure to reach or use the control database, in words; anything else as it is. */
export function databaseError(error: unknown): unknown {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const advice: Record<string, string> = {
    ECONNREFUSED: 'no server answers there',
    ENOTFOUND: 'its host name does not resolve',
    '28P01': 'the server refused the password',
    '28000': 'the server refused this user',
    '3D000': 'the server has no database of that name',
    '42501': `the user lacks a permission (${message}); it must be able to create schemas`,
  };
  const text = advice[code];
  return text === undefined ? error : new AppError('configuration', `DATABASE_URL: ${text}.`, { cause: error });
}
