/** A list that lost more than this share of its records, and more than `SHRINK_RECORDS` of them, is not believed. */
const SHRINK_SHARE = 0.2;
const SHRINK_RECORDS = 5;

/** Whether a complete reading lost so much that an outage, or a key with fewer rights, is likelier than deletions; an empty one always did. */
export function hasShrunk(before: number, now: number): boolean {
  const lost = before - now;
  return now === 0 ? lost > 0 : lost > SHRINK_RECORDS && lost > before * SHRINK_SHARE;
}
