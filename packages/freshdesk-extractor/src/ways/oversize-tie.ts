import { AppError, type CreditClass } from '@freshet/contracts';
import type { Keyset, View } from '../catalogue/define.ts';
import type { ListedRecord } from '../client.ts';
import { keyTexts } from '../pages.ts';
import type { ObjectReader } from '../reader.ts';

/**
 * Reads a second with more records than the list has pages for (a bulk update of tens of thousands).
 *
 * Ordered by creation, the records that changed since that second are reached from both ends: twice as many as the list
 * has pages for. Creation times never change, but records leave (to the trash) and enter (by changing) while they are
 * read, so all of it is read until one reading brings no record of the second that was not seen before. What leaves
 * the second is read later, at its new version. Memory: the ids of the second, which the two ends bound.
 */
const READINGS_MAX = 5;
const CREATED = 'created_at';

export async function* readOversizeTie(
  reader: ObjectReader,
  way: Keyset,
  view: View,
  second: string,
  creditClass: CreditClass | undefined,
): AsyncGenerator<{ readonly records: readonly ListedRecord[]; readonly serverTime: Date }> {
  const { object } = reader;
  const pagesMax = object.maxPages ?? Number.MAX_SAFE_INTEGER;
  const isOfSecond = (record: ListedRecord) => Math.floor(Date.parse(String(record.fields[way.column])) / 1000) === Math.floor(Date.parse(second) / 1000);
  const seen = new Set<string>();
  for (let reading = 1; reading <= READINGS_MAX; reading++) {
    let unseen = 0;
    const fromTheStart = new Set<string>();
    let met = false;
    for (const direction of ['asc', 'desc'] as const) {
      for (let n = 1; n <= pagesMax && !(direction === 'desc' && met); n++) {
        const query = { ...view.query, [way.sinceParam]: second, order_by: CREATED, order_type: direction };
        const { records, hasNext, serverTime } = await reader.list(query, n, { creditClass });
        for (const record of records) {
          const key = JSON.stringify(keyTexts(record, object.primaryKey));
          if (direction === 'asc') fromTheStart.add(key);
          if (!isOfSecond(record) || seen.has(key)) continue;
          seen.add(key);
          unseen++;
        }
        yield { records, serverTime };
        // The two ends have met when a whole page of one was on the other's side already.
        met =
          met ||
          !hasNext ||
          (direction === 'desc' && records.length > 0 && records.every((r) => fromTheStart.has(JSON.stringify(keyTexts(r, object.primaryKey)))));
        if (!hasNext) break;
      }
      if (direction === 'asc' && met) break;
    }
    if (!met) {
      throw new AppError(
        'source_contract',
        `More than ${2 * pagesMax * object.pageSize} ${object.name} have changed since ${second}, and the list answers no page beyond ${pagesMax} from either end.`,
      );
    }
    if (unseen === 0) return;
  }
  throw new AppError('source_unavailable', `The ${object.name} of ${second} kept changing while they were read; they are read again.`);
}
