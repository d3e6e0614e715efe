import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { type BatchLine, type Json, locateRecord, parseJson, RawObject, type RecordLine } from '@freshet/contracts';

/** A stored batch that is ready to be loaded. */
export interface BatchToLoad {
  readonly id: string;
  readonly extractedAt: Date;
  /** The batch's lines, compressed with zstd. */
  readonly body: Buffer;
  /** Size of the uncompressed body in bytes. */
  readonly rawBytes: number;
  /**
   * Whether the batch belongs to an audit. The rows that an audit corrects are counted as missing
   * or stale.
   */
  readonly isAudit: boolean;
  /** Whether the batch belongs to a rebuild. A rebuild writes rows even if they are unchanged. */
  readonly isRewrite: boolean;
}

/** A line of a batch that contains no record to be loaded. */
export type ControlLine = Exclude<BatchLine, RecordLine>;

const LINE_BREAK = 10;
const TAB = 9;
const SPACE = 32;
/** The smallest chunk size that zlib accepts. */
const CHUNK_BYTES_MIN = 64;

const decompress = promisify(zstdDecompress);

/**
 * Decompresses the body of a batch on zlib's thread pool, so that a large body does not block the
 * event loop.
 * @param rawBytes the uncompressed size in bytes; null: unknown. If the size is known, the body is
 *   decompressed into a single buffer.
 */
export async function unpackBody(body: Buffer, rawBytes: number | null): Promise<Buffer> {
  // Add one byte, because zlib allocates a second chunk if the output fills the first chunk
  // exactly.
  const bytes = await decompress(body, rawBytes === null ? {} : { chunkSize: Math.max(CHUNK_BYTES_MIN, rawBytes + 1) });
  // Replace tabs between JSON tokens, because COPY interprets a tab as the end of a value. Strings
  // contain no unescaped tabs.
  for (let at = bytes.indexOf(TAB); at >= 0; at = bytes.indexOf(TAB, at)) while (bytes[at] === TAB) bytes[at++] = SPACE;
  return bytes;
}

/** Iterates over the lines of an unpacked body. Each line is a view of the bytes and not a copy. */
export function* splitLines(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; ) {
    const lineBreak = bytes.indexOf(LINE_BREAK, start);
    const end = lineBreak < 0 ? bytes.length : lineBreak;
    if (end > start) yield bytes.subarray(start, end);
    start = end + 1;
  }
}

export function parseControlLine(line: Buffer): ControlLine {
  return parseJson(line.toString('utf8')) as unknown as ControlLine;
}

/**
 * Reads lines of a batch.
 * @param lineNumbers the numbers of the lines to read, counted from 0.
 * @returns line number → line.
 */
export async function readLines(
  { body, rawBytes }: BatchToLoad,
  lineNumbers: ReadonlySet<number>,
): Promise<Map<number, string>> {
  const lines = new Map<number, string>();
  let lineNumber = 0;
  for (const line of splitLines(await unpackBody(body, rawBytes))) {
    if (lineNumbers.has(lineNumber)) lines.set(lineNumber, line.toString('utf8'));
    lineNumber++;
  }
  return lines;
}

/**
 * Iterates over the records of a batch, including the records that the extractor rejected. Yields
 * each record as a function that returns the value of a field.
 */
export async function* readRecords(body: Buffer): AsyncGenerator<(field: string) => Json | undefined> {
  for (const line of splitLines(await unpackBody(body, null))) {
    const location = locateRecord(line);
    if (location === null) {
      const controlLine = parseControlLine(line);
      if ('rejected' in controlLine) yield (field) => controlLine.rejected.record[field];
      continue;
    }
    try {
      const record = RawObject.parse(line, location.start, location.end);
      yield (field) => record.get(field);
    } catch (error) {
      // The record is not a valid JSON object. It was rejected when its batch was loaded.
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    }
  }
}
