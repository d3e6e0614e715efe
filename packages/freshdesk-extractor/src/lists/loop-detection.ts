import { hash as digestOf } from 'node:crypto';
import { AppError } from '@freshet/contracts';
import type { ObjectSpec } from '../catalogue/define.ts';
import type { ListedRecord } from '../http/client.ts';
import { keyTexts } from '../page.ts';

/**
 * Summary of the pages of one list that were read one after the other, to detect a server that announces pages forever.
 *
 * A page brings nothing new when it holds the keys of the page before it, or when the list repeats itself in longer cycles or in
 * random order. The first is seen by a digest, the others by the number of distinct keys, estimated by a HyperLogLog sketch: memory
 * and stored position stay small, whatever the length of the list. All bounds follow from what was read.
 */
export interface Trail {
  readonly records: number;
  /** Pages that held records. */
  readonly pages: number;
  /** Empty pages in a row. */
  readonly empty: number;
  /** Digest of the keys of the last page that held records. */
  readonly last: string;
  /** Pages in a row whose keys were those of the page before. */
  readonly repeats: number;
  /** Registers of the sketch, base64. */
  readonly sketch: string;
}

export interface TrailOptions {
  /** So many times may each key come on average. */
  readonly timesMax?: number;
}

/** A record that moves while a list is read may come twice. */
const TIMES_MAX = 2;
/** One page equal to the one before it may be a list that has moved by exactly one page. */
const REPEATS_MAX = 1;
/** Empty pages before any record, and pages read twice in short lists. */
const PAGES_SPARE = 3;

const NEW: Trail = { records: 0, pages: 0, empty: 0, last: '', repeats: 0, sketch: '' };

/**
 * Adds a page that announces another one.
 * @param trail null: it is the first page.
 * @throws AppError `source_contract` when the pages bring nothing new.
 */
export function follow(
  trail: Trail | null | undefined,
  records: readonly ListedRecord[],
  { name, primaryKey }: Pick<ObjectSpec, 'name' | 'primaryKey'>,
  page: number,
  { timesMax = TIMES_MAX }: TrailOptions = {},
): Trail {
  const before = trail ?? NEW;
  if (records.length === 0) {
    const empty = before.empty + 1;
    if (empty > before.pages + PAGES_SPARE)
      throw stuck(name, page, `${empty} empty pages in a row announce another page`);
    return { ...before, empty };
  }
  // Of a record that is too large, not even the key may be known; a child's list may leave out the parent's column.
  const keys = records
    .filter(({ raw }) => primaryKey.some((column) => raw.has(column)))
    .map((record) => JSON.stringify(keyTexts(record, primaryKey)));
  const last = digestOf('sha256', keys.toSorted().join('\n'), 'base64');
  const repeats = keys.length > 0 && last === before.last ? before.repeats + 1 : 0;
  if (repeats > REPEATS_MAX)
    throw stuck(name, page, `it holds the records of the page before it, and so did that page`);
  const registers = addKeys(before.sketch, keys);
  const read = before.records + keys.length;
  const distinct = countOf(registers);
  if (read > timesMax * distinct + PAGES_SPARE * keys.length) {
    throw stuck(name, page, `${read} records were read, of which only about ${Math.round(distinct)} are different`);
  }
  return { records: read, pages: before.pages + 1, empty: 0, last, repeats, sketch: registers.toString('base64') };
}

/**
 * Whether a reading has stopped because its pages bring nothing new. What it has read cannot be continued: the pages may have been
 * any. The next reading starts from the beginning.
 */
export function isEndless(error: unknown): boolean {
  return error instanceof AppError && error.context['isEndless'] === true;
}

function stuck(name: string, page: number, reason: string): AppError {
  return new AppError(
    'source_contract',
    `The list of ${name} does not end: page ${page} announces another page, but ${reason}. A cache or proxy in front of the account may ignore ` +
      `the query string. Check what answers at the account’s address, then start a run again.`,
    { context: { object: name, page, isEndless: true } },
  );
}

const REGISTER_BITS = 8;
const REGISTERS = 1 << REGISTER_BITS;

function addKeys(sketch: string, keys: readonly string[]): Buffer {
  const registers = sketch === '' ? Buffer.alloc(REGISTERS) : Buffer.from(sketch, 'base64');
  for (const key of keys) {
    const hash = hash32(key);
    const index = hash >>> (32 - REGISTER_BITS);
    const rank = Math.clz32((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))) + 1;
    if (rank > (registers[index] as number)) registers[index] = rank;
  }
  return registers;
}

/** HyperLogLog's estimate: within 7 % for two thirds of all sets, better for small ones. */
function countOf(registers: Buffer): number {
  let sum = 0;
  let zeros = 0;
  for (const rank of registers) {
    sum += 2 ** -rank;
    if (rank === 0) zeros++;
  }
  const raw = ((0.7213 / (1 + 1.079 / REGISTERS)) * REGISTERS * REGISTERS) / sum;
  return raw <= 2.5 * REGISTERS && zeros > 0 ? REGISTERS * Math.log(REGISTERS / zeros) : raw;
}

/** FNV-1a, mixed by MurmurHash3's finalizer. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
