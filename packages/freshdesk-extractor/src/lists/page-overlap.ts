import { hash } from 'node:crypto';
import type { ListedRecord } from '../http/response-parser.ts';
import { getKeyValues } from '../reader/page.ts';

/**
 * One of several overlapping pages of a list. Each page after the first starts before the offset at
 * which the previous page ended.
 *
 * Freshdesk accepts a page number and a page size, so a page of size `s` can only start at a
 * multiple of `s`. Pages of different sizes start at different offsets: page 1 of size 100 covers
 * the offsets 0 to 99, page 2 of size 99 covers 99 to 197, and page 3 of size 98 covers 196 to 293.
 * A list of up to 198 records needs no additional page. A long list needs at most one additional
 * page for every seven pages.
 */
export interface PageWindow {
  /** The page number, from 1. */
  readonly page: number;
  readonly size: number;
}

export interface PageOverlap {
  /**
   * The offset at which the last page ended or, after a step back, an earlier offset. The next page
   * starts before it.
   */
  readonly end: number;
  /** Fingerprints of the final records of the last page that did not cause a step back. */
  readonly tail: readonly string[];
  /** Whether every page so far satisfies the condition of the proof. */
  readonly isProven: boolean;
  /** The greatest `end` so far. */
  readonly furthestEnd: number;
  /** The number of steps back since `furthestEnd` was reached. */
  readonly stepsBack: number;
}

/** The proofs that overlapping pages can provide. See `CompletenessProof` in `stable-list.ts`. */
export type OverlapProof = 'chain' | 'still';

export const INITIAL_OVERLAP: PageOverlap = { end: 0, tail: [], isProven: true, furthestEnd: 0, stepsBack: 0 };

/**
 * The maximum number of steps back, each of half a page, before a page extends beyond
 * `furthestEnd`. A list that needs more steps back changes too fast for a proof by overlap.
 */
const STEPS_BACK_MAX = 20;
/**
 * The minimum number of records in the tail. If the tail were shorter, a few deletions could remove
 * the overlap with the next page.
 */
const TAIL_MIN = 10;

/** Returns the offset of the first record of a page. */
export const getStartOffset = ({ page, size }: PageWindow): number => (page - 1) * size;

/**
 * Returns the page that starts before the given offset and ends as far beyond that offset as
 * possible. For offset 0, returns the first page.
 */
export function getNextWindow(end: number, sizeMax: number): PageWindow {
  let best: PageWindow = { page: 1, size: sizeMax };
  if (end === 0) return best;
  let bestEnd = 0;
  for (let size = sizeMax; size > sizeMax >>> 1; size--) {
    const page = Math.floor((end - 1) / size) + 1;
    if (page * size > bestEnd) [best, bestEnd] = [{ page, size }, page * size];
  }
  return best;
}

/** Returns the number of overlapping pages of a list. */
export function countWindows(records: number, sizeMax: number): number {
  let windows = 1;
  for (let end = sizeMax; end < records; windows++) {
    const { page, size } = getNextWindow(end, sizeMax);
    end = page * size;
  }
  return windows;
}

export interface PageComparison {
  /**
   * The state for the next page; null: overlaps cannot prove the pass, because the list is not
   * paginated as requested, or because too many steps back were needed.
   */
  readonly overlap: PageOverlap | null;
  /**
   * The records of this page, except those that are in the tail of the previous page and have not
   * changed since that page was read.
   */
  readonly freshRecords: readonly ListedRecord[];
  /** The records of this page whose keys are not in the tail of the previous page. */
  readonly unseenRecords: readonly ListedRecord[];
  /** Records before this page may be unread, so the next page must start earlier than this page. */
  readonly mustStepBack: boolean;
}

export interface ComparisonOptions {
  /** The object's page size. */
  readonly sizeMax: number;
  readonly primaryKey: readonly string[];
  readonly proof: OverlapProof;
}

/** Compares a page with the tail of the previous page. */
export function comparePage(
  overlap: PageOverlap,
  window: PageWindow,
  { records, hasNext }: { readonly records: readonly ListedRecord[]; readonly hasNext: boolean },
  { sizeMax, primaryKey, proof }: ComparisonOptions,
): PageComparison {
  const start = getStartOffset(window);
  const fingerprints = records.map((record) => getFingerprint(record, primaryKey));
  const keys = fingerprints.map(getKey);
  const [tail, tailKeys] = [new Set(overlap.tail), overlap.tail.map(getKey)];
  const knownKeys = new Set(tailKeys);
  const freshRecords = records.filter((_, i) => !tail.has(fingerprints[i] as string));
  const unseenRecords = records.filter((_, i) => !knownKeys.has(keys[i] as string));
  const isAsRequested = hasNext ? records.length === window.size : records.length <= window.size;
  // A page that ends within the previous page is not the page that was requested.
  const isRepeated = hasNext && tail.has(fingerprints.at(-1) as string);
  if (!isAsRequested || (isRepeated && start > 0))
    return { overlap: null, freshRecords, unseenRecords, mustStepBack: false };

  const end = start + records.length;
  const tailLength = Math.max(TAIL_MIN, end - getStartOffset(getNextWindow(end, sizeMax)));
  const progress: Partial<PageOverlap> = end > overlap.furthestEnd ? { furthestEnd: end, stepsBack: 0 } : {};
  const next: PageOverlap = { ...overlap, ...progress, end, tail: fingerprints.slice(-tailLength) };
  // The first page needs no proof, even after steps back.
  if (start === 0) return { overlap: { ...next, isProven: true }, freshRecords, unseenRecords, mustStepBack: false };
  const sharedCount = overlap.end - start;
  const isStill =
    unseenRecords.length === records.length - sharedCount &&
    keys.slice(0, sharedCount).join() === tailKeys.slice(-sharedCount).join();
  const isConnected = freshRecords.length < records.length || (proof === 'still' && isStill);
  if (isConnected) {
    const isProven = overlap.isProven && (proof === 'chain' || isStill);
    return { overlap: { ...next, isProven }, freshRecords, unseenRecords, mustStepBack: false };
  }
  // All records of the overlap were deleted or have changed, so unread records may have moved to
  // offsets before this page.
  if (overlap.stepsBack === STEPS_BACK_MAX) return { overlap: null, freshRecords, unseenRecords, mustStepBack: false };
  const earlier = Math.max(0, start - (sizeMax >>> 1));
  const earlierOverlap: PageOverlap = {
    ...overlap,
    end: earlier,
    isProven: proof === 'chain',
    stepsBack: overlap.stepsBack + 1,
  };
  return { overlap: earlierOverlap, freshRecords, unseenRecords, mustStepBack: true };
}

const KEY_LENGTH = 11;

/** Returns the hash of a record's key, followed by the hash of its content. */
function getFingerprint(record: ListedRecord, primaryKey: readonly string[]): string {
  const digest = (data: string | Buffer) => hash('sha256', data, 'base64url').slice(0, KEY_LENGTH);
  return digest(JSON.stringify(getKeyValues(record, primaryKey))) + digest(record.raw.bytes);
}

const getKey = (print: string): string => print.slice(0, KEY_LENGTH);
