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
   * Tables of the same schema whose rows depend on rows of this table, parents before their
   * children.
   */
  readonly childTables: readonly ChildTable[];
  /** The fencing token. If the table's epoch is greater, the load fails and changes nothing. */
  readonly epoch: number;
  readonly schemaPolicy: SchemaPolicy;
  /**
   * When the object was last restarted; null: never. Rows that were written before the warehouse
   * first sees this time are written again.
   */
  readonly restartedAt: Date | null;
  /** Whether every version of a row is recorded in the history table. */
  readonly hasHistory: boolean;
  /** The batches in the order in which they were stored, prepared for `table`. */
  readonly prepared: PreparedBatches;
  /** Reads the bodies of all batches of a generation that one of the batches completes. */
  readonly readGeneration: (id: string) => AsyncIterable<Buffer>;
}

export interface LoadResult {
  readonly batches: readonly { readonly batchId: string; readonly counts: BatchCounts }[];
  readonly rejectedRecords: readonly RejectedRecord[];
  /** The coverage of the table with these batches; null: unchanged. */
  readonly coverage: { readonly completeAsOf: Date | null; readonly completeBackTo: Date | null } | null;
  /**
   * Generations that lacked too many rows, so that none was marked as deleted; `rows` is their
   * number.
   */
  readonly rejectedGenerations: readonly { readonly batchId: string; readonly rows: number }[];
  /**
   * The ids of parents whose lists were empty although the table has rows of them. Their lists have
   * to be read again.
   */
  readonly unconfirmedDeletions: readonly string[];
  /** Keys that the generation of an audit lacked. Their records have to be requested. */
  readonly deletionCandidates: readonly (DeletionCandidate & { readonly batchId: string })[];
  /** Set if rows of the table lack values of a column; null: the table is complete. */
  readonly completion: Completion | null;
  /**
   * The schema changes of this load. Changes of an earlier attempt that failed are not repeated.
   */
  readonly schemaChanges: readonly SchemaChange[];
  /** Counts of values that did not fit their columns, by batch and column. */
  readonly misfits: readonly Misfits[];
}
