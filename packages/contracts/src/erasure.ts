import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { encodeBatchLine, locateRecord } from './batches.ts';
import { formatNumber, isRawNumber, type Json, type JsonObject, parseJson } from './json.ts';
import { RawObject } from './raw-object.ts';

/** A field that identifies the owner of a record, and the keys of the erased owners. */
export interface ErasedOwners {
  readonly field: string;
  /** The object of the owners. */
  readonly object: string;
  readonly keys: ReadonlySet<string>;
}

/** An erased owner: its object and its key. */
interface ErasedOwner {
  readonly object: string;
  readonly key: string;
}

/**
 * Finds the erased owner of a record.
 * @param record the JSON of the record. Bytes that are not a JSON object have no owner.
 * @returns the first match in the order of `owners`, or null.
 */
export function findErasedOwner(record: Buffer, owners: readonly ErasedOwners[]): ErasedOwner | null {
  try {
    const raw = RawObject.parse(record);
    return matchOwner((field) => raw.get(field), owners);
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return null;
    throw error;
  }
}

function matchOwner(
  getField: (field: string) => Json | undefined,
  owners: readonly ErasedOwners[],
): ErasedOwner | null {
  for (const { field, object, keys } of owners) {
    const key = formatKey(getField(field));
    if (keys.has(key)) return { object, key };
  }
  return null;
}

/** A batch without the records of erased owners. */
export interface ErasedBatch {
  readonly body: Buffer;
  readonly rawBytes: number;
  /** The number of removed records. */
  readonly records: number;
  /** The keys of those removed records that have a key. */
  readonly keys: readonly string[];
}

/**
 * Removes the records of erased owners from a batch. A placeholder line replaces each removed
 * record, so line numbers and the batch's counts stay the same.
 * @param body the compressed batch.
 * @param keyField the field that holds a record's primary key.
 * @returns null if no record belongs to an erased owner.
 */
export async function eraseFromBatch(
  body: Buffer,
  owners: readonly ErasedOwners[],
  keyField: string,
): Promise<ErasedBatch | null> {
  const bytes = await decompress(body);
  const keys: string[] = [];
  let records = 0;
  const lines = splitLines(bytes).map((line) => {
    const record = parseErasedRecord(line, owners);
    if (record === null) return line;
    records++;
    const key = formatKey(record[keyField]);
    if (key !== '') keys.push(key);
    return ERASED_LINE;
  });
  if (records === 0) return null;
  const raw = Buffer.concat(lines.flatMap((line) => [line, LINE_BREAK]));
  return { body: await compress(raw), rawBytes: raw.length, records, keys };
}

/**
 * Whether a line contains a record of an erased owner. The line comes from a batch or from a stored
 * rejected record.
 */
export function hasErasedOwner(line: Buffer, owners: readonly ErasedOwners[]): boolean {
  return parseErasedRecord(line, owners) !== null;
}

/** Returns the record of a line if the record belongs to an erased owner; otherwise null. */
function parseErasedRecord(line: Buffer, owners: readonly ErasedOwners[]): JsonObject | null {
  const location = locateRecord(line);
  if (location !== null) {
    const record = line.subarray(location.start, location.end);
    return findErasedOwner(record, owners) === null ? null : (parseJson(record.toString('utf8')) as JsonObject);
  }
  if (!line.subarray(0, REJECTED_PREFIX.length).equals(REJECTED_PREFIX)) return null;
  const { rejected } = parseJson(line.toString('utf8')) as unknown as { rejected: { record: JsonObject } };
  return matchOwner((field) => rejected.record[field], owners) === null ? null : rejected.record;
}

/**
 * Formats a key as the warehouse stores it. Returns an empty string for a value that cannot be a
 * key.
 */
function formatKey(value: Json | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || isRawNumber(value)) return formatNumber(value);
  return typeof value === 'object' ? '' : String(value);
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const lineBreak = bytes.indexOf(10, start);
    const end = lineBreak < 0 ? bytes.length : lineBreak;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const REJECTED_PREFIX = Buffer.from('{"rejected":');
const LINE_BREAK = Buffer.from('\n');
const ERASED_LINE = Buffer.concat([...encodeBatchLine({ erased: {} })]);
