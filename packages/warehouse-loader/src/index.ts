/**
 * Loads batches into PostgreSQL warehouses. This package does not depend on Freshdesk.
 *
 * The package encapsulates the types and names of columns, schema evolution, and the transaction
 * that applies a batch exactly once. No value is lost silently. Either the row of a record contains
 * every value, or a note in the row names the values that were changed, or the record is rejected.
 *
 * Layers, from low to high: `sql` (identifiers and COPY), `records` (batches, identities, rows),
 * `schema` (tables, columns, history, completion), `load` (the warehouse transaction), `inspect`
 * (read-only descriptions and rows of tables),
 * `warehouse.ts` (the public class). Start with `load/load.ts`.
 */

export type { WarehouseAddress } from './address.ts';
export type { ErasedRows, RowCounts, RowFilter } from './erase.ts';
export { HISTORY_DESCRIPTIONS, LEDGER_DESCRIPTIONS, METADATA_DESCRIPTIONS } from './inspect/descriptions.ts';
export { listRelations, type Relation, type RelationName, readRowCounts } from './inspect/relations.ts';
export { type PreviewLimits, previewRows, type RowPreview } from './inspect/rows.ts';
export type { LoadRequest, LoadResult } from './load/request.ts';
export { runReadOnly, type SqlTransaction } from './read-only.ts';
export type { BatchToLoad } from './records/batches.ts';
export { type PreparedBatches, prepareBatches } from './records/prepare.ts';
export {
  type DependentView,
  DependentViewError,
  dropDependentViews,
  readDependentViews,
  recreateDependentViews,
} from './schema/dependent-views.ts';
export { readPrivilegeStatements } from './schema/view-statements.ts';
export { METADATA_COLUMNS } from './sql/identifiers.ts';
export type { Query } from './sql/query.ts';
export { Warehouse, type WarehouseTestResult } from './warehouse.ts';
