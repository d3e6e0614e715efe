import { AppError, type CreditClass } from '@freshet/contracts';
import type { Keyset, View } from '../catalogue/define.ts';
import type { ListedRecord, ListPage } from '../client.ts';
import { type Page, type Position, page, type Reached, type ReadOptions, textOf } from '../pages.ts';
import { type ObjectReader, recordPage } from '../reader.ts';
import { readOversizeTie } from './oversize-tie.ts';

/**
 * Reads a list ordered by its version column, by value instead of by page number.
 *
 * Page 1 of "changed since `anchor`, oldest first" depends on no earlier position. If it ends at `last`, every
 * record whose version lies in [anchor, last) was on it, and `last` is the next anchor. A record that changes
 * before it was read moves behind everything, and is read later, in this pass or the next.
 *
 * A tie (one second with more records than a page) is the only place for page numbers: its end is looked for
 * first, then its pages are read from the last to the first. Records can only leave a second that has passed,
 * so an unread record's index can only fall, and a reader going backwards always has it ahead.
 *
 * The stored watermark stays `lagSeconds` behind the server's clock, because a change may take a while to show.
 *
 * A first sync reads the newest window first, then steps back, each as long as all before it, until it is as deep as
 * asked for; in between, what is new is read again, and it says each time how deep it has come.
 *
 * Assumed of the list, and asserted on every page: it is ordered, and holds nothing before the anchor.
 */
interface ViewPosition {
  /** Everything that changed before it has been read. RFC 3339, whole seconds; null: nothing read yet. */
  readonly watermark: string | null;
  /** The pass under way. */
  readonly pass: Pass | null;
}

interface Pass {
  readonly anchor: string;
  readonly beganAt: string | null;
  /** The next page of a tie at `anchor`, counting down; null: no tie. */
  readonly tiePage: number | null;
}

/** A stretch of the past that is being read, after the newest was. */
interface Window {
  readonly from: string;
  readonly to: string;
  readonly pass: Pass | null;
}

export interface KeysetPosition extends Position {
  /** Everything that changed since then, and before the watermarks, has been read. */
  readonly backTo: string;
  readonly views: Readonly<Record<string, ViewPosition>>;
  readonly window: Window | null;
}

const BEGINNING = '1970-01-01T00:00:00Z';
const DAY_MS = 86_400_000;
/** A first sync reads so much first, so that reports are useful within minutes; each step back is twice as long. */
const NEWEST_DAYS = 30;
/** While the past is read, what has changed is read as often as this. */
const REFRESH_MS = 600_000;

export async function* readKeyset(reader: ObjectReader, way: Keyset, from: KeysetPosition | null, options: ReadOptions): AsyncGenerator<Page> {
  const { object } = reader;
  const target = object.history && options.historyFrom ? wholeSeconds(options.historyFrom) : BEGINNING;
  const newest = wholeSeconds(new Date(Date.now() - NEWEST_DAYS * DAY_MS));
  // A step back of less than a day would cost a call and bring next to nothing.
  const first = seconds(newest) - seconds(target) < DAY_MS / 1000 ? target : newest;
  let position: KeysetPosition = from ?? { backTo: first, views: {}, window: null };
  let serverTime = new Date();

  /** What has changed since the last pass, or for the first time the newest window. */
  async function* readNew(): AsyncGenerator<Page> {
    for (const view of object.views) {
      const known = position.views[view.name] ?? { watermark: null, pass: null };
      // Lists of deleted records are short (they are emptied after 30 days), so they are read from the beginning.
      const start = known.watermark ?? (view.deleted === null ? position.backTo : BEGINNING);
      for await (const step of readPass(reader, way, view, known.pass ?? startPass(start), null, undefined)) {
        serverTime = step.serverTime;
        // At the end of the list every change visible when the pass began has been read.
        const behind = () => wholeSeconds(new Date(Date.parse(step.beganAt) - way.lagSeconds * 1000));
        const next = step.pass === null ? { watermark: laterOf(known.watermark, behind()), pass: null } : { watermark: known.watermark, pass: step.pass };
        position = { ...position, views: { ...position.views, [view.name]: next } };
        yield recordPage(reader, options, { view, records: step.records, position, extractedAt: serverTime });
      }
    }
    yield page({ position, extractedAt: serverTime, reached: reached(object, position) });
  }

  /** The next stretch of the past; what leaves it while it is read is read later, as new. */
  async function* readPast(window: Window): AsyncGenerator<Page> {
    const view = object.views[0] as View;
    for await (const step of readPass(reader, way, view, window.pass ?? startPass(window.from), window.to, 'backfill')) {
      serverTime = step.serverTime;
      position = step.pass === null ? { ...position, backTo: window.from, window: null } : { ...position, window: { ...window, pass: step.pass } };
      yield recordPage(reader, options, { view, records: step.records, position, extractedAt: serverTime });
    }
    yield page({ position, extractedAt: serverTime, reached: reached(object, position) });
  }

  if (position.window === null) yield* readNew();
  let refreshAt = serverTime.getTime() + REFRESH_MS;
  while (position.window !== null || seconds(position.backTo) > seconds(target)) {
    yield* readPast(position.window ?? windowBefore(position.backTo, newest, target));
    if (serverTime.getTime() < refreshAt) continue;
    yield* readNew();
    refreshAt = serverTime.getTime() + REFRESH_MS;
  }
  // One who went on in the middle of the past has not looked at what is new.
  if (from?.window) yield* readNew();
  yield page({ position, extractedAt: serverTime, reached: reached(object, position), finished: true });
}

