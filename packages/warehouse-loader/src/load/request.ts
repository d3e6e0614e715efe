import type {
  BatchCounts,
  Misfits,
  RejectedRecord,
  SchemaChange,
  SchemaPolicy,
  Suspect,
  Table,
  TableBelow,
} from '@freshet/contracts';
import type { Prepared } from '../records/prepare.ts';
import type { Completion } from '../schema/completion.ts';

export interface LoadRequest {
  readonly schema: string;
  readonly tablePrefix: string;
  readonly table: Table;
  /** Tables of the same schema whose rows exist only below this one's, level by level. */
  readonly below: readonly TableBelow[];
  /** A worker whose epoch is lower than one that the warehouse has seen changes nothing. */
  readonly epoch: number;
  readonly policy: SchemaPolicy;
  /** When the object was last restarted: rows that were written before this moment is first seen are written again. Null: never. */
  readonly restartedAt: Date | null;
  /** Whether every version of its rows is kept. */
  readonly history: boolean;
  /** The batches, in the order of their storing, made ready by `prepare` for this table. */
  readonly prepared: Prepared;
  /** The bodies of all batches of a generation, for the one that a batch completes. */
  readonly generation: (id: string) => AsyncIterable<Buffer>;
}

export interface BatchToLoad {
  readonly id: string;
  readonly extractedAt: Date;
  readonly body: Buffer;
  /** Size of the body uncompressed. */
  readonly rawBytes: number;
  /** What it repairs is counted. */
  readonly audit: boolean;
  /** Its rows are written even if they seem to be the same. */
  readonly rewrite: boolean;
}

export interface LoadResult {
  readonly batches: readonly { readonly batchId: string; readonly counts: BatchCounts }[];
  readonly rejected: readonly RejectedRecord[];
  /** How fresh and how deep the table is with these batches; null: they do not say. */
  readonly reached: { readonly completeAsOf: Date | null; readonly completeBackTo: Date | null } | null;
  /** Generations that lacked too many rows to be believed, and how many. */
  readonly notBelieved: readonly { readonly batchId: string; readonly rows: number }[];
  /** Parents whose lists were empty where the table has rows, by their ids: to be asked again. */
  readonly doubted: readonly string[];
  /** What a generation did not hold and is to be asked for. */
  readonly suspects: readonly (Suspect & { readonly batchId: string })[];
  /** The table's rows lack values of a column; null: none does. */
  readonly completion: Completion | null;
  /** What was changed about the table for them; what a load has changed that then failed, the next one does not tell of. */
  readonly changes: readonly SchemaChange[];
  /** Values that did not fit their columns, by batch and column. */
  readonly misfits: readonly Misfits[];
}
