/** Totals of the estimate for the selected objects. The API estimates all readable objects once. */
import type { Schemas } from '../../api/client.ts';

export interface Totals {
  readonly records: number;
  readonly credits: number;
  readonly unchangedCredits: number;
}

export function sumEstimates(objects: readonly Schemas['ObjectEstimate'][], selected: readonly string[]): Totals {
  const totals = { records: 0, credits: 0, unchangedCredits: 0 };
  for (const { object, records, credits, unchanged_credits } of objects) {
    if (!selected.includes(object)) continue;
    totals.records += records;
    totals.credits += credits;
    totals.unchangedCredits += unchanged_credits;
  }
  return totals;
}

/** The requests that one account can answer in a minute, even if its rate limit is higher. */
const REQUESTS_PER_MINUTE_MAX = 600;

/**
 * Estimates the minutes for a number of credits. The credits of a minute can be used at its start,
 * so the last minute takes only as long as its requests.
 * @param creditsPerMinute the rate limit of the account. Null: it has no limit.
 */
export function estimateMinutes(credits: number, creditsPerMinute: number | null, sharePercent: number): number {
  if (creditsPerMinute === null) return credits / REQUESTS_PER_MINUTE_MAX;
  const allowance = Math.max(1, Math.floor((creditsPerMinute * sharePercent) / 100));
  const fullMinutes = Math.max(0, Math.ceil(credits / allowance) - 1);
  return fullMinutes + Math.min(1, (credits - fullMinutes * allowance) / REQUESTS_PER_MINUTE_MAX);
}

/** Returns the credits per minute of the account. Null: unknown or unlimited. */
export function getAccountLimit(limits: readonly Schemas['AccountLimit'][]): number | null {
  return limits.find(({ bucket }) => bucket === 'account')?.credits_per_minute ?? null;
}
