import type { LoadRequest } from './request.ts';

/**
 * When a row was read, as SQL, for comparisons with later readings. A time in the future came from a clock that was wrong: such a row
 * counts as older than any reading, because the next one could neither update it nor mark it as deleted until that time has come.
 * @param alias of the table.
 */
export function readingTime(alias: string, { prepared }: LoadRequest): string {
  const newest = new Date(
    Math.max(0, ...prepared.batches.map(({ extractedAt }) => extractedAt.getTime())),
  ).toISOString();
  const column = `${alias}._freshet_extracted_at`;
  return `(case when ${column} > greatest(now(), timestamptz '${newest}') + interval '5 minutes' then timestamptz '-infinity' else ${column} end)`;
}
