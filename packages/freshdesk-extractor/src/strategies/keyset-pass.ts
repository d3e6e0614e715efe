import { AppError, type CreditClass } from '@freshet/contracts';
import type { Keyset, View } from '../catalogue/define.ts';
import type { ListedRecord, ListPage } from '../http/client.ts';
import { follow, type Trail } from '../lists/loop-detection.ts';
import { seconds, secondsAfter, timeOf, wholeSeconds } from '../lists/timestamps.ts';
import type { ObjectReader } from '../object-reader.ts';
import { type FailedUnit, keyTexts } from '../page.ts';
import { readTie, TIE_FOUND, type Tie, type TieStep } from './tie.ts';

/**
 * Reads an ordered list from a moment on, by value instead of by page number.
 *
 * Page 1 of "changed since `anchor`, oldest first" depends on no earlier position. If it ends at `last`, every
 * record whose version lies in [anchor, last) was on it, and `last` is the next anchor. A record that changes
 * before it was read moves behind everything, and is read later, in this pass or the next.
 *
 * Assumed of the list, and asserted while it is read: it is ordered, holds nothing before the anchor, and holds the
 * anchor's own second.
 */
export interface Pass {
  readonly anchor: string;
  readonly beganAt: string | null;
  /** A tie at `anchor` that is being read; null: none. */
  readonly tie: Tie | null;
  /** The pages of this pass so far; absent: none has announced another. */
  readonly trail?: Trail;
}

/** One page of a pass. */
export interface Step {
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  readonly beganAt: string;
  /** Null: the pass is over. */
  readonly pass: Pass | null;
  /** Records whose lookup failed. */
  readonly failed: readonly FailedUnit[];
  /** The next page has been asked for. */
  readonly ahead: boolean;
}

export interface PassOptions {
  /** Records from then on need not be read; absent: to the end of the list. */
  readonly until?: string | undefined;
  /** What its calls are for, if not what the client is for. */
  readonly creditClass?: CreditClass | undefined;
  /** Whether the pass may go on by itself, if its reader may. Absent: it may. */
  readonly mayGoOn?: () => boolean;
}

/** A record that changes during a pass comes again, at its new version, however often. Timestamps that grow with every request never end. */
const TIMES_MAX = 8;

export function startPass(anchor: string): Pass {
  return { anchor, beganAt: null, tie: null };
}

/** How much of a pass from a moment to another is done, from 0 to 1. */
export function passShare(pass: Pass | null, from: string, to: Date): number {
  if (pass === null) return 1;
  return Math.min(
    1,
    Math.max(0, (Date.parse(pass.anchor) - Date.parse(from)) / Math.max(1, to.getTime() - Date.parse(from))),
  );
}

