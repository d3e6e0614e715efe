import { AppError } from '@freshet/contracts';
import type { ObjectSpec } from '../catalogue/define-object.ts';
import type { RecordSource } from '../http/client.ts';
import { UNIX_EPOCH } from '../lists/timestamps.ts';

/** Errors of a search that the API key or the plan does not permit. */
const UNAVAILABLE_CODES: ReadonlySet<string> = new Set([
  'source_forbidden',
  'source_not_in_plan',
  'source_not_found',
  'source_invalid_request',
]);

/**
 * Uses the account's search to count the records of an object that changed since a given day (UTC).
 * Costs one credit.
 * @param since the day. The time of day is ignored. Null: all records are counted.
 * @returns null if the object has no search, or the API key or the plan does not permit it.
 */
export async function countRecords(
  source: RecordSource,
  { searchPath }: ObjectSpec,
  since: Date | null,
): Promise<number | null> {
  if (searchPath === null) return null;
  const day = (since ?? new Date(UNIX_EPOCH)).toISOString().slice(0, 10);
  try {
    const { raw } = await source.get(searchPath, { query: `"updated_at:>'${day}'"` }, { credits: 1, bucket: null });
    const total = raw.get('total');
    return typeof total === 'number' ? total : null;
  } catch (error) {
    if (error instanceof AppError && UNAVAILABLE_CODES.has(error.code)) return null;
    throw error;
  }
}
