/**
 * Knows Freshdesk, and no database.
 *
 * Hides: the API's paging, order, spellings, errors and credits. Promises: `extract` reads an object from any
 * stored position on without losing a record, and stops with a typed error rather than guess. Start reading at
 * `extract.ts`, then one of `ways/`, then a file of `catalogue/objects/`.
 */
export * from './catalogue/define.ts';
export { erasedObjects, type OwnerField, ownerFields, people } from './catalogue/erasure.ts';
export {
  catalogue,
  childrenOf,
  isObjectName,
  objectNamed,
  objectsToAudit,
  objectsToRead,
  tablesBelow,
  typicalCredits,
} from './catalogue/index.ts';
export { countRecords, type EstimateOptions, estimate, type KnownObject, type ObjectEstimate } from './estimate.ts';
export {
  audit,
  extract,
  futureWatermark,
  type MovedPosition,
  positionAt,
  positionFrom,
  rereadPosition,
  restoredPosition,
} from './extract.ts';
export { accountAt, parseSubdomain } from './http/account-url.ts';
export {
  ACCOUNT_BUCKET,
  type Budget,
  type ClientOptions,
  type CreditReading,
  FreshdeskClient,
  type ListPage,
  type Lists,
} from './http/client.ts';
export type { ChildWork, Page, Position, Reached, ReadOptions, Settled } from './page.ts';
export { type ConnectionVerdict, probeConnection, verdictFor } from './probe.ts';
export { customColumnsOf } from './records/custom-fields.ts';
export { hashOf, maskOf } from './records/masking.ts';
