import { formatUnits, parseUnits } from './minutes.ts';

/** Averages of minutes with four decimals. The results are rounded to four decimals. */

/** Returns the mean; null without values. */
export function toMean(minutes: readonly string[]): string | null {
  if (minutes.length === 0) return null;
  const sum = minutes.reduce((total, value) => total + parseUnits(value), 0);
  return formatUnits(divideRounded(sum, minutes.length));
}

/**
 * Returns a percentile, which is interpolated between the two nearest values. Null without values.
 * @param percent a multiple of 10.
 */
export function toPercentile(minutes: readonly string[], percent: number): string | null {
  if (minutes.length === 0) return null;
  const sorted = minutes.map(parseUnits).sort((a, b) => a - b);
  const tenths = (percent / 10) * (sorted.length - 1);
  const low = sorted[Math.floor(tenths / 10)] as number;
  const high = sorted[Math.ceil(tenths / 10)] as number;
  return formatUnits(divideRounded(low * 10 + (high - low) * (tenths % 10), 10));
}

/** Returns a share in percent with two decimals; null if the total is zero. */
export function toPercent(part: number, total: number): number | null {
  return total === 0 ? null : divideRounded(part * 10_000, total) / 100;
}

/** Divides numbers that are not negative, and rounds halves up. */
function divideRounded(dividend: number, divisor: number): number {
  return Math.floor((dividend * 2 + divisor) / (divisor * 2));
}
