import type { BatchCounts, DeletionCandidate, Misfits, RejectedRecord, SchemaChange } from '@freshet/contracts';

/** The result of loading a group of batches, as committed in the warehouse. */
export interface LoadOutcome {
  readonly batches: readonly { readonly batchId: string; readonly counts: BatchCounts }[];
  readonly rejectedRecords: readonly RejectedRecord[];
  /** The coverage of the table after these batches were loaded. Null: unchanged. */
  readonly coverage: { readonly completeAsOf: Date | null; readonly completeBackTo: Date | null } | null;
  /** Keys that an audit did not return. The object run of the audit looks up these keys next. */
  readonly deletionCandidates: readonly (DeletionCandidate & { readonly batchId: string })[];
  /**
   * Generations that lacked implausibly many rows. None of these rows was marked as deleted. `rows`
   * is the number of these rows, and is stored in the object run of the generation.
   */
  readonly rejectedGenerations: readonly { readonly batchId: string; readonly rows: number }[];
  /**
   * Parents whose child lists were empty although the table contains children of these parents. The
   * lists are reread.
   */
  readonly unconfirmedDeletions: readonly string[];
  /**
   * The time since which rows of the table lack values of a column, and whether only a full sync
   * can supply the values. Null: no row lacks values.
   */
  readonly completion: { readonly since: Date; readonly isRereadNeeded: boolean } | null;
  readonly schemaChanges: readonly SchemaChange[];
  /** Values that do not fit their columns. They become warnings of the object runs. */
  readonly misfits: readonly Misfits[];
}
