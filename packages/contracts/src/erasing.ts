import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { batchLine, recordIn } from './batches.ts';
import { isRawNumber, type Json, type JsonObject, numberText, parseJson } from './json.ts';
import { RawObject } from './scan.ts';

/** A field by which an object's records belong to those of another, and the keys of those that are erased. */
export interface Owners {
  readonly field: string;
  /** The object of those keys. */
  readonly object: string;
  readonly keys: ReadonlySet<string>;
}

/** Whom of those who are erased a record belongs to; null: to none of them. What is no record belongs to nobody. */
export function ownerOf(
  record: Buffer,
  owners: readonly Owners[],
): { readonly object: string; readonly key: string } | null {
  try {
    const raw = RawObject.of(record);
    return ownerIn((field) => raw.get(field), owners);
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return null;
    throw error;
  }
}

function ownerIn(
  get: (field: string) => Json | undefined,
  owners: readonly Owners[],
): { readonly object: string; readonly key: string } | null {
  for (const { field, object, keys } of owners) {
    const key = textOf(get(field));
    if (keys.has(key)) return { object, key };
  }
  return null;
}

/** What was taken out of a batch. */
export interface ErasedBatch {
  readonly body: Buffer;
  readonly rawBytes: number;
  /** How many records. */
  readonly records: number;
  /** The keys of those that could be read. */
  readonly keys: readonly string[];
}

/**
 * Takes out of a batch what belongs to somebody who is erased. A line that says only that it was here stands in its place, so that
 * the numbers of the others, and the counts of the batch, stay what they are.
 * @param keyField the field that is a record's key.
 * @returns null when nothing of it does.
 */
export async function eraseFromBatch(
  body: Buffer,
  owners: readonly Owners[],
  keyField: string,
): Promise<ErasedBatch | null> {
  const bytes = await decompress(body);
  const keys: string[] = [];
  let records = 0;
  const lines = linesIn(bytes).map((line) => {
    const found = ownedLine(line, owners);
    if (found === null) return line;
    records++;
    const key = textOf(found[keyField]);
    if (key !== '') keys.push(key);
    return ERASED;
  });
  if (records === 0) return null;
  const raw = Buffer.concat(lines.flatMap((line) => [line, LINE_BREAK]));
  return { body: await compress(raw), rawBytes: raw.length, records, keys };
}

/** The same for one line, as rejected records keep them. */
export function isOwnedLine(line: Buffer, owners: readonly Owners[]): boolean {
  return ownedLine(line, owners) !== null;
}

function ownedLine(line: Buffer, owners: readonly Owners[]): JsonObject | null {
  const found = recordIn(line);
  const record = found === null ? null : line.subarray(found.start, found.end);
  if (record !== null)
    return ownerOf(record, owners) === null ? null : (parseJson(record.toString('utf8')) as JsonObject);
  if (!line.subarray(0, REJECTED.length).equals(REJECTED)) return null;
  const { rejected } = parseJson(line.toString('utf8')) as unknown as { rejected: { record: JsonObject } };
  return ownerIn((field) => rejected.record[field], owners) === null ? null : rejected.record;
}

function textOf(value: Json | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || isRawNumber(value)) return numberText(value);
  return typeof value === 'object' ? '' : String(value);
}

function linesIn(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(10, start);
    const end = found < 0 ? bytes.length : found;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const REJECTED = Buffer.from('{"rejected":');
const LINE_BREAK = Buffer.from('\n');
const ERASED = Buffer.concat([...batchLine({ erased: {} })]);
