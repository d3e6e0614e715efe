import type { BucketReading } from './credit-operations.ts';

/**
 * Merges consecutive readings of the same bucket, because each reading takes several statements in
 * the database. Of two readings with the same limit, only the reading with more used credits
 * changes the state of the bucket. Readings that may begin a window, or that may show that the
 * bucket counts requests instead of credits, are not merged.
 */
export function mergeReadings(readings: readonly BucketReading[]): BucketReading[] {
  const merged: BucketReading[] = [];
  for (const reading of readings) {
    const previous = merged.at(-1);
    if (previous?.bucket !== reading.bucket || previous.total !== reading.total) merged.push(reading);
    else if (!isOrdinary(previous) || !isOrdinary(reading)) merged.push(reading);
    else if ((reading.remaining as number) < (previous.remaining as number)) merged[merged.length - 1] = reading;
  }
  return merged;
}

/** Whether more credits are used than by the request alone. See `freshet.reconcile_credits`. */
function isOrdinary({ total, remaining, used }: BucketReading): boolean {
  return total !== null && remaining !== null && total - remaining > Math.max(1, used ?? 1);
}
