import { AppError, type CreditClass } from '@freshet/contracts';
import type { Keyset, View } from '../catalogue/define.ts';
import type { ListedRecord, ListPage } from '../http/client.ts';
import { IdSet } from '../lists/id-set.ts';
import { follow, type Trail } from '../lists/loop-detection.ts';
import { seconds, timeOf, wholeSeconds } from '../lists/timestamps.ts';
import { type ObjectReader, viewOf } from '../object-reader.ts';
import { type FailedUnit, textOf } from '../page.ts';
import { FailureJudge, failedUnit, isReadable, isUnitError } from './unit-failures.ts';

/**
 * Reads a tie: one second with more records than a page. It is the only place for page numbers.
 *
 * Its end is looked for first, by doubling and halving, then its pages are read from the last to the first. Records can
 * only leave a second that has passed, so an unread record's index can only fall, and a reader going backwards always
 * has it ahead.
 *
 * A tie with more records than the list has pages for (a bulk update of tens of thousands) is read by creation time, from
 * both ends: twice as many records as the list has pages for. Creation times never change, but records leave (to the
 * trash) and enter (by changing), so both ends are read until a reading brings no record of the second that was not seen
 * before. What leaves the second is read later, at its new version. What neither end reaches is asked for id by id.
 *
 * Every step can be the last before a kill, or before the credits of a minute are spent: a tie goes on where it stood.
 */
export type Tie = TieEnd | TiePages | BigTie | TieIds;

/** Looking for the end: page `inside` still ends within the second, page `beyond` does not. */
interface TieEnd {
  readonly at: 'end';
  readonly inside: number;
  readonly beyond: number | null;
  /** The pages that were probed and lie within the second; absent: none. */
  readonly trail?: Trail;
}

/** The next page, counting down. */
interface TiePages {
  readonly at: 'pages';
  readonly page: number;
}

/** Both ends by creation time, first from the start, then from the end. */
interface BigTie {
  readonly at: 'asc' | 'desc';
  readonly reading: number;
  readonly page: number;
  /** How far the way from the start has come: the last creation time (RFC 3339), and the smallest id of its last page. */
  readonly reached: { readonly created: string; readonly low: number } | null;
  /** Ids of the second that were seen, in this reading or before (`IdSet`). */
  readonly seen: string | null;
  /** … of which this reading was the first to see so many. */
  readonly unseen: number;
  /** The pages of this way so far; absent: none has announced another. */
  readonly trail?: Trail;
}

/** Id by id, the next first; those that were seen are passed over. */
interface TieIds {
  readonly at: 'ids';
  readonly next: number;
  readonly last: number;
  readonly seen: string | null;
}

export interface TieStep {
  readonly records: readonly ListedRecord[];
  readonly serverTime: Date;
  /** Null: the tie has been read. */
  readonly tie: Tie | null;
  /** Records whose lookup failed. Absent: none. */
  readonly failed?: readonly FailedUnit[];
}

/** Page 1 has been read, and ended within the second. */
export const TIE_FOUND: Tie = { at: 'end', inside: 1, beyond: null };

const READINGS_MAX = 6;
const CREATED = 'created_at';
/** Ids asked for at once. */
const IDS_AT_ONCE = 8;
/** Ids beyond the gap that are asked for as well: creation times rise with the ids but for imports, and the gap moves as records enter. */
const IDS_MARGIN = 1000;

