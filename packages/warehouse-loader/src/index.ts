/**
 * Knows PostgreSQL warehouses, and no Freshdesk.
 *
 * Hides: types, names, changes of schema, and the transaction that applies a batch exactly once. Promises: what a
 * record held stands in its row, or a note in the row says what was changed, or it is a rejected record. Start
 * reading at `load.ts`.
 */

export type { ErasedRows, RowCounts, RowsOf } from './erase.ts';
export type { BatchToLoad, LoadRequest, LoadResult } from './load/request.ts';
export { type Prepared, prepare } from './records/prepare.ts';
export { META_COLUMNS } from './schema/identifiers.ts';
export { Warehouse, type WarehouseAddress, type WarehouseVerdict } from './warehouse.ts';
