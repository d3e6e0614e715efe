import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, isConnectionLoss } from '@freshet/contracts';
import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';

export type Database = PostgresJsDatabase;
export type Sql = postgres.Sql;
export type Tx = postgres.TransactionSql;
/** A part of a statement, such as a condition. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

/**
 * How long a process waits at startup for a database that is starting, recovering or failing over.
 */
const AVAILABILITY_TIMEOUT_MS = 60_000;
const RETRY_INTERVAL_MS = 500;

/**
 * Retries idempotent work at startup until the database is available, for up to a minute. Without
 * retries, the process would exit, and would be restarted in a loop.
 */
export async function retryUntilAvailable<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + AVAILABILITY_TIMEOUT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionLoss(error) || Date.now() > deadline) throw error;
    }
    await sleep(RETRY_INTERVAL_MS);
  }
}

/** PostgreSQL's code of the errors of statements that follow a failed one in a transaction. */
const IN_FAILED_TRANSACTION = '25P02';

/**
 * Waits for work that sends statements of one transaction concurrently. Waits until all of the work
 * has ended, even if a part fails: a statement that is sent after the rollback would run outside
 * the transaction.
 * @throws the error that made the transaction fail, or else the error of the first part in the list
 *   that failed.
 */
export async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length === 0) return;
  throw errors.find((error) => (error as { code?: unknown }).code !== IN_FAILED_TRANSACTION) ?? errors[0];
}

/** Creates a pool of up to `max` connections. @param settings run-time parameters of PostgreSQL. */
export function connect(url: string, max: number, settings: Record<string, string> = {}): Sql {
  return postgres(url, {
    max,
    onnotice: () => {},
    types: { json: JSON_TYPE, number: NUMBER_TYPE },
    connection: { application_name: 'freshet', ...settings },
  });
}

/**
 * Parses bigint and numeric as numbers. This loses no digits, because no such value in the control
 * database exceeds 53 bits. Keys of records may be longer, but are stored as text.
 */
const NUMBER_TYPE: postgres.PostgresType = { to: 1700, from: [20, 1700], serialize: String, parse: Number };

/**
 * Serializes values as JSON. Strings are not serialized, because Drizzle passes JSON that is
 * already serialized.
 */
const JSON_TYPE: postgres.PostgresType = {
  to: 3802,
  from: [114, 3802],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string) => JSON.parse(text),
};

/**
 * Builds the list of the table's columns that this release knows. Use the list instead of `*`:
 * otherwise, a column that a newer release adds would change the result type of prepared
 * statements, and each of these statements would fail once.
 * @param omitted columns that the list does not contain. Must be the same in every call for a
 *   table, because the lists are cached.
 */
export function buildColumnList(sql: Sql | Tx, table: PgTable, omitted: readonly string[] = []): Fragment {
  const list =
    columnLists.get(table) ??
    sql.unsafe(
      Object.values(getTableColumns(table))
        .flatMap(({ name }) => (omitted.includes(name) ? [] : [`"${name}"`]))
        .join(', '),
    );
  columnLists.set(table, list);
  return list;
}

/** A fragment does not belong to a connection, so any statement can contain it. */
const columnLists = new WeakMap<PgTable, Fragment>();

/** Database clients that use the transaction of the calling context. */
export interface AmbientSql {
  /**
   * Runs statements in the open transaction, or on the pool if no transaction is open. `begin`
   * within a transaction creates a savepoint.
   */
  readonly sql: Sql;
  /**
   * Runs statements that read one row by its key in the open transaction, or on one dedicated
   * connection if no transaction is open. The statements of concurrent requests share this
   * connection, and therefore its writes and the wake-ups of its server process, which take more
   * CPU time than such a statement itself. Do not run slow statements, which would delay others.
   */
  readonly lookupSql: Sql;
  /** A Drizzle client that uses the same transaction. */
  readonly db: Database;
  /**
   * Runs `work` in a transaction, which includes everything that `work` calls. A nested transaction
   * can roll back without the outer one.
   */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
  /**
   * Runs `work` in the open transaction. If no transaction is open, runs `work` in a new one.
   * Unlike `begin`, does not create a savepoint, which would cost a round trip. Therefore, if
   * `work` fails in an open transaction, the caller must let the error roll back that transaction.
   */
  readonly joinTransaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  /**
   * Runs a statement whose result `work` of `transaction` does not need, such as the last statement
   * of a transaction. The statement is sent together with the commit, which saves a round trip. If
   * the statement fails, nothing is committed, and `transaction` throws the error.
   */
  readonly runWithCommit: (statement: Fragment) => Promise<void>;
}

