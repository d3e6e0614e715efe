/**
 * A list that lost more than this share of its records, and more than `SHRINK_RECORDS` of them, is
 * rejected.
 */
const SHRINK_SHARE = 0.2;
const SHRINK_RECORDS = 5;

/**
 * Whether a complete list lost so many records that an outage or an API key with fewer rights is
 * more likely than deletions (I7). An empty list after a non-empty one always has.
 * @param before the number of records in the last complete list. @param now the number in this one.
 */
export function hasShrunk(before: number, now: number): boolean {
  const lost = before - now;
  return now === 0 ? lost > 0 : lost > SHRINK_RECORDS && lost > before * SHRINK_SHARE;
}
