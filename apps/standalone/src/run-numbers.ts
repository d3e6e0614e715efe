import type { Run } from '@freshet/client';

/** The counters of an object run. */
type Counter = 'records_extracted' | 'records_loaded' | 'records_unchanged' | 'records_deleted' | 'credits_used';

/** Returns a number with thousands separators, such as `8,806`. */
export const formatNumber = (value: number): string => value.toLocaleString('en-US');

/** Returns the sum of a counter over all objects of a run. */
export function sumField(run: Run, counter: Counter): number {
  return run.objects.reduce((sum, o) => sum + o[counter], 0);
}

/** Returns the duration of a run in seconds. For a run in progress, the time since its creation. */
export function getDurationSeconds({ created_at, finished_at }: Run): number {
  return ((finished_at === null ? Date.now() : Date.parse(finished_at)) - Date.parse(created_at)) / 1000;
}