interface OpenTransaction {
  readonly tx: Tx;
  /** The statements of `runWithCommit`. Null: the transaction is a savepoint. */
  readonly unawaited: Fragment[] | null;
}

/**
 * Creates clients that use the transaction of the calling context. Node's `AsyncLocalStorage`
 * stores the transaction.
 * @param pool the connections for transactions, and for all statements except lookups.
 * @param lookups the connection for lookups.
 */
export function createAmbientSql(pool: Sql, lookups: Sql): AmbientSql {
  const openTransaction = new AsyncLocalStorage<OpenTransaction>();
  const getTx = (): Tx | undefined => openTransaction.getStore()?.tx;
  const getClient = (): Sql | Tx => getTx() ?? pool;
  const begin = (work: (tx: Tx) => Promise<unknown>): Promise<unknown> => {
    const tx = getTx();
    // Statements of other methods that `work` calls also belong to the savepoint.
    return tx
      ? tx.savepoint((savepoint) => openTransaction.run({ tx: savepoint, unawaited: null }, () => work(savepoint)))
      : pool.begin(work);
  };
  const transaction = async (work: () => Promise<unknown>): Promise<unknown> => {
    if (getTx() !== undefined) return await begin(work);
    const unawaited: Fragment[] = [];
    const result = await pool.begin((tx) => openTransaction.run({ tx, unawaited }, work));
    // If one of them has failed, PostgreSQL has rolled back the transaction. The commit of a
    // failed transaction reports no error.
    await Promise.all(unawaited);
    return result;
  };
  const call = (...args: Parameters<Sql>) => getClient()(...args);
  const sql = Object.assign(call, {
    // Prepare the statements of Drizzle. postgres.js needs two round trips for a statement that is
    // not prepared, and PostgreSQL would plan the statement each time.
    unsafe: (text: string, values: Parameters<Sql['unsafe']>[1] = [], options: postgres.UnsafeQueryOptions = {}) =>
      getClient().unsafe(text, values, { prepare: values.length > 0, ...options }),
    json: (...args: Parameters<Sql['json']>) => pool.json(...args),
    listen: (...args: Parameters<Sql['listen']>) => pool.listen(...args),
    begin,
    // Drizzle changes the parsers and serializers of its client, so pass copies.
    options: { ...pool.options, parsers: { ...pool.options.parsers }, serializers: { ...pool.options.serializers } },
  }) as unknown as Sql;
  const lookupSql = Object.assign((...args: Parameters<Sql>) => (getTx() ?? lookups)(...args), {
    unsafe: (...args: Parameters<Sql['unsafe']>) => (getTx() ?? lookups).unsafe(...args),
  }) as unknown as Sql;
  return {
    sql,
    lookupSql,
    db: drizzle(sql),
    transaction: transaction as AmbientSql['transaction'],
    joinTransaction: async <T>(work: (tx: Tx) => Promise<T>) => {
      const tx = getTx();
      return tx === undefined ? ((await pool.begin(work)) as T) : await work(tx);
    },
    runWithCommit: async (statement) => {
      const { unawaited = null } = openTransaction.getStore() ?? {};
      // `execute` sends the statement before the commit, which is sent after `work` has ended.
      if (unawaited === null) await statement;
      else unawaited.push(statement.execute());
    },
  };
}

/**
 * If an error of connecting to the control database, or of migrating it, has a known cause,
 * converts the error to a `configuration` error. Returns every other error unchanged.
 */
export function toDatabaseError(error: unknown): unknown {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const causes: Record<string, string> = {
    ECONNREFUSED: 'no server is listening at this address. Check the host and the port.',
    ENOTFOUND: 'the host name does not resolve.',
    '28P01': 'the server rejected the password.',
    '28000': 'the server rejected the user.',
    '3D000': 'the server has no database with this name.',
    '42501': `the user lacks a permission (${message}). Grant the user the permission to create schemas in the database.`,
  };
  const cause = causes[code];
  return cause === undefined ? error : new AppError('configuration', `DATABASE_URL: ${cause}`, { cause: error });
}