export async function* readTie(
  reader: ObjectReader,
  way: Keyset,
  view: View,
  second: string,
  from: Tie,
  fetchPage: (page: number) => Promise<ListPage>,
  creditClass: CreditClass | undefined,
): AsyncGenerator<TieStep> {
  const { object } = reader;
  const pagesMax = object.maxPages ?? Number.MAX_SAFE_INTEGER;
  const isOfSecond = (record: ListedRecord) => timeOf(reader, record, way.column) === seconds(second);
  const idOf = (record: ListedRecord) => Number(textOf(record.raw.get(object.primaryKey[0] as string)));
  const seen = new IdSet('seen' in from ? from.seen : null);
  let readableId: number | null = null;
  let tie: Tie | null = from;
  while (tie !== null) {
    const step: TieStep = await next(tie);
    tie = step.tie;
    yield step;
  }

  async function next(tie: Tie): Promise<TieStep> {
    switch (tie.at) {
      case 'end': {
        const page =
          tie.beyond === null ? Math.min(tie.inside * 2, pagesMax) : Math.floor((tie.inside + tie.beyond) / 2);
        const { records, hasNext, serverTime } = await fetchPage(page);
        const last = records.at(-1);
        const found =
          hasNext && last && isOfSecond(last)
            ? { ...tie, inside: page, trail: follow(tie.trail, records, object, page) }
            : { ...tie, beyond: page };
        return { records: [], serverTime, tie: afterProbe(found) };
      }
      case 'pages': {
        const { records, serverTime } = await fetchPage(tie.page);
        return { records, serverTime, tie: tie.page > 1 ? { ...tie, page: tie.page - 1 } : null };
      }
      case 'ids':
        return byIds(tie);
      default:
        return byCreation(tie);
    }
  }

  function afterProbe(found: TieEnd): Tie {
    if (found.inside < pagesMax) return found.beyond === found.inside + 1 ? { at: 'pages', page: found.beyond } : found;
    if (object.denseIds && object.single !== null) return START_BIG;
    throw new AppError(
      'source_contract',
      `More than ${pagesMax * object.pageSize} ${object.name} have changed at ${second}, and the list answers no page beyond ${pagesMax}.`,
    );
  }

  async function byCreation(tie: BigTie): Promise<TieStep> {
    const query = { ...view.query, [way.sinceParam]: second, order_by: CREATED, order_type: tie.at };
    const { records, hasNext, serverTime } = await reader.list(query, tie.page, { creditClass });
    const fresh = records.filter((record) => isOfSecond(record) && !seen.has(idOf(record)));
    for (const record of fresh) seen.add(idOf(record));
    const read: BigTie = {
      ...tie,
      unseen: tie.unseen + fresh.length,
      seen: fresh.length === 0 ? tie.seen : seen.toString(),
    };
    const { reached } = tie;
    const last = records.at(-1);
    const created = last && timeOf(reader, last, CREATED);
    const met = !hasNext || created === undefined || (reached !== null && created < seconds(reached.created));
    if (met) return { records, serverTime, tie: afterReading(read, null) };
    if (tie.page < pagesMax)
      return {
        records,
        serverTime,
        tie: { ...read, page: tie.page + 1, trail: follow(tie.trail, records, object, tie.page) },
      };
    // The pages end here: on from the other end, and if that does not meet this one either, id by id.
    const ids = records.map(idOf);
    if (reached === null) {
      const end = { created: wholeSeconds(new Date(created * 1000)), low: Math.min(...ids) };
      const { trail: _, ...rest } = read;
      return { records, serverTime, tie: { ...rest, at: 'desc', page: 1, reached: end } };
    }
    return { records, serverTime, tie: afterReading(read, [reached.low, Math.max(...ids)]) };
  }

  /** @param gap ids that neither end has reached; null: none. */
  function afterReading(tie: BigTie, gap: readonly [low: number, high: number] | null): Tie | null {
    if (tie.unseen === 0)
      return gap && { at: 'ids', next: Math.max(1, gap[0] - IDS_MARGIN), last: gap[1] + IDS_MARGIN, seen: tie.seen };
    if (tie.reading < READINGS_MAX) return { ...START_BIG, reading: tie.reading + 1, seen: tie.seen };
    throw new AppError(
      'source_unavailable',
      `The ${object.name} of ${second} kept changing while they were read; they are read again.`,
    );
  }

  async function byIds(tie: TieIds): Promise<TieStep> {
    const ids: number[] = [];
    let { next } = tie;
    for (; next <= tie.last && ids.length < IDS_AT_ONCE; next++) if (!seen.has(next)) ids.push(next);
    // Without a lookup that has succeeded, a failure may be an outage.
    const judge = new FailureJudge(async () => readableId !== null && (await isReadable(reader, String(readableId))));
    const failed: FailedUnit[] = [];
    const lookUp = async (id: number) => {
      try {
        const found = await reader.view(String(id), { creditClass });
        readableId = id;
        failed.push(...judge.succeeded());
        return found;
      } catch (error) {
        if (!isUnitError(error)) throw error;
        failed.push(...(await judge.failed(failedUnit(object.name, String(id), error), error)));
        return null;
      }
    };
    const answers = await Promise.all(ids.map(lookUp));
    failed.push(...(await judge.finished()));
    const records = answers.filter((r) => r !== null).filter((r) => isOfSecond(r) && viewOf(object, r) === view);
    const serverTime = answers.find((r) => r !== null)?.serverTime ?? reader.now();
    return { records, serverTime, tie: next > tie.last ? null : { ...tie, next }, failed };
  }
}

const START_BIG: BigTie = { at: 'asc', reading: 1, page: 1, reached: null, seen: null, unseen: 0 };
