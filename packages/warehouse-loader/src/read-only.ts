import type postgres from 'postgres';

/** A transaction of a postgres.js client. */
export type SqlTransaction = postgres.TransactionSql;

/**
 * Runs `work` in a read-only transaction. All statements of `work` see the same state of the
 * warehouse. Identifiers must be qualified, because the search path contains only the system
 * catalog. Times have the format ISO 8601, in UTC.
 * @param timeoutMs the server cancels a statement after this many milliseconds.
 */
export async function runReadOnly<T>(
  sql: postgres.Sql,
  timeoutMs: number,
  work: (transaction: SqlTransaction) => Promise<T>,
): Promise<T> {
  const result = await sql.begin('isolation level repeatable read read only', async (transaction) => {
    await transaction.unsafe(`
      set local search_path = pg_catalog, pg_temp; set local timezone = 'UTC'; set local datestyle = 'ISO';
      set local jit = off; set local statement_timeout = ${Math.max(1, Math.round(timeoutMs))}`);
    return { value: await work(transaction) };
  });
  return (result as { value: T }).value;
}
