import { hash } from 'node:crypto';
import type { ListedRecord } from '../http/client.ts';
import { keyTexts } from '../page.ts';

/**
 * Pages of one list that overlap: each begins with at least one record of the page before it.
 *
 * Freshdesk takes a page number and a page size, so a page of size `s` can only start at a multiple of `s`. Other sizes
 * start at other offsets: page 1 of size 100 covers 0 to 99, page 2 of size 99 covers 99 to 197, page 3 of size 98 covers
 * 196 to 293. A list of up to 198 records costs no page more than without overlap, a long list one page more in seven.
 */
export interface Window {
  /** Page number, from 1. */
  readonly page: number;
  readonly size: number;
}

export interface Overlap {
  /** Offset at which the last page ended. */
  readonly end: number;
  /** Fingerprints of the last records of that page. */
  readonly tail: readonly string[];
  /** Every page so far has met the condition of the proof. */
  readonly proven: boolean;
  /** The greatest offset that was read, and how often the reading has stepped back since. */
  readonly furthest: number;
  readonly stepsBack: number;
}

/** Kinds of proof that overlapping pages give. See `Proof` in `whole.ts`. */
export type OverlapProof = 'chain' | 'still';

export const NO_PAGE_READ: Overlap = { end: 0, tail: [], proven: true, furthest: 0, stepsBack: 0 };

/** Each step back is half a page. A list that needs more of them changes too much to be proven by an overlap. */
const STEPS_BACK_MAX = 20;
/** At least so many records of a page are remembered: deletions may move the next page behind a short overlap. */
const TAIL_MIN = 10;

export const startOffset = ({ page, size }: Window): number => (page - 1) * size;

/** The page that starts before an offset and ends as far behind it as possible. At offset 0: the first page. */
export function nextWindow(end: number, sizeMax: number): Window {
  let best: Window = { page: 1, size: sizeMax };
  if (end === 0) return best;
  let bestEnd = 0;
  for (let size = sizeMax; size > sizeMax >>> 1; size--) {
    const page = Math.floor((end - 1) / size) + 1;
    if (page * size > bestEnd) [best, bestEnd] = [{ page, size }, page * size];
  }
  return best;
}

/** How many overlapping pages a list of so many records has. */
export function countWindows(records: number, sizeMax: number): number {
  let windows = 1;
  for (let end = sizeMax; end < records; windows++) {
    const { page, size } = nextWindow(end, sizeMax);
    end = page * size;
  }
  return windows;
}

export interface Comparison {
  /** What the next page is compared with. Null: the overlap proves nothing, because the list is not paginated as requested. */
  readonly overlap: Overlap | null;
  /** Records that are not among the last of the page before, or have changed since. */
  readonly fresh: readonly ListedRecord[];
  /** Records whose keys are not among the last of the page before. */
  readonly unseen: readonly ListedRecord[];
  /** Records in front of this page may be unread, so the next page starts earlier. */
  readonly stepBack: boolean;
}

/** Compares a page with the page before it. */
export function compare(
  overlap: Overlap,
  window: Window,
  sizeMax: number,
  { records, hasNext }: { readonly records: readonly ListedRecord[]; readonly hasNext: boolean },
  primaryKey: readonly string[],
  proof: OverlapProof,
): Comparison {
  const start = startOffset(window);
  const prints = records.map((record) => fingerprint(record, primaryKey));
  const keys = prints.map(getKey);
  const [tail, tailKeys] = [new Set(overlap.tail), overlap.tail.map(getKey)];
  const knownKeys = new Set(tailKeys);
  const fresh = records.filter((_, i) => !tail.has(prints[i] as string));
  const unseen = records.filter((_, i) => !knownKeys.has(keys[i] as string));
  const isAsRequested = hasNext ? records.length === window.size : records.length <= window.size;
  // A page that ends within the page before it is not the page that was requested.
  const isRepeated = hasNext && tail.has(prints.at(-1) as string);
  if (!isAsRequested || (isRepeated && start > 0)) return { overlap: null, fresh, unseen, stepBack: false };

  const end = start + records.length;
  const tailLength = Math.max(TAIL_MIN, end - startOffset(nextWindow(end, sizeMax)));
  const progress = end > overlap.furthest ? { furthest: end, stepsBack: 0 } : {};
  const next: Overlap = { ...overlap, ...progress, end, tail: prints.slice(-tailLength) };
  // The first page needs no proof, wherever the reading was before.
  if (start === 0) return { overlap: { ...next, proven: true }, fresh, unseen, stepBack: false };
  const shared = overlap.end - start;
  const isStill =
    unseen.length === records.length - shared && keys.slice(0, shared).join() === tailKeys.slice(-shared).join();
  const isConnected = fresh.length < records.length || (proof === 'still' && isStill);
  if (!isConnected) {
    // All records of the overlap were deleted or changed, so unread records may have moved in front of this page.
    if (overlap.stepsBack === STEPS_BACK_MAX) return { overlap: null, fresh, unseen, stepBack: false };
    const earlier = Math.max(0, start - (sizeMax >>> 1));
    const stepped = { ...overlap, end: earlier, proven: proof === 'chain', stepsBack: overlap.stepsBack + 1 };
    return { overlap: stepped, fresh, unseen, stepBack: true };
  }
  return {
    overlap: { ...next, proven: overlap.proven && (proof === 'chain' || isStill) },
    fresh,
    unseen,
    stepBack: false,
  };
}

const KEY_LENGTH = 11;

/** Hashes of a record's key and of its content. */
function fingerprint(record: ListedRecord, primaryKey: readonly string[]): string {
  const digest = (data: string | Buffer) => hash('sha256', data, 'base64url').slice(0, KEY_LENGTH);
  return digest(JSON.stringify(keyTexts(record, primaryKey))) + digest(record.raw.bytes);
}

const getKey = (print: string): string => print.slice(0, KEY_LENGTH);
