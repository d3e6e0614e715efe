import type { LoadRequest } from './request.ts';

/**
 * Builds the SQL expression for a row's time of extraction, for comparisons with other times of
 * extraction. A time in the future is the result of a wrong clock. The expression treats a row with
 * such a time as older than all other rows. Otherwise, the row could be neither updated nor marked
 * as deleted until that time.
 * @param alias the alias of the table.
 */
export function buildExtractedAtExpression(alias: string, { prepared }: LoadRequest): string {
  const newest = new Date(
    Math.max(0, ...prepared.batches.map(({ extractedAt }) => extractedAt.getTime())),
  ).toISOString();
  const column = `${alias}._freshet_extracted_at`;
  const isFuture = `${column} > greatest(now(), timestamptz '${newest}') + interval '5 minutes'`;
  return `(case when ${isFuture} then timestamptz '-infinity' else ${column} end)`;
}
