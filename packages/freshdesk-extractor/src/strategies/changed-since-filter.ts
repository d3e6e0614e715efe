import { AppError } from '@freshet/contracts';
import type { ChangedSinceStrategy, ListView } from '../catalogue/strategies.ts';
import type { CompletenessProof } from '../lists/stable-list.ts';
import { formatSeconds, UNIX_EPOCH } from '../lists/timestamps.ts';
import type { ObjectReader } from '../reader/object-reader.ts';

/**
 * A time in the future. No record has a later time, so a filter that works returns an empty list.
 */
const FUTURE = '2100-01-01T00:00:00Z';

/**
 * Finds the changed-since filter that an account supports. Sends one request for each candidate
 * until a candidate works.
 * @returns the name of the query parameter; '' if the account supports none.
 */
export async function findSinceParam(reader: ObjectReader, { sinceParams }: ChangedSinceStrategy): Promise<string> {
  for (const param of sinceParams) {
    try {
      const { records } = await reader.list({ [param]: FUTURE }, 1);
      if (records.length === 0) return param;
    } catch (error) {
      const isRejected = error instanceof AppError && error.code === 'source_invalid_request';
      if (!isRejected) throw error;
    }
  }
  return '';
}

/**
 * Builds the query for the records of a view that changed since a given time. A query for all
 * history has no filter.
 */
export function buildSinceQuery(view: ListView, param: string, since: string): Readonly<Record<string, string>> {
  return { ...view.query, ...(since === UNIX_EPOCH ? {} : { [param]: formatSeconds(new Date(since)) }) };
}

/**
 * Chooses the proof that a pass missed no record. The proof `chain` suffices for a filter that
 * returns edits, because this filter later returns the records that were edited during the pass.
 */
export function chooseProof({ lookbackDays }: ChangedSinceStrategy): CompletenessProof {
  return lookbackDays === 0 ? 'chain' : 'still';
}
