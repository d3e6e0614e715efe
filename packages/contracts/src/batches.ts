import type { JsonObject } from './json.ts';

/**
 * A batch's body is newline-delimited JSON, compressed with zstd. Each line is one of these.
 * Strings in JSON escape line breaks, so a record's own text never breaks a line.
 */
export type BatchLine =
  | RecordLine
  | RejectedLine
  | ErasedLine
  | CompleteLine
  | GenerationLine
  | GoneLine
  | ReachedLine
  | AuditedLine;

/** A record as Freshdesk answered it. `deleted` says that it stands in a list of deleted records, and which. */
export interface RecordLine {
  readonly record: JsonObject;
  readonly deleted?: string;
}

/** A record that could not be read whole: it is a rejected record from the start. */
export interface RejectedLine {
  readonly rejected: {
    readonly reason: string;
    /** What is known of it. */
    readonly record: JsonObject;
  };
}

/** Where a record was that belonged to somebody who is erased: nothing is done for it, and it is counted as it was. */
export interface ErasedLine {
  readonly erased: Readonly<Record<string, never>>;
}

/** All records that stand below one parent: what the table holds beyond `keys` for `where` no longer exists. */
export interface CompleteLine {
  readonly complete: {
    /** Column → value of the parent's id, as text. */
    readonly where: Readonly<Record<string, string>>;
    /** Primary keys seen, each as the texts of its key columns. */
    readonly keys: readonly (readonly string[])[];
    /** RFC 3339. A row read after this moment is left alone. */
    readonly began_at: string;
    /** The parent is gone, or a second reading was empty as well. Without it no keys where there are rows may be a mistake, and are asked for again. */
    readonly confirmed?: true;
  };
}

/** The end of a generation: rows that no batch of it holds no longer exist. */
export interface GenerationLine {
  readonly generation: {
    readonly id: string;
    /** RFC 3339. A row read after this moment is left alone. */
    readonly began_at: string;
    /** RFC 3339: it speaks only of rows whose version is not older; absent: of all. */
    readonly since?: string;
    /** If it lacks too many of the rows (`hasShrunk`), it is not believed, and nothing is marked. */
    readonly guarded?: true;
    /** Nothing is marked: what it did not hold is to be asked for, one by one. */
    readonly suspects?: {
      /** Keys are counted from 1: numbers up to the greatest that have no row are suspects as well. */
      readonly gaps: boolean;
    };
  };
}

/** One record that no longer exists, or is something else now, found by asking for it. */
export interface GoneLine {
  readonly gone: {
    readonly key: readonly string[];
    /** The `_freshet_delete_kind`. */
    readonly kind: string;
    /** RFC 3339. A row read after this moment is left alone. */
    readonly at: string;
  };
}

/** The end of an audit. */
export interface AuditedLine {
  readonly audited: {
    /** RFC 3339: when it began. */
    readonly at: string;
  };
}

/** A key that an audit's reading did not hold. */
export interface Suspect {
  readonly key: string;
  /** `unseen`: a row has it. `gap`: no row has it. */
  readonly reason: 'unseen' | 'gap';
}

/** How far a reading has come: all that it speaks of stands in this batch and those before it. */
export interface ReachedLine {
  readonly reached: {
    readonly run_id: string;
    /** RFC 3339; null when it is not known, as for children of an object that is not read. */
    readonly complete_as_of: string | null;
    readonly complete_back_to: string | null;
  };
}

/** A line, without its line break, in pieces: the largest of them, a record, is never copied for it. */
export type LinePieces = readonly Buffer[];

const LIVE = Buffer.from('{"record":');
const END = Buffer.from('}');

/** Writes a record's line around the bytes that were sent, so that no digit of it is touched. */
export function recordLine(record: Buffer, deleted: string | null): LinePieces {
  // Outside strings a raw line break is white space, and may as well be a space; inside strings JSON escapes it.
  for (const lineBreak of [10, 13]) {
    for (let at = record.indexOf(lineBreak); at >= 0; at = record.indexOf(lineBreak, at))
      while (record[at] === lineBreak) record[at++] = 32;
  }
  return [deleted === null ? LIVE : Buffer.from(`{"deleted":${JSON.stringify(deleted)},"record":`), record, END];
}

/** Any other line. */
export function batchLine(line: Exclude<BatchLine, RecordLine>): LinePieces {
  return [Buffer.from(JSON.stringify(line))];
}

/** Where the record stands in its line, and of what view it is; null when it is another kind of line. */
export function recordIn(
  line: Buffer,
): { readonly start: number; readonly end: number; readonly deleted: string | null } | null {
  const end = line.length - END.length;
  if (line.length > LIVE.length && line.compare(LIVE, 0, LIVE.length, 0, LIVE.length) === 0)
    return { start: LIVE.length, end, deleted: null };
  const head = /^{"deleted":("(?:[^"\\]|\\.)*"),"record":/.exec(line.toString('latin1', 0, DELETED_HEAD_MAX));
  return head === null ? null : { start: head[0].length, end, deleted: JSON.parse(head[1] as string) as string };
}

/** Views have short names. */
const DELETED_HEAD_MAX = 200;

/** What was done with one batch; `records` = inserted + updated + unchanged + rejected, always. */
export interface BatchCounts {
  readonly records: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  /** Rows newly marked as deleted, whether a record or a completed reading said so. Not part of the sum. */
  readonly deleted: number;
  /** Of an audit's `inserted`: records that should have been there already. */
  readonly missing: number;
  /** Of an audit's `updated`: records that had changed without a newer version. */
  readonly stale: number;
}

/** A record that could not be loaded, with its reason. */
export interface RejectedRecord {
  readonly batchId: string;
  /** Line number in the batch, from 0: with the batch it identifies the record, so that a repeat is no double. */
  readonly line: number;
  readonly reason: string;
  readonly raw: string;
}
