import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import {
  type AuditedLine,
  type BatchLine,
  type CompleteLine,
  type GenerationLine,
  type GoneLine,
  type Json,
  Places,
  parseJson,
  RawObject,
  type ReachedLine,
  type RecordLine,
  recordIn,
  type Table,
} from '@freshet/contracts';
import type { BatchToLoad } from '../load/request.ts';
import { type Identified, identify } from './identify.ts';

/** A record that cannot be loaded; `batch` is the place of its batch among those that are loaded together. */
export interface Rejected {
  readonly batch: number;
  readonly line: number;
  readonly reason: string;
}

/** Some batches, and their lines sorted by what they are. */
export interface Prepared {
  readonly batches: readonly BatchToLoad[];
  readonly records: readonly Identified[];
  readonly rejected: readonly Rejected[];
  /** How many lines of each batch are records, whatever became of them. */
  readonly recordsIn: readonly number[];
  readonly completes: readonly (CompleteLine['complete'] & { readonly batch: number })[];
  readonly generations: readonly (GenerationLine['generation'] & { readonly batch: number })[];
  readonly gone: readonly (GoneLine['gone'] & { readonly batch: number })[];
  readonly reached: ReachedLine['reached'] | null;
  readonly audited: AuditedLine['audited'] | null;
}

/**
 * Unpacks batches and finds out who their records are: all that can be done without the warehouse, so that it may be done while
 * other batches are on their way.
 */
export async function prepare(batches: readonly BatchToLoad[], table: Table): Promise<Prepared> {
  const records: Identified[] = [];
  const rejected: Rejected[] = [];
  const completes: Prepared['completes'][number][] = [];
  const generations: Prepared['generations'][number][] = [];
  const gone: Prepared['gone'][number][] = [];
  let reached: Prepared['reached'] = null;
  let audited: Prepared['audited'] = null;
  const recordsIn: number[] = [];
  let since = 0;
  for (const [batch, { body, rawBytes }] of batches.entries()) {
    const bytes = await unpack(body, rawBytes);
    const places = new Places(bytes.length);
    let line = -1;
    let count = 0;
    for (const text of linesIn(bytes)) {
      line++;
      since += text.length;
      if (since > TURN_BYTES) {
        since = 0;
        await yieldToOthers();
      }
      const found = recordIn(text);
      if (found !== null) {
        count++;
        const identity = identify(text, found, table, places);
        if ('rejected' in identity) rejected.push({ batch, line, reason: identity.rejected });
        else records.push({ batch, line, ...identity });
        continue;
      }
      const other = otherLine(text);
      if ('rejected' in other) {
        count++;
        rejected.push({ batch, line, reason: other.rejected.reason });
      } else if ('erased' in other) count++;
      else if ('complete' in other) completes.push({ ...other.complete, batch });
      else if ('generation' in other) {
        // Some of the batches of one that is loaded anew may not be stored any more; the next reading says what is missing.
        if (!batches[batch]?.rewrite) generations.push({ ...other.generation, batch });
      } else if ('gone' in other) gone.push({ ...other.gone, batch });
      else if ('audited' in other) audited = other.audited;
      else reached = other.reached;
    }
    recordsIn.push(count);
  }
  return { batches, records, rejected, recordsIn, completes, generations, gone, reached, audited };
}

/** The text of some of a batch's lines, by their numbers from 0. */
export async function linesOf(
  { body, rawBytes }: BatchToLoad,
  numbers: ReadonlySet<number>,
): Promise<Map<number, string>> {
  const texts = new Map<number, string>();
  let line = 0;
  for (const text of linesIn(await unpack(body, rawBytes))) {
    if (numbers.has(line)) texts.set(line, text.toString('utf8'));
    line++;
  }
  return texts;
}

/** Reads the fields of each record that a batch holds, those included that could not be read whole. */
export async function* recordsOf(body: Buffer): AsyncGenerator<(name: string) => Json | undefined> {
  for (const line of linesIn(await unpack(body, null))) {
    const found = recordIn(line);
    if (found === null) {
      const other = otherLine(line);
      if ('rejected' in other) yield (name) => other.rejected.record[name];
      continue;
    }
    try {
      const record = RawObject.of(line, found.start, found.end);
      yield (name) => record.get(name);
    } catch (error) {
      // What is no record has no fields; it was rejected when it was loaded.
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    }
  }
}

function otherLine(text: Buffer): Exclude<BatchLine, RecordLine> {
  return parseJson(text.toString('utf8')) as unknown as Exclude<BatchLine, RecordLine>;
}

/** What is on its way to the warehouse meanwhile gets its turn after so much, which takes less than a millisecond. */
const TURN_BYTES = 128 * 1024;
const LINE_BREAK = 10;
const TAB = 9;
const SPACE = 32;

const decompress = promisify(zstdDecompress);

/**
 * Decompresses a body beside the event loop: a large one takes long enough for other tables, and for heartbeats, to wait.
 * @param rawBytes its size uncompressed, so that it needs no second buffer; null: unknown.
 */
async function unpack(body: Buffer, rawBytes: number | null): Promise<Buffer> {
  // A buffer that the output fills exactly would call for another one.
  const bytes = await decompress(body, rawBytes === null ? {} : { chunkSize: Math.max(CHUNK_BYTES_MIN, rawBytes + 1) });
  // White space that COPY would take for the end of a value; within strings JSON escapes it.
  for (let at = bytes.indexOf(TAB); at >= 0; at = bytes.indexOf(TAB, at)) while (bytes[at] === TAB) bytes[at++] = SPACE;
  return bytes;
}

/** zlib accepts no smaller one. */
const CHUNK_BYTES_MIN = 64;

/** A batch's lines, each a part of its bytes. */
function* linesIn(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_BREAK, start);
    const end = found < 0 ? bytes.length : found;
    if (end > start) yield bytes.subarray(start, end);
    start = end + 1;
  }
}