export async function* readPass(
  reader: ObjectReader,
  way: Keyset,
  view: View,
  from: Pass,
  { until, creditClass, mayGoOn = () => true }: PassOptions = {},
): AsyncGenerator<Step> {
  const fetchAt = async (since: string, pageNumber: number) => {
    const query = { ...view.query, [way.sinceParam]: since, order_by: way.column, order_type: 'asc' };
    // Whatever page 1 holds, the next anchor follows from it; pages of a tie are counted.
    let answer = await reader.list(query, pageNumber, { creditClass, mayBeShort: pageNumber === 1 && tie === null });
    // An empty page is not the end of the list while it announces another one.
    let empty: Trail | null = null;
    for (let next = 2; tie === null && answer.records.length === 0 && answer.hasNext; next++) {
      empty = follow(empty, [], reader.object, next - 1);
      answer = await reader.list(query, next, { creditClass });
    }
    assertOrder(reader, way, answer, since);
    return answer;
  };
  let { anchor, beganAt, tie, trail } = from;
  /** The page at the anchor, asked for while the one before it is worked on. */
  let ahead: Promise<ListPage> | null = null;
  const step = (
    { records, serverTime, failed = [] }: Pick<ListPage, 'records' | 'serverTime'> & Pick<TieStep, 'failed'>,
    next: Pick<Pass, 'anchor' | 'tie'> | null,
  ): Step => {
    beganAt = beganAt ?? serverTime.toISOString();
    // What stands beyond the stretch was read when it was new.
    const wanted =
      until === undefined ? records : records.filter((r) => timeOf(reader, r, way.column) < seconds(until));
    return {
      records: wanted,
      serverTime,
      beganAt,
      pass: next && { ...next, beganAt, ...(trail ? { trail } : {}) },
      failed,
      ahead: ahead !== null,
    };
  };

  // Whether a record of the anchor's own second was read already: the list then begins with it, unless it has changed.
  let isKnown = false;
  for (;;) {
    if (tie !== null) {
      for await (const part of readTie(reader, way, view, anchor, tie, (n) => fetchAt(anchor, n), creditClass)) {
        yield step(
          part,
          part.tie === null ? { anchor: secondsAfter(anchor, 1), tie: null } : { anchor, tie: part.tie },
        );
      }
      anchor = secondsAfter(anchor, 1);
      tie = null;
      isKnown = false;
    }
    const answer: ListPage = await (ahead ?? fetchAt(anchor, 1));
    ahead = null;
    const first = answer.records[0];
    if (isKnown && (!first || timeOf(reader, first, way.column) > seconds(anchor))) await assertInclusive(anchor);
    const last = answer.records.at(-1);
    const lastAt = last && timeOf(reader, last, way.column);
    if (!answer.hasNext || lastAt === undefined || (until !== undefined && lastAt >= seconds(until))) {
      yield step(answer, null);
      return;
    }
    trail = follow(trail, answer.records, reader.object, 1, { timesMax: TIMES_MAX });
    if (lastAt > seconds(anchor)) {
      anchor = wholeSeconds(new Date(lastAt * 1000));
      isKnown = true;
      if (reader.mayReadAhead() && mayGoOn()) {
        ahead = fetchAt(anchor, 1);
        // Whoever goes on meets its failure; who does not has no use for it.
        ahead.catch(() => {});
      }
      yield step(answer, { anchor, tie: null });
      continue;
    }
    tie = TIE_FOUND;
    // Stored before its pages are read: one who goes on from here reads them all.
    yield step({ records: [], serverTime: answer.serverTime }, { anchor, tie });
  }

  /** A filter that leaves out its own second would lose what stands behind a page's last record. */
  async function assertInclusive(second: string): Promise<void> {
    const { records } = await fetchAt(secondsAfter(second, -1), 1);
    if (!records.some((record) => timeOf(reader, record, way.column) === seconds(second))) return;
    throw new AppError(
      'source_contract',
      `The list of ${reader.object.name} leaves out the second that ${way.sinceParam} names (${second}). Reading it on could lose records.`,
    );
  }
}

/**
 * Whether anything has changed since a moment, for one credit where a page costs several: most lists of deleted records
 * have nothing new most of the time.
 * @returns the server's clock if there is nothing; null if there is, or if asking costs as much as reading.
 */
export async function nothingSince(reader: ObjectReader, way: Keyset, view: View, since: string): Promise<Date | null> {
  if (reader.object.include.length === 0) return null;
  const query = { ...view.query, [way.sinceParam]: since, order_by: way.column, order_type: 'asc' };
  const { records, serverTime } = await reader.list(query, 1, { plain: true });
  return records.length === 0 ? serverTime : null;
}

/** Stops an object whose list is not what the algorithm needs, before it loses anything. */
function assertOrder(reader: ObjectReader, way: Keyset, answer: ListPage, anchor: string): void {
  let previous = seconds(anchor);
  for (const record of answer.records) {
    const version = timeOf(reader, record, way.column);
    if (version < previous) {
      throw new AppError(
        'source_contract',
        `The list of ${reader.object.name} is not ordered by ${way.column} from ${anchor} on, though the request asks for that order. ` +
          'Reading on could lose records. A cache or proxy in front of the account may ignore the query string. Check it, then start a run again.',
        { context: { key: keyTexts(record, reader.object.primaryKey) } },
      );
    }
    previous = version;
  }
}
