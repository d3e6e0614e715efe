import type { ObjectRun, Run } from '@freshet/control-store';
import { estimateTypicalCredits } from '@freshet/freshdesk-extractor';

/** The maximum progress before completion. */
const PROGRESS_MAX = 0.99;
const MINUTE_MS = 60_000;

export interface RunEstimate {
  /** From 0 to 1. Null: there is no estimate. */
  readonly progress: number | null;
  /** Null: there is no estimate, or the run has finished. */
  readonly estimatedFinishedAt: Date | null;
}

/** Returns the completed share of an object run, from 0 to 1. Null: there is no estimate. */
export function getObjectProgress(o: ObjectRun): number | null {
  if (o.status === 'succeeded' || o.status === 'partial') return 1;
  if (o.mode !== 'replay' && o.mode !== 'rebuild') return o.progress;
  // All records have already been extracted, so the progress depends only on loading.
  const loaded = o.records_inserted + o.records_updated + o.records_unchanged + o.records_rejected;
  return o.records_extracted === 0 ? null : Math.min(PROGRESS_MAX, loaded / o.records_extracted);
}

/**
 * Estimates the progress and the end of a run.
 *
 * Objects are weighted by their usual credits. The weights do not change during a run, so its
 * progress never decreases.
 */
export function estimateRun(run: Run, now: Date): RunEstimate {
  if (run.finished_at !== null)
    return {
      progress: run.status === 'succeeded' || run.status === 'partial' ? 1 : getProgress(run),
      estimatedFinishedAt: null,
    };
  return { progress: getProgress(run), estimatedFinishedAt: estimateEnd(run, now) };
}

function getProgress({ objects }: Run): number | null {
  const shares = objects.map((o) => ({
    weight: estimateTypicalCredits(o.object),
    share: hasEnded(o) ? 1 : getObjectProgress(o),
  }));
  if (shares.every(({ share }) => share === null)) return null;
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  const done = shares.reduce((sum, { weight, share }) => sum + weight * (share ?? 0), 0);
  return Math.min(PROGRESS_MAX, done / total);
}

/**
 * Whether an object run counts as completely done, because it succeeded or failed. A cancelled
 * object run keeps its progress.
 */
function hasEnded({ finished_at: finishedAt, status }: ObjectRun): boolean {
  return finishedAt !== null && status !== 'cancelled';
}

/**
 * Estimates when the run will have used the credits that it still needs. The remaining credits of
 * an object run are extrapolated from its used credits and its progress.
 */
function estimateEnd({ objects, started_at: startedAt, credits_per_minute: limit }: Run, now: Date): Date | null {
  if (startedAt === null) return null;
  let remainingCredits = 0;
  let isKnown = false;
  for (const o of objects) {
    const share = getObjectProgress(o);
    if (o.finished_at !== null || share === null || share === 0) continue;
    isKnown = true;
    remainingCredits += (o.credits_used * (1 - share)) / share;
  }
  const usedCredits = objects.reduce((sum, o) => sum + o.credits_used, 0);
  const observedRate = usedCredits / Math.max(1 / 60, (now.getTime() - startedAt.getTime()) / MINUTE_MS);
  const rate = Math.min(observedRate, limit ?? Number.POSITIVE_INFINITY);
  return isKnown && rate > 0 ? new Date(now.getTime() + (remainingCredits / rate) * MINUTE_MS) : null;
}
