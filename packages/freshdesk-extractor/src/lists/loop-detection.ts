import { hash as getDigest } from 'node:crypto';
import { AppError } from '@freshet/contracts';
import type { ObjectSpec } from '../catalogue/define-object.ts';
import type { ListedRecord } from '../http/response-parser.ts';
import { getKeyValues } from '../reader/page.ts';

/**
 * A summary of the consecutive pages of one list, which is used to detect a server that announces
 * pages without end.
 *
 * Such a server sends empty pages, pages with the keys of the previous page, or keys that repeat in
 * longer cycles or in random order. A counter detects empty pages. A digest detects pages with the
 * keys of the previous page. The estimated number of distinct keys (a HyperLogLog sketch) detects
 * the remaining cases. The memory and the stored position stay small for a list of any length. All
 * limits are derived from the records that were read.
 */
export interface LoopState {
  readonly records: number;
  /** Pages that held records. */
  readonly pages: number;
  /** Consecutive empty pages. */
  readonly emptyPages: number;
  /** Digest of the keys of the last page that held records. */
  readonly lastDigest: string;
  /** Consecutive pages that each have the same keys as the previous page. */
  readonly repeats: number;
  /** Registers of the sketch, in base64. */
  readonly sketch: string;
}

export interface LoopOptions {
  /** The number of the page, for the error message. */
  readonly page: number;
  /** How many times each key may occur on average. */
  readonly occurrencesMax?: number;
}

/** A record that moves while a list is read may occur twice. */
const OCCURRENCES_MAX = 2;
/**
 * One page may have the same keys as the previous page, because the list may have moved by exactly
 * one page.
 */
const REPEATS_MAX = 1;
/**
 * The number of pages by which a list may exceed the limits, so that some empty pages before the
 * first record and repeated pages of a short list are accepted.
 */
const SPARE_PAGES = 3;

const INITIAL_STATE: LoopState = { records: 0, pages: 0, emptyPages: 0, lastDigest: '', repeats: 0, sketch: '' };

/**
 * Adds a page, which announces a next page, to the state.
 * @param state null or absent for the first page.
 * @throws AppError `source_contract` if the list does not end.
 */
export function trackPage(
  state: LoopState | null | undefined,
  records: readonly ListedRecord[],
  { name, primaryKey }: Pick<ObjectSpec, 'name' | 'primaryKey'>,
  { page, occurrencesMax = OCCURRENCES_MAX }: LoopOptions,
): LoopState {
  const previous = state ?? INITIAL_STATE;
  if (records.length === 0) {
    const emptyPages = previous.emptyPages + 1;
    if (emptyPages > previous.pages + SPARE_PAGES)
      throw createLoopError(name, page, `the last ${emptyPages} pages are empty`);
    return { ...previous, emptyPages };
  }
  // The key of a record that is too large may be unknown. A list of children may omit the parent's
  // column.
  const keys = records
    .filter(({ raw }) => primaryKey.some((column) => raw.has(column)))
    .map((record) => JSON.stringify(getKeyValues(record, primaryKey)));
  const lastDigest = getDigest('sha256', keys.toSorted().join('\n'), 'base64');
  const repeats = keys.length > 0 && lastDigest === previous.lastDigest ? previous.repeats + 1 : 0;
  if (repeats > REPEATS_MAX) throw createLoopError(name, page, 'it holds the same records as the two pages before it');
  const registers = addKeys(previous.sketch, keys);
  const total = previous.records + keys.length;
  const distinct = estimateDistinct(registers);
  if (total > occurrencesMax * distinct + SPARE_PAGES * keys.length)
    throw createLoopError(name, page, `only about ${Math.round(distinct)} of the ${total} records read are distinct`);
  return {
    records: total,
    pages: previous.pages + 1,
    emptyPages: 0,
    lastDigest,
    repeats,
    sketch: registers.toString('base64'),
  };
}

/**
 * Whether an extraction failed because a list does not end. Such an extraction cannot be continued,
 * because its pages may have been arbitrary. The next extraction starts from the first page.
 */
export function isLoopError(error: unknown): boolean {
  return error instanceof AppError && error.context['isEndless'] === true;
}

function createLoopError(name: string, page: number, reason: string): AppError {
  return new AppError(
    'source_contract',
    `The list of ${name} does not end: page ${page} announces another page, but ${reason}. A cache or proxy in front ` +
      'of the account may ignore the query string. Correct the configuration of the cache or proxy, then start a new run.',
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

/** Returns the HyperLogLog estimate. The standard error is 7%, or less for small sets. */
function estimateDistinct(registers: Buffer): number {
  let sum = 0;
  let zeros = 0;
  for (const rank of registers) {
    sum += 2 ** -rank;
    if (rank === 0) zeros++;
  }
  const raw = ((0.7213 / (1 + 1.079 / REGISTERS)) * REGISTERS * REGISTERS) / sum;
  return raw <= 2.5 * REGISTERS && zeros > 0 ? REGISTERS * Math.log(REGISTERS / zeros) : raw;
}

/** FNV-1a with the finalizer of MurmurHash3. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
