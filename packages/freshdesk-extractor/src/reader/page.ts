import {
  type ErasedOwners,
  type ErrorCode,
  formatNumber,
  isRawNumber,
  type LineChunks,
  type RawObject,
} from '@freshet/contracts';
import type { ListedRecord } from '../http/response-parser.ts';

/**
 * A page of an extraction: the records of one response, with the next position and the child work
 * that follows from the records. Some pages have no records and only report the state of the
 * extraction. The caller stores all parts of a page in one transaction, and continues an
 * interrupted extraction from the `position` of the last stored page.
 */
export interface Page {
  /** Lines of a batch, without their line breaks. */
  readonly lines: readonly LineChunks[];
  /** The number of lines that hold records. */
  readonly recordCount: number;
  /** The time of the response. */
  readonly extractedAt: Date;
  readonly position: Position;
  /** The keys of records that were dropped because they belong to an erased person. */
  readonly erasedKeys: readonly ErasedKey[];
  /** Parents whose children may have changed. */
  readonly childWork: readonly WorkUnit[];
  /** Units of the work list that are done. */
  readonly completedUnits: readonly CompletedUnit[];
  /** Units that could not be read. The caller stores these units and offers them again later. */
  readonly failedUnits: readonly FailedUnit[];
  /** The share of the extraction that is done, from 0 to 1; null: unknown. */
  readonly progress: number | null;
  /**
   * The generation that the records belong to. Null: there is no generation, so absent records do
   * not count as deleted.
   */
  readonly generation: string | null;
  /** The coverage of the table after this page; null: unchanged. */
  readonly coverage: Coverage | null;
  /**
   * The next page depends on loaded data. Continue after all pages up to this page have been
   * loaded.
   */
  readonly waitForLoad: boolean;
  /**
   * The next request has already been sent and charged. Stopping after this page wastes the credits
   * of that request.
   */
  readonly hasPendingRequest: boolean;
  /** The extraction is complete. */
  readonly isLast: boolean;
}

/** The key of a record that was dropped, and the erased owner of the record. */
export interface ErasedKey {
  readonly key: string;
  readonly owner: { readonly object: string; readonly key: string };
}

/** A unit of the work list that is done. */
export interface CompletedUnit extends WorkUnit {
  /**
   * The result of the lookup of a record. `isFinal`: the result cannot change, so the record is not
   * looked up again.
   */
  readonly outcome?: { readonly name: string; readonly isFinal: boolean };
}

/**
 * A parent or a single record whose request keeps failing while other units of the object can be
 * read.
 */
export interface FailedUnit {
  readonly object: string;
  /** The key of the parent or of the record. */
  readonly key: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** The time range in which a table holds every change. */
export interface Coverage {
  /** The table holds every change that Freshdesk returned up to this time. */
  readonly completeAsOf: Date;
  /** The start of the range. The Unix epoch means all history. */
  readonly completeBackTo: Date;
}

/** The extraction state of an object, as JSON. The object's strategy determines the content. */
export type Position = Readonly<Record<string, unknown>>;

/** A unit of the work list: a parent whose children are to be read, or a record to look up. */
export interface WorkUnit {
  readonly object: string;
  readonly parentId: string;
  /**
   * The version of the parent whose children must be read, or the reason for the lookup of a
   * record.
   */
  readonly version: string;
  /**
   * The parent's list of children was empty, although the table has rows of this parent. A second
   * empty list confirms that these rows are deleted.
   */
  readonly needsConfirmation?: boolean | undefined;
}

export interface ReadOptions {
  /** The start of the history that a first sync reads; null: all history. */
  readonly historyFrom: Date | null;
  /**
   * A backfill stops at this time, and the next extraction continues it. Absent: the backfill runs
   * to its end.
   */
  readonly backfillDeadline?: Date;
  /**
   * The id of this extraction. It identifies generations, and serves as the version of parents that
   * have no version field.
   */
  readonly readingId: string;
  /**
   * Whether to complete each record from its own endpoint, with one additional request per record.
   */
  readonly fetchDetail?: boolean;
  /** Masks each record before it leaves the extractor; null or absent: no masking. */
  readonly mask?: ((record: Buffer) => Buffer) | null;
  /** The erased owners, whose records are dropped. Absent: none. */
  readonly erasedOwners?: readonly ErasedOwners[];
  /**
   * Aborted when the extraction should stop soon. The extractor then no longer prefetches pages or
   * units. Absent: the extraction is never stopped.
   */
  readonly stopSignal?: AbortSignal;
  /**
   * Returns the next units of the work list, at most `limit`, each only once: parents of a child
   * object, or records to look up by key. An empty array means that the list is empty.
   */
  readonly fetchUnits: (limit: number) => Promise<readonly WorkUnit[]>;
  /**
   * Returns parents that were read before, as evidence that the endpoint works. Absent: none are
   * known.
   */
  readonly fetchReadableParents?: () => Promise<readonly WorkUnit[]>;
}

const EMPTY_PAGE = {
  lines: [],
  recordCount: 0,
  erasedKeys: [],
  childWork: [],
  completedUnits: [],
  failedUnits: [],
  progress: null,
  generation: null,
  coverage: null,
  waitForLoad: false,
  hasPendingRequest: false,
  isLast: false,
} as const;

/** Creates a page. Parts that are not given are empty. */
export function createPage(parts: Partial<Page> & Pick<Page, 'position' | 'extractedAt'>): Page {
  return { ...EMPTY_PAGE, ...parts };
}

/** Returns the values of a record's key columns as text. */
export function getKeyValues({ raw }: ListedRecord, primaryKey: readonly string[]): string[] {
  return primaryKey.map((column) => getFieldText(raw, column));
}

/** Returns the value of a field as text; '' if the record has no such field, or if it is null. */
export function getFieldText(raw: RawObject, field: string): string {
  return raw.getDigits(field) ?? toText(raw.get(field));
}

/**
 * Converts a JSON value to text. Integers keep all digits, in the format in which the loader writes
 * keys.
 */
export function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || isRawNumber(value)) return formatNumber(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | boolean);
}
