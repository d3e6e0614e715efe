import type { Keyset, View } from '../catalogue/define.ts';
import { isEndless } from '../lists/loop-detection.ts';
import { BEGINNING, DAY_MS, laterOf, newestOf, readFrom, seconds, wholeSeconds } from '../lists/timestamps.ts';
import { type ObjectReader, recordPage } from '../object-reader.ts';
import { type Page, type Position, page, type Reached, type ReadOptions } from '../page.ts';
import { nothingSince, type Pass, passShare, readPass, type Step, startPass } from './keyset-pass.ts';

/**
 * Reads a list ordered by its version column: what has changed since the watermark, in passes by value (`pass.ts`).
 *
 * The stored watermark stays `lagSeconds` behind the server's clock, because a change may take a while to show.
 *
 * A first sync reads the newest window first, then steps back, each as long as all before it, until it is as deep as
 * asked for; what is new is read again every few minutes, and it says after each step how deep it has come. A run may end
 * before the past does: the next one goes on with it.
 */
interface ViewPosition {
  /** Everything that changed before it has been read. RFC 3339, whole seconds; null: nothing read yet. */
  readonly watermark: string | null;
  /** The pass under way. */
  readonly pass: Pass | null;
  /** When its last pass began, by the clock that orders readings. */
  readonly readAt?: string;
  /** The newest version in the account when its last pass ended; absent: not known. */
  readonly newest?: string | undefined;
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
  /** The newest version of any record seen. */
  readonly newest?: string | undefined;
  /** The past before it is not read, because the position was moved forward over it; absent: it is. */
  readonly skippedUntil?: string | undefined;
}

/** A first sync reads so much first, so that reports are useful within minutes; each step back is twice as long. */
const NEWEST_DAYS = 30;
/** While the past is read, what has changed is read as often as this. */
const REFRESH_MS = 600_000;

export async function* readKeyset(
  reader: ObjectReader,
  way: Keyset,
  from: KeysetPosition | null,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const { object } = reader;
  const wanted = object.history && options.historyFrom ? wholeSeconds(options.historyFrom) : BEGINNING;
  const target = laterOf(from?.skippedUntil ?? null, wanted);
  const newest = wholeSeconds(new Date(reader.now().getTime() - NEWEST_DAYS * DAY_MS));
  // A step back of less than a day would cost a call and bring next to nothing.
  const first = seconds(newest) - seconds(target) < DAY_MS / 1000 ? target : newest;
  let position: KeysetPosition = from ?? { backTo: first, views: {}, window: null };
  let serverTime = reader.now();
  let newWasRead = false;

  function isNewDue(now: Date): boolean {
    return object.views.some(({ name }) => {
      const { watermark, pass, readAt }: ViewPosition = position.views[name] ?? { watermark: null, pass: null };
      // Not by the watermark: while a clock is behind, it stays behind.
      const last =
        readAt === undefined ? Date.parse(watermark ?? BEGINNING) + way.lagSeconds * 1000 : Date.parse(readAt);
      return watermark === null || pass !== null || now.getTime() - last > REFRESH_MS;
    });
  }

  /** What has changed since the last pass, or for the first time the newest window. */
  async function* readNew(): AsyncGenerator<Page> {
    for (const view of object.views) {
      const known: ViewPosition = position.views[view.name] ?? { watermark: null, pass: null };
      // Lists of deleted records are short (they are emptied after 30 days), so they are read from the beginning.
      const start =
        known.watermark === null
          ? view.deleted === null
            ? position.backTo
            : BEGINNING
          : readFrom(known.watermark, known.newest);
      // At the end of the list every change visible when the pass began has been read.
      const behind = (beganAt: string) =>
        wholeSeconds(new Date(reader.claim(beganAt).getTime() - way.lagSeconds * 1000));
      const atRest = view.deleted !== null && known.pass === null ? await nothingSince(reader, way, view, start) : null;
      if (atRest !== null) {
        const next = {
          watermark: laterOf(known.watermark, behind(atRest.toISOString())),
          pass: null,
          newest: position.newest,
          readAt: atRest.toISOString(),
        };
        position = { ...position, views: { ...position.views, [view.name]: next } };
        continue;
      }
      const forget = () => {
        position = { ...position, views: { ...position.views, [view.name]: { ...known, pass: null } } };
      };
      for await (const step of restartable(readPass(reader, way, view, known.pass ?? startPass(start)), forget)) {
        if (step === null) {
          yield page({ position, extractedAt: serverTime, ahead: true });
          continue;
        }
        serverTime = step.serverTime;
        const newestRecord = newestOf(position.newest, step.records, way.column);
        const next =
          step.pass === null
            ? {
                watermark: laterOf(known.watermark, behind(step.beganAt)),
                pass: null,
                newest: newestRecord,
                readAt: step.beganAt,
              }
            : { ...known, pass: step.pass };
        position = { ...position, newest: newestRecord, views: { ...position.views, [view.name]: next } };
        const share = view === object.views[0] ? passShare(step.pass, start, serverTime) : 1;
        // During a backfill, recent changes are read in between; they say nothing about how much history is left.
        const isFirst = known.watermark === null;
        const progress = isFirst
          ? progressAt(newest, target, position.backTo, share - 1)
          : pastRemains()
            ? null
            : share;
        yield recordPage(reader, options, {
          view,
          records: step.records,
          position,
          extractedAt: serverTime,
          failed: step.failed,
          progress,
          ahead: step.ahead,
        });
      }
    }
    newWasRead = true;
    yield page({ position, extractedAt: serverTime, reached: reached(object, position) });
  }

  /** The next stretch of the past; what leaves it while it is read is read later, as new. */
  async function* readPast(window: Window): AsyncGenerator<Page> {
    const view = object.views[0] as View;
    const mayGoOn = () => !isNewDue(serverTime);
    const pass = readPass(reader, way, view, window.pass ?? startPass(window.from), {
      until: window.to,
      creditClass: 'backfill',
      mayGoOn,
    });
    const forget = () => {
      position = { ...position, window: { ...window, pass: null } };
    };
    for await (const step of restartable(pass, forget)) {
      if (step === null) {
        yield page({ position, extractedAt: serverTime, ahead: true });
        continue;
      }
      serverTime = step.serverTime;
      const progress = progressAt(newest, target, window.to, passShare(step.pass, window.from, new Date(window.to)));
      const newestRecord = newestOf(position.newest, step.records, way.column);
      position =
        step.pass === null
          ? { ...position, newest: newestRecord, backTo: window.from, window: null }
          : { ...position, newest: newestRecord, window: { ...window, pass: step.pass } };
      // Where the newest window was empty, the newest record is found in the past.
      if (step.pass === null) position = { ...position, views: withNewest(position.views, newestRecord) };
      yield recordPage(reader, options, {
        view,
        records: step.records,
        position,
        extractedAt: serverTime,
        failed: step.failed,
        progress,
        ahead: step.ahead,
      });
      // What has changed goes before the past; the stretch goes on from its position.
      if (step.pass !== null && !step.ahead && isNewDue(serverTime)) return;
    }
    yield page({ position, extractedAt: serverTime, reached: reached(object, position) });
  }

  const pastRemains = () => position.window !== null || seconds(position.backTo) > seconds(target);
  // The past may take many slices and several runs: how old the watermarks are tells when to look at what is new.
  if (!pastRemains() || isNewDue(reader.now())) yield* readNew();
  while (pastRemains() && reader.now().getTime() < (options.pastUntil?.getTime() ?? Number.POSITIVE_INFINITY)) {
    yield* readPast(position.window ?? windowBefore(position.backTo, newest, target));
    if (isNewDue(serverTime)) yield* readNew();
  }
  // A run that finishes has looked at what is new.
  if (!newWasRead) yield* readNew();
  yield page({ position, extractedAt: serverTime, reached: reached(object, position), finished: true });
}

