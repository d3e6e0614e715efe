import type { BatchCounts, DeletionCandidate, Misfits, RejectedRecord, SchemaChange } from '@freshet/contracts';

/** The result of loading a group of batches, as committed in the warehouse. */
export interface LoadOutcome {
  readonly batches: readonly { readonly batchId: string; readonly counts: BatchCounts }[];
  readonly rejectedRecords: readonly RejectedRecord[];
  /** The coverage of the table with these batches. Null: unchanged. */
  readonly coverage: { readonly completeAsOf: Date | null; readonly completeBackTo: Date | null } | null;
  /** Keys that an audit did not see. Its object run looks them up next. */
  readonly deletionCandidates: readonly (DeletionCandidate & { readonly batchId: string })[];
  /**
   * Generations that lacked too many rows to be trusted, with the number of rows. Reported in their
   * object runs.
   */
  readonly rejectedGenerations: readonly { readonly batchId: string; readonly rows: number }[];
  /** Parents whose child lists were empty although the table has rows. The lists are read again. */
  readonly unconfirmedDeletions: readonly string[];
  /**
   * Since when rows of the table lack values of a column, and whether only a full sync can supply
   * them. Null: none do.
   */
  readonly completion: { readonly since: Date; readonly isRereadNeeded: boolean } | null;
  readonly schemaChanges: readonly SchemaChange[];
  /** Values that do not fit their columns, which become warnings of their object runs. */
  readonly misfits: readonly Misfits[];
}