function reached(object: ObjectReader['object'], position: KeysetPosition): Reached {
  const watermarks = object.views.map((view) => Date.parse(position.views[view.name]?.watermark ?? BEGINNING));
  return { completeAsOf: new Date(Math.min(...watermarks)), completeBackTo: new Date(position.backTo) };
}

/** As long as all that was read before it, so that the beginning is reached in few steps. */
function windowBefore(backTo: string, newest: string, target: string): Window {
  const read = Math.max(NEWEST_DAYS * DAY_MS, Date.parse(newest) + NEWEST_DAYS * DAY_MS - Date.parse(backTo));
  return { from: laterOf(target, wholeSeconds(new Date(Math.max(0, Date.parse(backTo) - read)))), to: backTo, pass: null };
}

function startPass(anchor: string): Pass {
  return { anchor, beganAt: null, tiePage: null };
}

interface Step {
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  readonly beganAt: string;
  /** Null: the pass is over. */
  readonly pass: Pass | null;
}

/**
 * @param until records from then on need not be read; null: to the end of the list.
 * @param creditClass what its calls are for, if not what the client is for.
 */
async function* readPass(
  reader: ObjectReader,
  way: Keyset,
  view: View,
  from: Pass,
  until: string | null,
  creditClass: CreditClass | undefined,
): AsyncGenerator<Step> {
  const fetchAt = (anchor: string, pageNumber: number) =>
    reader.list({ ...view.query, [way.sinceParam]: anchor, order_by: way.column, order_type: 'asc' }, pageNumber, { creditClass });
  let { anchor, beganAt, tiePage } = from;
  const step = ({ records, serverTime }: Pick<ListPage, 'records' | 'serverTime'>, next: Omit<Pass, 'beganAt'> | null): Step => {
    beganAt = beganAt ?? serverTime.toISOString();
    // What stands beyond the stretch was read when it was new.
    const wanted = until === null ? records : records.filter((r) => seconds(versionOf(reader, way, r)) < seconds(until));
    return { records: wanted, serverTime, beganAt, pass: next && { ...next, beganAt } };
  };

  for (;;) {
    if (tiePage !== null) {
      for (let n: number = tiePage; n >= 1; n--) {
        const answer = await fetchAt(anchor, n);
        assertOrder(reader, way, answer, anchor);
        yield step(answer, n > 1 ? { anchor, tiePage: n - 1 } : { anchor: oneSecondAfter(anchor), tiePage: null });
      }
      anchor = oneSecondAfter(anchor);
      tiePage = null;
    }

    const answer = await fetchAt(anchor, 1);
    assertOrder(reader, way, answer, anchor);
    const last = answer.records.at(-1);
    const lastVersion = last && versionOf(reader, way, last);
    if (!answer.hasNext || !lastVersion || (until !== null && seconds(lastVersion) >= seconds(until))) {
      yield step(answer, null);
      return;
    }
    if (seconds(lastVersion) > seconds(anchor)) {
      anchor = lastVersion;
      yield step(answer, { anchor, tiePage: null });
      continue;
    }
    tiePage = await endOfTie(reader, way, anchor, fetchAt);
    if (tiePage !== null) {
      // Stored before its pages are read: one who goes on from here reads them all.
      yield step({ records: [], serverTime: answer.serverTime }, { anchor, tiePage });
      continue;
    }
    for await (const part of readOversizeTie(reader, way, view, anchor, creditClass)) yield step(part, { anchor, tiePage: null });
    anchor = oneSecondAfter(anchor);
  }
}

/** The number of the page on which the tie at `anchor` ends; null: beyond the last page that the list answers. */
async function endOfTie(
  reader: ObjectReader,
  way: Keyset,
  anchor: string,
  fetchAt: (anchor: string, page: number) => Promise<ListPage>,
): Promise<number | null> {
  const most = reader.object.maxPages ?? Number.MAX_SAFE_INTEGER;
  for (let n = 2; n <= most; n++) {
    const answer = await fetchAt(anchor, n);
    assertOrder(reader, way, answer, anchor);
    const last = answer.records.at(-1);
    if (!answer.hasNext || !last || seconds(versionOf(reader, way, last)) > seconds(anchor)) return n;
  }
  return null;
}

/** Stops an object whose list is not what the algorithm needs, before it loses anything. */
function assertOrder(reader: ObjectReader, way: Keyset, answer: ListPage, anchor: string): void {
  let previous = seconds(anchor);
  for (const record of answer.records) {
    const version = seconds(versionOf(reader, way, record));
    if (version < previous) {
      throw new AppError(
        'source_contract',
        `The list of ${reader.object.name} is not ordered by ${way.column} from ${anchor} on, though it was asked to be. Reading it on could lose records.`,
        { context: { key: reader.object.primaryKey.map((k) => textOf(record.fields[k])) } },
      );
    }
    previous = version;
  }
}

function versionOf(reader: ObjectReader, way: Keyset, record: ListedRecord): string {
  const value = record.fields[way.column];
  if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) return value;
  throw new AppError('source_contract', `A record of ${reader.object.name} has no ${way.column}, by which the list is read.`, {
    context: { key: reader.object.primaryKey.map((k) => textOf(record.fields[k])) },
  });
}

const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);
const wholeSeconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');
const oneSecondAfter = (time: string): string => wholeSeconds(new Date((seconds(time) + 1) * 1000));
const laterOf = (a: string | null, b: string): string => (a !== null && Date.parse(a) > Date.parse(b) ? a : b);
