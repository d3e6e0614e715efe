import type { ClientBase } from 'pg';
import type { WritableColumn } from '../records/writable-columns.ts';
import type { TargetTable } from '../sql/target.ts';
import type { LoadRequest } from './request.ts';

/** The open transaction of a load. */
export interface LoadTransaction {
  readonly client: ClientBase;
  readonly target: TargetTable;
  readonly request: LoadRequest;
  /** The columns to which rows are written. */
  readonly columns: readonly WritableColumn[];
}

const SETTINGS = `set local search_path = pg_catalog, pg_temp; set local timezone = 'UTC'; set local lock_timeout = '10s';
  set local statement_timeout = '10min'; set local idle_in_transaction_session_timeout = '2min';
  set local synchronous_commit = on;`;

/**
 * Applies the settings of a load to the current transaction.
 * @param hasLz4 whether the server supports LZ4 compression.
 */
export async function applySettings(client: ClientBase, hasLz4: boolean): Promise<void> {
  await client.query(SETTINGS + (hasLz4 ? 'set local default_toast_compression = lz4;' : ''));
}

/**
 * Rolls back after an error. Ignores a failure of the rollback, because the server ends the
 * transaction when the connection is lost.
 */
export async function rollBack(client: ClientBase): Promise<void> {
  await client.query('rollback').catch(() => {});
}

/** Returns the columns of a table's primary key. */
export function getKeyColumns({ request, columns }: LoadTransaction): WritableColumn[] {
  return request.table.primaryKey.map((name) => columns.find((c) => c.name === name) as WritableColumn);
}

/** Maps the ids of the batches to their indexes in the request. */
export function indexBatches({ prepared }: LoadRequest): ReadonlyMap<string, number> {
  return new Map(prepared.batches.map(({ id }, index) => [id, index]));
}
