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
  /** The batch belongs to an audit: its corrections are counted as missing or stale rows. */
  readonly isAudit: boolean;
  /** The batch belongs to a rebuild: its rows are written even if they are unchanged. */
  readonly isRewrite: boolean;
}

/** A line of a batch that is not a record. */
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
 * @param rawBytes the uncompressed size, which avoids a second buffer; null: unknown.
 */
export async function unpackBody(body: Buffer, rawBytes: number | null): Promise<Buffer> {
  // zlib allocates another chunk if the output fills the first one exactly.
  const bytes = await decompress(body, rawBytes === null ? {} : { chunkSize: Math.max(CHUNK_BYTES_MIN, rawBytes + 1) });
  // COPY would read a tab between JSON tokens as the end of a value. Within strings, JSON escapes
  // tabs.
  for (let at = bytes.indexOf(TAB); at >= 0; at = bytes.indexOf(TAB, at)) while (bytes[at] === TAB) bytes[at++] = SPACE;
  return bytes;
}

/** Iterates over the lines of an unpacked body. Each line is a view of the body's bytes. */
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

/** Reads some lines of a batch. @param lineNumbers counted from 0. @returns line number → line. */
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
 * Iterates over the records of a batch, including those that the extractor rejected, as functions
 * from a field to its value.
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
      // The line is not a JSON object. It was rejected when its batch was loaded.
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    }
  }
}
