import { AppError } from '@freshet/contracts';
import type { Keyset, View } from '../catalogue/define.ts';
import type { ListedRecord, ListPage } from '../client.ts';
import { type Page, type Position, page, type ReadOptions, textOf } from '../pages.ts';
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
  readonly beganAt: string;
  /** The next page of a tie at `anchor`, counting down; null: no tie. */
  readonly tiePage: number | null;
}

export interface KeysetPosition extends Position {
  readonly backTo: string;
  readonly views: Readonly<Record<string, ViewPosition>>;
}

const BEGINNING = '1970-01-01T00:00:00Z';

export async function* readKeyset(reader: ObjectReader, way: Keyset, from: KeysetPosition | null, options: ReadOptions): AsyncGenerator<Page> {
  const { object } = reader;
  const backTo = from?.backTo ?? (object.history && options.historyFrom ? wholeSeconds(options.historyFrom) : BEGINNING);
  let position: KeysetPosition = from ?? { backTo, views: {} };
  let began: Date | null = null;
  let lastServerTime = new Date();
  const withView = (view: View, v: ViewPosition): KeysetPosition => ({ ...position, views: { ...position.views, [view.name]: v } });

  for (const view of object.views) {
    for await (const step of readView(reader, way, view, position.views[view.name] ?? { watermark: null, pass: null }, backTo)) {
      began = began ?? step.serverTime;
      lastServerTime = step.serverTime;
      position = withView(view, step.position);
      yield recordPage(reader, options, { view, records: step.records, position, extractedAt: step.serverTime });
    }
  }
  const watermarks = object.views.map((view) => Date.parse(position.views[view.name]?.watermark ?? BEGINNING));
  yield page({
    position,
    extractedAt: lastServerTime,
    finished: { completeAsOf: new Date(Math.min(...watermarks)), completeBackTo: new Date(backTo) },
  });
}

interface Step {
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  readonly position: ViewPosition;
}

async function* readView(reader: ObjectReader, way: Keyset, view: View, from: ViewPosition, backTo: string): AsyncGenerator<Step> {
  const fetchAt = (anchor: string, pageNumber: number) =>
    reader.list({ ...view.query, [way.sinceParam]: anchor, order_by: way.column, order_type: 'asc' }, pageNumber);
  let anchor = from.pass?.anchor ?? from.watermark ?? backTo;
  let beganAt = from.pass?.beganAt ?? null;
  let tiePage = from.pass?.tiePage ?? null;
  const at = (pass: Omit<Pass, 'beganAt'>): ViewPosition => ({ watermark: from.watermark, pass: { ...pass, beganAt: beganAt ?? '' } });

  for (;;) {
    if (tiePage !== null) {
      for (let n: number = tiePage; n >= 1; n--) {
        const answer = await fetchAt(anchor, n);
        assertOrder(reader, way, answer, anchor);
        if (n > 1) yield { records: answer.records, serverTime: answer.serverTime, position: at({ anchor, tiePage: n - 1 }) };
        else {
          const next = oneSecondAfter(anchor);
          yield { records: answer.records, serverTime: answer.serverTime, position: at({ anchor: next, tiePage: null }) };
          anchor = next;
        }
      }
      tiePage = null;
    }

    const answer = await fetchAt(anchor, 1);
    beganAt = beganAt ?? answer.serverTime.toISOString();
    assertOrder(reader, way, answer, anchor);
    const last = answer.records.at(-1);
    if (!answer.hasNext || !last) {
      // The end of the list was reached after the pass began: every change visible by then has been read.
      const behind = new Date(Date.parse(beganAt) - way.lagSeconds * 1000);
      const watermark = laterOf(from.watermark, wholeSeconds(behind));
      yield { records: answer.records, serverTime: answer.serverTime, position: { watermark, pass: null } };
      return;
    }
    const lastVersion = versionOf(reader, way, last);
    if (seconds(lastVersion) > seconds(anchor)) {
      anchor = lastVersion;
      yield { records: answer.records, serverTime: answer.serverTime, position: at({ anchor, tiePage: null }) };
    } else {
      tiePage = await endOfTie(reader, way, anchor, fetchAt);
      if (tiePage !== null) {
        // Stored before its pages are read: one who goes on from here reads them all.
        yield { records: [], serverTime: answer.serverTime, position: at({ anchor, tiePage }) };
        continue;
      }
      for await (const { records, serverTime } of readOversizeTie(reader, way, view, anchor)) {
        yield { records, serverTime, position: at({ anchor, tiePage: null }) };
      }
      anchor = oneSecondAfter(anchor);
    }
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
