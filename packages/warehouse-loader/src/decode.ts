import { zstdDecompressSync } from 'node:zlib';
import {
  type AuditedLine,
  type BatchLine,
  type CompleteLine,
  type GenerationLine,
  type GoneLine,
  parseJson,
  type ReachedLine,
  type RecordLine,
  recordIn,
} from '@freshet/contracts';
import type { BatchToLoad } from './request.ts';

/** A record's line as it was stored; `batch` is the place of its batch among those that are loaded together. */
export interface StoredRecord {
  readonly batch: number;
  readonly line: number;
  /** The whole line. */
  readonly text: Buffer;
  /** The record's own text within it. */
  readonly record: Buffer;
  readonly deleted: string | null;
}

/** The lines of some batches, sorted by what they are. */
export interface Decoded {
  readonly records: readonly StoredRecord[];
  readonly completes: readonly (CompleteLine['complete'] & { readonly batch: number })[];
  readonly generations: readonly (GenerationLine['generation'] & { readonly batch: number })[];
  /** Records that could not be read. */
  readonly rejected: readonly { readonly batch: number; readonly line: number; readonly reason: string; readonly text: Buffer }[];
  readonly gone: readonly (GoneLine['gone'] & { readonly batch: number })[];
  readonly reached: ReachedLine['reached'] | null;
  readonly audited: AuditedLine['audited'] | null;
}

export function decode(batches: readonly BatchToLoad[]): Decoded {
  const records: Decoded['records'][number][] = [];
  const completes: Decoded['completes'][number][] = [];
  const generations: Decoded['generations'][number][] = [];
  const rejected: Decoded['rejected'][number][] = [];
  const gone: Decoded['gone'][number][] = [];
  let reached: Decoded['reached'] = null;
  let audited: Decoded['audited'] = null;
  batches.forEach(({ body }, batch) => {
    let n = 0;
    for (const text of linesOf(body)) {
      const line = n++;
      const found = recordIn(text);
      if (found !== null) {
        records.push({ batch, line, text, ...found });
        continue;
      }
      const other = otherLine(text);
      if ('rejected' in other) rejected.push({ batch, line, reason: other.rejected.reason, text });
      else if ('complete' in other) completes.push({ ...other.complete, batch });
      else if ('generation' in other) generations.push({ ...other.generation, batch });
      else if ('gone' in other) gone.push({ ...other.gone, batch });
      else if ('audited' in other) audited = other.audited;
      else reached = other.reached;
    }
  });
  return { records, completes, generations, rejected, gone, reached, audited };
}

export function otherLine(text: Buffer): Exclude<BatchLine, RecordLine> {
  return parseJson(text.toString('utf8')) as unknown as Exclude<BatchLine, RecordLine>;
}

const LINE_BREAK = 10;
const TAB = 9;
const SPACE = 32;

/** A batch's lines, each a part of one buffer. */
export function* linesOf(body: Buffer): Generator<Buffer> {
  const bytes = zstdDecompressSync(body);
  // White space that COPY would take for the end of a value; within strings JSON escapes it.
  for (let at = bytes.indexOf(TAB); at >= 0; at = bytes.indexOf(TAB, at)) bytes[at] = SPACE;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_BREAK, start);
    const end = found < 0 ? bytes.length : found;
    if (end > start) yield bytes.subarray(start, end);
    start = end + 1;
  }
}
