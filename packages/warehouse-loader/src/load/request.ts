import type {
  BatchCounts,
  ChildTable,
  DeletionCandidate,
  Misfits,
  RejectedRecord,
  SchemaChange,
  SchemaPolicy,
  Table,
} from '@freshet/contracts';
import type { PreparedBatches } from '../records/prepare.ts';
import type { Completion } from '../schema/completion.ts';

export interface LoadRequest {
  readonly schema: string;
  readonly tablePrefix: string;
  readonly table: Table;
  /**
   * The tables of the same schema whose rows are descendants of this table's rows. Each parent
   * table precedes its child tables.
   */
  readonly childTables: readonly ChildTable[];
  /** The fencing token. If the table's epoch is greater, the load fails and writes no rows. */
  readonly epoch: number;
  readonly schemaPolicy: SchemaPolicy;
  /**
   * The time at which the object was last restarted; null: never. Rows that were written before the
   * first load with this time are rewritten when their records are loaded.
   */
  readonly restartedAt: Date | null;
  /** Whether the history table stores every version of each row. */
  readonly hasHistory: boolean;
  /** The batches in the order in which they were stored, prepared for `table`. */
  readonly prepared: PreparedBatches;
  /**
   * Reads the bodies of all batches of a generation. The load calls this function for each
   * generation that one of its batches completes.
   */
  readonly readGeneration: (id: string) => AsyncIterable<Buffer>;
}

export interface LoadResult {
  readonly batches: readonly { readonly batchId: string; readonly counts: BatchCounts }[];
  readonly rejectedRecords: readonly RejectedRecord[];
  /**
   * The new coverage of the table; null: the batches contain no coverage. If one of the two times
   * is null, the load has not changed this time in the warehouse.
   */
  readonly coverage: { readonly completeAsOf: Date | null; readonly completeBackTo: Date | null } | null;
  /**
   * Generations that lacked implausibly many rows. None of these rows was marked as deleted. `rows`
   * is the number of these rows.
   */
  readonly rejectedGenerations: readonly { readonly batchId: string; readonly rows: number }[];
  /**
   * The ids of parents whose list of children is empty but not confirmed, although the table
   * contains children of these parents. These lists must be read again.
   */
  readonly unconfirmedDeletions: readonly string[];
  /**
   * The keys of rows that the generation of an audit lacked, and the unused ids between the keys. A
   * request for each of these records must determine whether the record is deleted.
   */
  readonly deletionCandidates: readonly (DeletionCandidate & { readonly batchId: string })[];
  /**
   * The state of the completion if rows may lack values of a column; null: the table is complete.
   */
  readonly completion: Completion | null;
  /**
   * The schema changes of this load. Changes that an earlier, failed load has made are not
   * included.
   */
  readonly schemaChanges: readonly SchemaChange[];
  /** For each batch and column, the number of values that did not fit the column. */
  readonly misfits: readonly Misfits[];
}
