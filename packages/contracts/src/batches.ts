import type { JsonObject } from './json.ts';

/**
 * The format of batches between extraction and load: newline-delimited JSON, compressed with zstd.
 * Each line is one of these types. JSON escapes line breaks in strings, so a record never spans two
 * lines.
 *
 * Property names are part of the stored format, because each release also loads batches that an
 * earlier release has stored.
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
 * A placeholder that replaces the record of an erased person. The loader skips the placeholder.
 * Line numbers and counts stay the same.
 */
export interface ErasedLine {
  readonly erased: Readonly<Record<string, never>>;
}

/**
 * The complete list of one parent's children. Rows of that parent whose keys are not in the list
 * are marked as deleted.
 */
export interface CompleteListLine {
  readonly complete: {
    /** Column → value of the parent's key, as text. */
    readonly where: Readonly<Record<string, string>>;
    /**
     * The primary keys in the list. Each is an array with the values of the key columns, as text.
     */
    readonly keys: readonly (readonly string[])[];
    /** RFC 3339. Rows extracted after this time are not marked. */
    readonly began_at: string;
    /**
     * An empty list is trusted, because the parent no longer exists or a second request also
     * returned an empty list. Without this property, an empty list for a parent that has rows is
     * not trusted, and the list is requested again.
     */
    readonly confirmed?: true;
  };
}

/**
 * The end of a generation. Rows that are not contained in any batch of the generation are marked as
 * deleted.
 */
export interface GenerationLine {
  readonly generation: {
    readonly id: string;
    /** RFC 3339. Rows extracted after this time are not marked. */
    readonly began_at: string;
    /**
     * RFC 3339. Rows with an earlier time in the version column are not marked. Absent: rows are
     * marked regardless of that column.
     */
    readonly since?: string;
    /**
     * If the generation lacks too many rows of the table (see `hasShrunk`), it is rejected and no
     * row is marked.
     */
    readonly guarded?: true;
    /**
     * If present, no row is marked. Instead, the missing keys become deletion candidates, which are
     * looked up one by one.
     */
    readonly suspects?: {
      /**
       * Whether unused keys are candidates, too: each number that is below the greatest key and has
       * no row. True only if Freshdesk numbers the records of the object consecutively from 1, and
       * the generation covers the complete history.
       */
      readonly gaps: boolean;
    };
  };
}

/** A record that a lookup did not find, or found only as a record of a different object. */
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

/** A key that the complete read of an audit did not return. */
export interface DeletionCandidate {
  readonly key: string;
  /** `unseen`: the table has a row with the key. `gap`: the table has no such row. */
  readonly reason: 'unseen' | 'gap';
}

/** The coverage of an object. All covered records are in this batch or in earlier batches. */
export interface CoverageLine {
  readonly reached: {
    readonly run_id: string;
    /** RFC 3339; null if unknown, as for children of an object that is not extracted. */
    readonly complete_as_of: string | null;
    readonly complete_back_to: string | null;
  };
}

/**
 * A line without its line break, as chunks. The chunks make it unnecessary to copy a large record.
 */
export type LineChunks = readonly Buffer[];

const RECORD_PREFIX = Buffer.from('{"record":');
const RECORD_SUFFIX = Buffer.from('}');

/**
 * Encodes the line of a record. The line contains the record's original bytes, so every digit is
 * kept.
 * @param record the bytes of the record. They are modified in place: line breaks between tokens
 * become spaces.
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

/** Encodes a batch line that is not a record line. */
export function encodeBatchLine(line: Exclude<BatchLine, RecordLine>): LineChunks {
  return [Buffer.from(JSON.stringify(line))];
}

/**
 * Locates the record in a record line. Returns the offsets of the record's bytes and the delete
 * kind, or null if the line is not a record line.
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

/**
 * The maximum length, in bytes, of the text before the record in a line that contains a delete
 * kind. The limit suffices, because delete kinds are short.
 */
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
   * Rows that this batch marked as deleted, because it contains a deleted record, the complete list
   * of a parent's children, the end of a generation, or a lookup that did not find the record. Not
   * included in `records`.
   */
  readonly deleted: number;
  /** Audits only: the number of inserted records that syncs had missed. */
  readonly missing: number;
  /**
   * Audits only: the number of updated records that had changed without a later time in the version
   * column.
   */
  readonly stale: number;
}

/** A record that could not be loaded, with its reason. */
export interface RejectedRecord {
  readonly batchId: string;
  /**
   * The line number in the batch, from 0. The batch id and the line number identify the record, so
   * a repeated load adds no duplicate.
   */
  readonly line: number;
  readonly reason: string;
  readonly raw: string;
}
