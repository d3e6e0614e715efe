import { AppError } from '@freshet/contracts';
import type { Since, View } from '../catalogue/define.ts';
import type { ListedRecord } from '../http/client.ts';
import { countWindows } from '../lists/page-overlap.ts';
import { readWhole, startWhole, type WholeState } from '../lists/stable-list.ts';
import { BEGINNING, wholeSeconds } from '../lists/timestamps.ts';
import type { ObjectReader } from '../object-reader.ts';
import type { SincePosition } from './changed-since.ts';

/**
 * A rolling reading of a complete list: each run reads some pages, the next run continues, and after the last page the
 * reading starts again. It finds edits that the list's filter does not return. It concludes nothing from records that it
 * does not find, because a record may move while hours pass between two pages.
 *
 * The pages are optional. Their credits are of the lowest class, and a run that gets none finishes without them.
 */
export interface Reread {
  /** The run to which `pages` belongs. */
  readonly run: string;
  /** Pages that this run may still read. */
  readonly pages: number;
  /** Records of the list when it was last read completely; null: not known. */
  readonly records: number | null;
  /** Null: the reading starts again. */
  readonly whole: WholeState | null;
}

/** A run reads so many pages at least, so that a short list is complete after few runs, and at most. */
const PAGES_MIN = 2;
const PAGES_MAX = 20;

/** How many pages a run reads again. */
function rereadPages(records: number | null, rereadSyncs: number, pageSize: number): number {
  if (records === null) return PAGES_MAX;
  const windows = countWindows(records, pageSize);
  return Math.min(windows, PAGES_MAX, Math.max(PAGES_MIN, Math.ceil(windows / rereadSyncs)));
}

/** How many pages the next run reads again. */
export function rereadEstimate({ rereadSyncs }: Since, { reread }: SincePosition, pageSize: number): number {
  if (rereadSyncs === undefined) return 0;
  const records = reread?.records ?? null;
  const pages = rereadPages(records, rereadSyncs, pageSize);
  const done = reread?.whole?.overlap ? countWindows(reread.whole.overlap.end, pageSize) : 0;
  return records === null ? pages : Math.max(1, Math.min(pages, countWindows(records, pageSize) - done));
}

interface RereadStep {
  readonly view: View;
  readonly records: readonly ListedRecord[];
  readonly position: SincePosition;
  readonly extractedAt: Date;
}

/** The rolling reading as a run begins its pages, or continues with those that it has left. */
export function startReread(known: Reread | undefined, rereadSyncs: number, run: string, pageSize: number): Reread {
  if (known?.run === run) return known;
  const records = known?.records ?? null;
  return { run, pages: rereadPages(records, rereadSyncs, pageSize), records, whole: known?.whole ?? null };
}

/** Reads the pages that a run has left. */
export async function* rereadPart(reader: ObjectReader, from: SincePosition): AsyncGenerator<RereadStep> {
  const { object } = reader;
  const { backTo, param } = from;
  let reread = from.reread as Reread;
  if (reread.pages === 0) return;
  const view = object.views[0] as View;
  const query = { ...view.query, ...(backTo === BEGINNING ? {} : { [param]: wholeSeconds(new Date(backTo)) }) };
  // A page that was requested ahead would be paid for and not be used.
  const oneByOne: ObjectReader = { ...reader, mayReadAhead: () => false };
  const fetchPage = (page: number, size: number) => reader.list(query, page, { creditClass: 'audit', size });
  try {
    for await (const step of readWhole(oneByOne, fetchPage, reread.whole ?? startWhole(null, 'chain'), 'chain')) {
      reread =
        step.outcome === 'next'
          ? { ...reread, pages: reread.pages - 1, whole: step.state }
          : { ...reread, pages: 0, records: step.state.sum.count, whole: null };
      yield { view, records: step.records, position: { ...from, reread }, extractedAt: step.serverTime };
      if (reread.pages === 0) return;
    }
  } catch (error) {
    // The next run continues.
    if (!(error instanceof AppError) || error.code !== 'out_of_credits') throw error;
  }
}
