import type { ClientBase } from 'pg';
import type { TargetTable } from '../sql/target.ts';

/**
 * While a schema change waits for a lock, it blocks all later readers of the table, so the wait is
 * short.
 */
const LOCK_TIMEOUT_MS = 3000;

/**
 * Runs a schema change in its own short transaction. Only one schema change runs in a schema at a
 * time.
 */
export async function runSchemaChange(
  client: ClientBase,
  target: TargetTable,
  work: () => Promise<unknown>,
): Promise<void> {
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
