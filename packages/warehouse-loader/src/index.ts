/**
 * Loads batches into PostgreSQL warehouses. It does not know Freshdesk.
 *
 * Hides: types and names of columns, schema evolution, and the transaction that applies a batch
 * exactly once. Promises: every value of a record is in its row, or a note in the row states what
 * was changed, or the record is a rejected record.
 *
 * Layers, from low to high: `sql` (identifiers and COPY), `records` (batches, identities, rows),
 * `schema` (tables, columns, history, completion), `load` (the warehouse transaction),
 * `warehouse.ts` (the public class). Start reading at `load/load.ts`.
 */

export type { WarehouseAddress } from './connections.ts';
export type { ErasedRows, RowCounts, RowFilter } from './erase.ts';
export type { LoadRequest, LoadResult } from './load/request.ts';
export type { BatchToLoad } from './records/batches.ts';
export { type PreparedBatches, prepareBatches } from './records/prepare.ts';
export { METADATA_COLUMNS } from './sql/identifiers.ts';
export { Warehouse, type WarehouseTestResult } from './warehouse.ts';
