/**
 * Extracts the data of a Freshdesk account without a database.
 *
 * The package hides the API's pagination, order, parameter names, errors and rate limits. `extract`
 * continues from any stored position without losing a record, and stops with a typed error if the
 * API does not behave as required. To understand the package, read `extract.ts`, then one file in
 * `strategies/`, then one file in `catalogue/objects/`.
 */
export { audit } from './audit.ts';
export type { CatalogueColumn, TextKind } from './catalogue/columns.ts';
export { INCLUDE_COST } from './catalogue/credits.ts';
export type { ObjectSpec } from './catalogue/define-object.ts';
export { listErasedObjects, listOwnerFields, type OwnerField, personObject } from './catalogue/erasure.ts';
export {
  catalogue,
  estimateTypicalCredits,
  getObject,
  isObjectName,
  listChildren,
  listChildTables,
  listObjectsToAudit,
  listObjectsToExtract,
} from './catalogue/index.ts';
export type { ListView, Strategy } from './catalogue/strategies.ts';
export { listProtectedFields, toTable } from './catalogue/tables.ts';
export { classifyAccessError, testConnection } from './connection-test.ts';
export { estimate, type ObjectEstimate } from './estimate.ts';
export { extract } from './extract.ts';
export { buildAccount, parseAccountSettings, parseSubdomain } from './http/account-url.ts';
export { type ClientOptions, FreshdeskClient, type RecordSource } from './http/client.ts';
export { ACCOUNT_BUCKET, type CreditBudget } from './http/credit-budget.ts';
export type { ListPage } from './http/response-parser.ts';
export {
  buildPosition,
  findFutureWatermark,
  getPositionReset,
  type MovedPosition,
  movePosition,
  restorePosition,
} from './position.ts';
export type { Coverage, Page, Position, ReadOptions, WorkUnit } from './reader/page.ts';
export { listCustomColumns } from './records/custom-fields.ts';
export { buildMask, hashValue } from './records/masking.ts';
export { countRecords } from './records/record-count.ts';