/**
 * The steps of a pass. Before an error that makes its anchor worthless is thrown, the pass is forgotten.
 * @returns null where the position without the pass is to be stored.
 */
async function* restartable(pass: AsyncGenerator<Step>, forget: () => void): AsyncGenerator<Step | null> {
  try {
    yield* pass;
  } catch (error) {
    if (!isEndless(error)) throw error;
    forget();
    yield null;
    throw error;
  }
}

function withNewest(views: KeysetPosition['views'], newest: string | undefined): KeysetPosition['views'] {
  return Object.fromEntries(
    Object.entries(views).map(([name, view]) => [name, view.newest === undefined ? { ...view, newest } : view]),
  );
}

function reached(object: ObjectReader['object'], position: KeysetPosition): Reached {
  const watermarks = object.views.map((view) => Date.parse(position.views[view.name]?.watermark ?? BEGINNING));
  return { completeAsOf: new Date(Math.min(...watermarks)), completeBackTo: new Date(position.backTo) };
}

/**
 * The share of the planned time windows that has been read: the newest one, and those before it down to the target.
 * @param backTo where the windows that have been read begin. @param more windows beyond them, in parts.
 */
function progressAt(newest: string, target: string, backTo: string, more: number): number {
  let planned = 1;
  let done = 1;
  for (let at = newest; seconds(at) > seconds(target); planned++) {
    at = windowBefore(at, newest, target).from;
    if (seconds(at) >= seconds(backTo)) done++;
  }
  return Math.min(1, Math.max(0, (done + more) / planned));
}

/** As long as all that was read before it, so that the beginning is reached in few steps. */
function windowBefore(backTo: string, newest: string, target: string): Window {
  const read = Math.max(NEWEST_DAYS * DAY_MS, Date.parse(newest) + NEWEST_DAYS * DAY_MS - Date.parse(backTo));
  return {
    from: laterOf(target, wholeSeconds(new Date(Math.max(0, Date.parse(backTo) - read)))),
    to: backTo,
    pass: null,
  };
}
