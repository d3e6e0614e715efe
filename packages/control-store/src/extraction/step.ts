import type { Column, CreditsSpent, NewWarning } from '@freshet/contracts';
import type { UnitFailure } from '../runs/unit-failures.ts';

/** One or more extracted pages, to be committed together. */
export interface Step {
  /** The extraction state after the step. */
  readonly position: Record<string, unknown>;
  /** The columns of the custom fields. Null: unchanged. */
  readonly customColumns: readonly Column[] | null;
  /** The batch to store. Null: the pages contain nothing to load. */
  readonly batch: StagedBatch | null;
  /** Records that were excluded because they belong to an erased person or to an erased record. */
  readonly erasedKeys: readonly {
    readonly key: string;
    readonly owner: { readonly object: string; readonly key: string };
  }[];
  /** Parents whose children may have changed. */
  readonly childWork: readonly ParentVersion[];
  /** Work units that were read. */
  readonly completedUnits: readonly CompletedUnit[];
  /** Work units that could not be read. They are quarantined and retried later. */
  readonly failedUnits: readonly UnitFailure[];
  /** The completed share of the extraction, from 0 to 1. Null: unknown. */
  readonly progress: number | null;
  readonly credits: CreditsSpent;
  /** Warnings to add to the object run. Absent: none. */
  readonly warnings?: readonly NewWarning[];
  /**
   * The coverage after the step. Null: the coverage is unchanged. Within the coverage, null means
   * that the time is unknown, for example for a child object whose parent object is excluded.
   */
  readonly coverage: { readonly completeAsOf: Date | null; readonly completeBackTo: Date | null } | null;
  /** Whether this step finishes the extraction. */
  readonly isLast: boolean;
}

/** A batch to store: the body and its metadata. */
interface StagedBatch {
  /** NDJSON, compressed with zstd. */
  readonly body: Buffer;
  /** The uncompressed size, in bytes. */
  readonly rawBytes: number;
  readonly records: number;
  /**
   * The generation that the records belong to. Null: the records belong to no generation, so they
   * cannot reveal deletions.
   */
  readonly generation: string | null;
  readonly extractedAt: Date;
}

/** A version of a parent whose children are to be extracted, or were extracted. */
export interface ParentVersion {
  /** The child object. */
  readonly object: string;
  readonly parentId: string;
  readonly version: string;
  /**
   * Whether the child list was empty although the table contains children of the parent. A second
   * empty list confirms that the children were deleted.
   */
  readonly needsConfirmation?: boolean | undefined;
}

/** A work unit that was read. In an audit, the unit has an outcome, which may be final. */
export interface CompletedUnit extends ParentVersion {
  readonly outcome?: { readonly name: string; readonly isFinal: boolean } | undefined;
}
