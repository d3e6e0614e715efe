import type { ObjectRun, Run } from '@freshet/control-store';
import { typicalCredits } from '@freshet/freshdesk-extractor';

/** Before its end, nothing is reported as complete. */
const PROGRESS_MAX = 0.99;
const MINUTE_MS = 60_000;

export interface RunEstimate {
  /** From 0 to 1; null when nothing is known. */
  readonly progress: number | null;
  readonly estimatedFinishedAt: Date | null;
}

/** Share of an object run that is done, from 0 to 1; null when it is not known. */
export function objectProgress(o: ObjectRun): number | null {
  if (o.status === 'succeeded' || o.status === 'partial') return 1;
  if (o.mode !== 'replay' && o.mode !== 'rebuild') return o.progress;
  // Every record is extracted. Only loading remains.
  const loaded = o.records_inserted + o.records_updated + o.records_unchanged + o.records_rejected;
  return o.records_extracted === 0 ? null : Math.min(PROGRESS_MAX, loaded / o.records_extracted);
}

/**
 * The progress of a run, and its estimated end.
 *
 * Objects are weighted by the credits that they usually cost. The weights are the same during a whole run, so that its progress never decreases.
 */
export function estimateRun(run: Run, now: Date): RunEstimate {
  if (run.finished_at !== null)
    return {
      progress: run.status === 'succeeded' || run.status === 'partial' ? 1 : progressOf(run),
      estimatedFinishedAt: null,
    };
  return { progress: progressOf(run), estimatedFinishedAt: estimatedEnd(run, now) };
}

function progressOf({ objects }: Run): number | null {
  const shares = objects.map((o) => ({ weight: typicalCredits(o.object), share: hasEnded(o) ? 1 : objectProgress(o) }));
  if (shares.every(({ share }) => share === null)) return null;
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  const done = shares.reduce((sum, { weight, share }) => sum + weight * (share ?? 0), 0);
  return Math.min(PROGRESS_MAX, done / total);
}

/** No work is left of an object run that has ended by itself, however it ended. */
function hasEnded({ finished_at: finishedAt, status }: ObjectRun): boolean {
  return finishedAt !== null && status !== 'cancelled';
}

/** The end at which the remaining credits are spent. Each open object needs credits in proportion to those that it has used so far. */
function estimatedEnd({ objects, started_at: startedAt, credits_per_minute: limit }: Run, now: Date): Date | null {
  if (startedAt === null) return null;
  let left = 0;
  let isKnown = false;
  for (const o of objects) {
    const share = objectProgress(o);
    if (o.finished_at !== null || share === null || share === 0) continue;
    isKnown = true;
    left += (o.credits_used * (1 - share)) / share;
  }
  const spent = objects.reduce((sum, o) => sum + o.credits_used, 0);
  const observed = spent / Math.max(1 / 60, (now.getTime() - startedAt.getTime()) / MINUTE_MS);
  const rate = Math.min(observed, limit ?? Number.POSITIVE_INFINITY);
  return isKnown && rate > 0 ? new Date(now.getTime() + (left / rate) * MINUTE_MS) : null;
}
