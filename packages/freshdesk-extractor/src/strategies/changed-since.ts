import { AppError } from '@freshet/contracts';
import type { Since, View } from '../catalogue/define.ts';
import { isEndless } from '../lists/loop-detection.ts';
import { type Proof, readWhole, startWhole, type WholeState } from '../lists/stable-list.ts';
import { BEGINNING, DAY_MS, newestOf, readFrom, wholeSeconds } from '../lists/timestamps.ts';
import { type ObjectReader, recordPage } from '../object-reader.ts';
import { type Page, type Position, page, type ReadOptions } from '../page.ts';
import { readSweep, type SweepPosition } from './full-list.ts';
import { type Reread, rereadPart, startReread } from './rolling-reread.ts';

/**
 * Reads lists with a changed-since filter but no usable order: the filtered list, whole, view by view.
 * Whether and how an account's filter works is found out once and remembered with the position; where it
 * does not, the object is swept.
 */
export interface SincePosition extends Position {
  /** The spelling that works; '' when the account has none. */
  readonly param: string;
  readonly backTo: string;
  /** View → everything that changed before this was read. */
  readonly watermarks: Readonly<Record<string, string>>;
  /** The newest version of any record seen, and for each view the newest when its last reading ended; absent: not known. */
  readonly newest?: string | undefined;
  readonly newestByView?: Readonly<Record<string, string | undefined>>;
  readonly reading: { readonly view: string; readonly whole: WholeState } | null;
  /** The rolling reading of the complete list; absent: none has begun. */
  readonly reread?: Reread;
  /** Where the filter does not work. */
  readonly sweep: SweepPosition | null;
}

/** A day on which nothing has changed yet: a filter that works answers with an empty list. */
const FUTURE = '2100-01-01T00:00:00Z';
/** A list that changes faster than it can be read is left to the next run. */
const FOLLOW_UPS_MAX = 2;

export async function* readSince(
  reader: ObjectReader,
  way: Since,
  from: SincePosition | null,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const { object } = reader;
  const backTo =
    from?.backTo ?? (object.history && options.historyFrom ? options.historyFrom.toISOString() : BEGINNING);
  const param = from?.param ?? (await workingParam(reader, way));
  const proof = chooseProof(way);
  // The first run reads the complete list anyway.
  const reread: Reread = { run: options.readingId, pages: 0, records: null, whole: null };
  let position: SincePosition =
    from === null ? { param, backTo, watermarks: {}, reading: null, sweep: null, reread } : { ...from, param };
  if (param === '') {
    try {
      for await (const swept of readSweep(reader, null, position.sweep, options)) {
        position = { ...position, sweep: swept.position as SweepPosition };
        yield { ...swept, position };
      }
    } catch (error) {
      // What answers every page alike also ignores every filter: whether the account has one is to be tested again.
      if (!isEndless(error)) throw error;
      const { param: _, ...untested } = position;
      yield page({ position: { ...untested, sweep: null }, extractedAt: reader.now(), ahead: true });
      throw error;
    }
    return;
  }

  let extractedAt = reader.now();
  // A run that was interrupted in its rolling reading has read the changes already.
  const isRereading = position.reread?.run === options.readingId && position.reread.pages > 0;
  for (const view of isRereading ? [] : object.views) {
    for (let followUps = 0; ; followUps++) {
      const done = position.watermarks[view.name];
      const since =
        done === undefined
          ? backTo
          : readFrom(
              new Date(Date.parse(done) - way.lookbackDays * DAY_MS).toISOString(),
              position.newestByView?.[view.name],
            );
      // A first reading of everything needs no filter, and an unfiltered list is the best known of all.
      const query = { ...view.query, ...(since === BEGINNING ? {} : { [param]: wholeSeconds(new Date(since)) }) };
      // A first reading may be of a hundred thousand records, and nobody who waits for a change should wait for it.
      const creditClass = done === undefined ? 'backfill' : undefined;
      const start = position.reading?.view === view.name ? position.reading.whole : startWhole(null, proof);
      let isOnePage = true;
      for await (const step of readWhole(
        reader,
        (n, size) => reader.list(query, n, { creditClass, size }),
        start,
        proof,
      )) {
        extractedAt = step.serverTime;
        position = { ...position, newest: newestOf(position.newest, step.records, way.column) };
        if (step.outcome === 'next') position = { ...position, reading: { view: view.name, whole: step.state } };
        else {
          isOnePage = step.state.page === 1;
          // From the first reading's beginning: what changed during any of them is read again by the next run.
          const watermark = new Date(
            reader.claim(step.state.firstBeganAt ?? '').getTime() - way.lagSeconds * 1000,
          ).toISOString();
          const newestByView = { ...position.newestByView, [view.name]: position.newest };
          position = {
            ...position,
            reading: null,
            newestByView,
            watermarks: { ...position.watermarks, [view.name]: watermark },
          };
          if (done === undefined && position.reread)
            position = { ...position, reread: { ...position.reread, records: step.state.sum.count } };
        }
        yield recordPage(reader, options, { view, records: step.records, position, extractedAt, ahead: step.ahead });
      }
      // A record that was renamed between two pages may have moved past the reader. The filter returns it.
      if (proof !== 'chain' || isOnePage || followUps === FOLLOW_UPS_MAX) break;
    }
  }
  const completeAsOf = new Date(
    Math.min(...object.views.map((view: View) => Date.parse(position.watermarks[view.name] ?? BEGINNING))),
  );
  const reached = { completeAsOf, completeBackTo: new Date(backTo) };
  if (way.rereadSyncs !== undefined) {
    position = {
      ...position,
      reread: startReread(position.reread, way.rereadSyncs, options.readingId, object.pageSize),
    };
    yield page({ position, extractedAt, reached });
    for await (const read of rereadPart(reader, position)) {
      ({ position, extractedAt } = read);
      yield recordPage(reader, options, read);
    }
  }
  yield page({ position, extractedAt, reached, finished: true });
}

/** What proves a reading of the object's lists: a filter that returns edits returns what moved while the list was read. */
export function chooseProof({ lookbackDays }: Since): Proof {
  return lookbackDays === 0 ? 'chain' : 'still';
}

/** The first spelling that the account accepts and obeys, '' if none: one call for each tried. */
export async function workingParam(reader: ObjectReader, way: Since): Promise<string> {
  for (const param of way.sinceParams) {
    try {
      const answer = await reader.list({ [param]: FUTURE }, 1);
      if (answer.records.length === 0) return param;
    } catch (error) {
      const refused = error instanceof AppError && error.code === 'source_invalid_request';
      if (!refused) throw error;
    }
  }
  return '';
}
