import type { JsonObject } from './json.ts';

/**
 * The format of batches between extraction and load: newline-delimited JSON, compressed with zstd.
 * Each line is one of these types. JSON escapes line breaks in strings, so a record never spans two
 * lines.
 *
 * Property names are part of the stored format: a release also loads batches that an earlier
 * release has stored.
 */
export type BatchLine =
  | RecordLine
  | RejectedLine
  | ErasedLine
  | CompleteListLine
  | GenerationLine
  | DeletedLine
  | CoverageLine
  | AuditEndLine;

/** A record as Freshdesk returned it. */
export interface RecordLine {
  readonly record: JsonObject;
  /**
   * The `_freshet_delete_kind` of a record from a list of deleted records; absent if the record
   * exists.
   */
  readonly deleted?: string;
}

/** A record that could not be extracted completely. The loader stores it as a rejected record. */
export interface RejectedLine {
  readonly rejected: {
    readonly reason: string;
    /** The fields that are known. */
    readonly record: JsonObject;
  };
}

/**
 * A placeholder for a record of an erased person. The loader skips it; line numbers and counts stay
 * the same.
 */
export interface ErasedLine {
  readonly erased: Readonly<Record<string, never>>;
}

/**
 * The complete list of the records below one parent. Rows of that parent with other keys are marked
 * as deleted.
 */
export interface CompleteListLine {
  readonly complete: {
    /** Column → value of the parent's key, as text. */
    readonly where: Readonly<Record<string, string>>;
    /** Primary keys in the list, each as the texts of its key columns. */
    readonly keys: readonly (readonly string[])[];
    /** RFC 3339. Rows extracted after this time are not marked. */
    readonly began_at: string;
    /**
     * The parent no longer exists, or a repeated request returned an empty list as well. Without
     * it, an empty list for a parent that has rows is not trusted, and the parent is requested
     * again.
     */
    readonly confirmed?: true;
  };
}

/** The end of a generation. Rows that are in none of its batches are marked as deleted. */
export interface GenerationLine {
  readonly generation: {
    readonly id: string;
    /** RFC 3339. Rows extracted after this time are not marked. */
    readonly began_at: string;
    /** RFC 3339. Only rows whose version is not older are marked; absent: all rows. */
    readonly since?: string;
    /**
     * The generation is rejected, and no row is marked, if it lacks too many rows (see
     * `hasShrunk`).
     */
    readonly guarded?: true;
    /**
     * No row is marked. The missing keys become deletion candidates, which are looked up one by
     * one.
     */
    readonly suspects?: {
      /**
       * Keys are assigned from 1 without gaps: numbers below the greatest key that have no row are
       * candidates, too.
       */
      readonly gaps: boolean;
    };
  };
}

/** A record that a lookup did not find, or found under another object. */
export interface DeletedLine {
  readonly gone: {
    readonly key: readonly string[];
    /** The `_freshet_delete_kind`. */
    readonly kind: string;
    /** RFC 3339. A row extracted after this time is not marked. */
    readonly at: string;
  };
}

/** The end of an audit. */
export interface AuditEndLine {
  readonly audited: {
    /** RFC 3339: the start of the audit. */
    readonly at: string;
  };
}

/** A key that a complete read of an audit did not contain. */
export interface DeletionCandidate {
  readonly key: string;
  /** `unseen`: the table has a row with the key. `gap`: it has none. */
  readonly reason: 'unseen' | 'gap';
}

/** The coverage of an object: all records that it covers are in this batch or in earlier ones. */
export interface CoverageLine {
  readonly reached: {
    readonly run_id: string;
    /** RFC 3339; null if unknown, as for children of an object that is not extracted. */
    readonly complete_as_of: string | null;
    readonly complete_back_to: string | null;
  };
}

/** A line without its line break, in chunks, so that a large record is not copied. */
export type LineChunks = readonly Buffer[];

const RECORD_PREFIX = Buffer.from('{"record":');
const RECORD_SUFFIX = Buffer.from('}');

/**
 * Encodes a record's line around the record's original bytes, which keeps every digit.
 * @param record is modified: line breaks between its tokens become spaces.
 * @param deleted the `_freshet_delete_kind`; null if the record exists.
 */
export function encodeRecordLine(record: Buffer, deleted: string | null): LineChunks {
  // A raw line break is white space, because JSON escapes line breaks in strings.
  for (const lineBreak of [10, 13]) {
    for (let at = record.indexOf(lineBreak); at >= 0; at = record.indexOf(lineBreak, at))
      while (record[at] === lineBreak) record[at++] = 32;
  }
  const prefix = deleted === null ? RECORD_PREFIX : Buffer.from(`{"deleted":${JSON.stringify(deleted)},"record":`);
  return [prefix, record, RECORD_SUFFIX];
}

/** Encodes a line of any other type. */
export function encodeBatchLine(line: Exclude<BatchLine, RecordLine>): LineChunks {
  return [Buffer.from(JSON.stringify(line))];
}

/**
 * Finds the record in its line: offsets of its bytes, and its delete kind. Returns null for a line
 * of another type.
 */
export function locateRecord(
  line: Buffer,
): { readonly start: number; readonly end: number; readonly deleted: string | null } | null {
  const end = line.length - RECORD_SUFFIX.length;
  const { length } = RECORD_PREFIX;
  if (line.length > length && line.compare(RECORD_PREFIX, 0, length, 0, length) === 0)
    return { start: length, end, deleted: null };
  const match = /^{"deleted":("(?:[^"\\]|\\.)*"),"record":/.exec(line.toString('latin1', 0, DELETED_PREFIX_MAX));
  return match === null ? null : { start: match[0].length, end, deleted: JSON.parse(match[1] as string) as string };
}

/** Bytes that hold the prefix of any deleted record, because delete kinds are short. */
const DELETED_PREFIX_MAX = 200;

/**
 * Counts of one loaded batch. `records` always equals inserted + updated + unchanged + rejected.
 */
export interface BatchCounts {
  readonly records: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  /**
   * Rows newly marked as deleted, by a deleted record or by the end of a generation. Not part of
   * `records`.
   */
  readonly deleted: number;
  /** Of an audit's `inserted`: records that syncs had missed. */
  readonly missing: number;
  /** Of an audit's `updated`: records that had changed without a newer version. */
  readonly stale: number;
}

/** A record that could not be loaded, with its reason. */
export interface RejectedRecord {
  readonly batchId: string;
  /**
   * Line number in the batch, from 0. With the batch id it identifies the record, so that a
   * repeated load adds no duplicate.
   */
  readonly line: number;
  readonly reason: string;
  readonly raw: string;
}
