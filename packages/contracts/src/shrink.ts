/**
 * A list is rejected if it lost more than this share of its records, and also more than
 * `SHRINK_RECORDS` records.
 */
const SHRINK_SHARE = 0.2;
const SHRINK_RECORDS = 5;

/**
 * Whether a complete list lost so many records that an outage or an API key with fewer rights is
 * more likely than deletions (I7). A list that became empty always counts as shrunk.
 * @param before the number of records in the last complete list.
 * @param now the number of records in the new list.
 */
export function hasShrunk(before: number, now: number): boolean {
  const lost = before - now;
  return now === 0 ? lost > 0 : lost > SHRINK_RECORDS && lost > before * SHRINK_SHARE;
}
