/** Derives the state of a pipeline from its latest runs. */
import type { Schemas } from '../../api/client.ts';
import type { Tone } from '../../components/status.tsx';
import { formatCount, formatPercent } from '../../format/numbers.ts';

type Pipeline = Schemas['Pipeline'];
type Run = Schemas['Run'];

export interface PipelineState {
  readonly label: string;
  readonly tone: Tone;
  /** Whether the pipeline has a problem that a user must solve. */
  readonly needsAttention: boolean;
}

const PAUSED_BY: Readonly<Record<Schemas['PausedBy'], string>> = {
  user: 'Paused',
  record_spike: 'Paused: record spike',
  monthly_quota: 'Paused: quota reached',
};

/** The newest open run of a pipeline, and the result of its newest finished run. */
export interface RunState {
  readonly open: (Pick<Run, 'status' | 'kind' | 'progress'> & { readonly isFirst: boolean }) | null;
  /** The status of the newest finished run that was not cancelled. Null: there is none. */
  readonly lastStatus: Run['status'] | null;
}

/** Returns the state of the runs of one pipeline. @param runs the latest runs, the latest first. */
export function getRunState(runs: readonly Run[]): RunState {
  const open = runs.find((run) => run.finished_at === null);
  const last = runs.find((run) => run.finished_at !== null && run.status !== 'cancelled');
  return {
    open: open === undefined ? null : { ...open, isFirst: isFirstSync(open, runs) },
    lastStatus: last?.status ?? null,
  };
}

export function getPipelineState(
  pipeline: Pick<Pipeline, 'status' | 'paused_by'>,
  { open, lastStatus }: RunState,
): PipelineState {
  if (pipeline.status === 'paused') {
    const isByUser = pipeline.paused_by === null || pipeline.paused_by === 'user';
    return {
      label: PAUSED_BY[pipeline.paused_by ?? 'user'],
      tone: isByUser ? 'neutral' : 'attention',
      needsAttention: !isByUser,
    };
  }
  if (open) return { label: describeOpenRun(open), tone: 'running', needsAttention: false };
  switch (lastStatus) {
    case null:
      return { label: 'Waiting for the first run', tone: 'neutral', needsAttention: false };
    case 'failed':
      return { label: 'Failed', tone: 'failed', needsAttention: true };
    case 'partial':
      return { label: 'Partial', tone: 'attention', needsAttention: true };
    default:
      return { label: 'Healthy', tone: 'good', needsAttention: false };
  }
}

function describeOpenRun({ status, kind, progress, isFirst }: NonNullable<RunState['open']>): string {
  if (status === 'queued') return 'Queued';
  const name = isFirst ? 'First sync' : kind === 'audit' ? 'Auditing' : 'Syncing';
  return progress === null ? name : `${name} ${formatPercent(progress)}`;
}

/** Whether a run is the first sync of its pipeline. */
export function isFirstSync(run: Run, runs: readonly Run[]): boolean {
  return run.kind === 'sync' && (run.trigger === 'created' || !runs.some((other) => isEarlierSync(other, run)));
}

function isEarlierSync(other: Run, run: Run): boolean {
  return (
    other.id !== run.id &&
    other.kind === 'sync' &&
    other.created_at < run.created_at &&
    (other.status === 'succeeded' || other.status === 'partial')
  );
}

/**
 * Returns the time up to which every table of the pipeline is complete: that of the least fresh
 * table. Null: no run has finished.
 */
export function getFreshAsOf(runs: readonly Run[]): string | null {
  for (const run of runs) {
    if (run.kind !== 'sync' || run.finished_at === null) continue;
    const times = run.objects.flatMap((object) => object.complete_as_of ?? []).sort();
    if (times[0] !== undefined) return times[0];
  }
  return null;
}

/** Counts the objects of a run by their result. */
export function summarizeRun(run: Run): RunResult {
  const count = (status: string) => run.objects.filter((object) => object.status === status).length;
  return {
    status: run.status,
    objects: run.objects.length,
    failed_objects: count('failed'),
    partial_objects: count('partial'),
  };
}

type RunResult = Pick<Schemas['RunSummary'], 'status' | 'objects' | 'failed_objects' | 'partial_objects'>;

/** Describes the result of a run in a few words: "1 of 26 objects failed". */
export function describeResult({
  status,
  objects,
  failed_objects: failed,
  partial_objects: partial,
}: RunResult): string {
  if (failed > 0) return `${failed} of ${formatCount(objects, 'object')} failed`;
  if (partial > 0) return `${partial} of ${formatCount(objects, 'object')} incomplete`;
  switch (status) {
    case 'running':
      return 'Running';
    case 'queued':
      return 'Queued';
    case 'cancelled':
      return 'Cancelled';
    default:
      return 'Succeeded';
  }
}

/** Describes the schedule of a pipeline: "every 6 hours" or "15 6 * * 1-5 (Europe/Berlin)". */
export function describeSchedule({
  schedule,
  frequency_minutes: minutes,
}: Pick<Pipeline, 'schedule' | 'frequency_minutes'>): string {
  if (schedule !== null) return `${schedule.cron} (${schedule.time_zone})`;
  if (minutes === 60) return 'every hour';
  return minutes % 60 === 0 ? `every ${minutes / 60} hours` : `every ${minutes} minutes`;
}
