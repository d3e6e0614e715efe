/** Describes the progress of a run and of its objects. */
import type { Schemas } from '../../api/client.ts';
import type { Tone } from '../../components/status.tsx';
import { formatDuration } from '../../format/numbers.ts';

type Run = Schemas['Run'];
type ObjectRun = Schemas['ObjectRun'];

/**
 * Whether the object has no effect on the status of the run, because no API key has ever been able
 * to read it.
 */
export function isIgnored(object: Pick<ObjectRun, 'warnings'>): boolean {
  return object.warnings.some(({ code }) => code === 'object_unavailable');
}

export function isOpen({ status }: Pick<ObjectRun, 'status'>): boolean {
  return status === 'queued' || status === 'running' || status === 'waiting_for_credits';
}

/** Whether an object run has changed something, is under way, or needs attention. */
export function isNotable(object: ObjectRun): boolean {
  return (
    isOpen(object) ||
    (object.status !== 'succeeded' && !isIgnored(object)) ||
    object.records_loaded + object.records_deleted + object.records_rejected + object.failed_units > 0
  );
}

const NO_BREAK_SPACE = '\u00a0';

/** Describes what an object run is doing, or what it waits for. */
export function describeWork(object: ObjectRun, run: Run, parents: ReadonlyMap<string, string>, now: number): string {
  const waitSeconds = object.not_before === null ? 0 : (Date.parse(object.not_before) - now) / 1000;
  const remaining = waitSeconds > 1 ? `, ${formatDuration(waitSeconds).replaceAll(' ', NO_BREAK_SPACE)}` : '';
  switch (object.status) {
    case 'waiting_for_credits':
      return `Waiting for credits${remaining}`;
    case 'queued': {
      const parent = parents.get(object.object);
      const isParentOpen = run.objects.some((o) => o.object === parent && isOpen(o));
      return parent !== undefined && isParentOpen ? `Waiting for ${parent}` : 'Waiting for a worker';
    }
    case 'running':
      if (object.error !== null) return `Waiting for ${getCounterpart(object.error.code)}${remaining}`;
      if (waitSeconds > 1) return `Waiting to retry${remaining}`;
      if (object.records_extracted > object.records_loaded + object.records_unchanged + object.records_rejected)
        return object.finished_at === null && object.progress !== null && object.progress >= 0.99
          ? 'Loading into the warehouse'
          : 'Reading and loading';
      return object.records_extracted === 0 ? 'Starting' : 'Reading';
    case 'succeeded':
      return 'Complete';
    case 'partial':
      return 'Incomplete';
    case 'forbidden':
      return 'Not permitted';
    case 'not_in_plan':
      return 'Not in your plan';
    default:
      return object.status.charAt(0).toUpperCase() + object.status.slice(1);
  }
}

export function getObjectTone(object: ObjectRun): Tone {
  if (isIgnored(object)) return 'neutral';
  switch (object.status) {
    case 'succeeded':
      return 'good';
    case 'failed':
      return 'failed';
    case 'partial':
    case 'forbidden':
    case 'not_in_plan':
      return 'attention';
    case 'running':
    case 'waiting_for_credits':
      return 'running';
    default:
      return 'neutral';
  }
}

const ATTENTION: readonly ObjectRun['status'][] = ['failed', 'partial', 'running', 'waiting_for_credits', 'queued'];

/** Sorts objects so that those that need attention or are under way come first. */
export function sortObjects(objects: readonly ObjectRun[]): ObjectRun[] {
  const rank = (object: ObjectRun) => {
    const index = isIgnored(object) ? -1 : ATTENTION.indexOf(object.status);
    return index === -1 ? ATTENTION.length : index;
  };
  return objects.toSorted(
    (a, b) => rank(a) - rank(b) || b.records_extracted - a.records_extracted || a.object.localeCompare(b.object),
  );
}

export interface RunTotals {
  readonly extracted: number;
  readonly loaded: number;
  readonly unchanged: number;
  readonly deleted: number;
  readonly rejected: number;
  readonly credits: number;
}

export function sumObjects(objects: readonly ObjectRun[]): RunTotals {
  const sum = (get: (object: ObjectRun) => number) => objects.reduce((total, object) => total + get(object), 0);
  return {
    extracted: sum((o) => o.records_extracted),
    loaded: sum((o) => o.records_loaded),
    unchanged: sum((o) => o.records_unchanged),
    deleted: sum((o) => o.records_deleted),
    rejected: sum((o) => o.records_rejected),
    credits: sum((o) => o.credits_used),
  };
}

/** Estimates the credits per minute of an open run. Null: too little time has passed. */
export function getCreditRate(run: Run, now: number): number | null {
  if (run.started_at === null) return null;
  const minutes = (now - Date.parse(run.started_at)) / 60_000;
  return minutes < 0.5 ? null : Math.round(sumObjects(run.objects).credits / minutes);
}

/** The median duration of finished runs of the same kind, in seconds. Null: there are none. */
export function getUsualDuration(run: Run, runs: readonly Run[]): number | null {
  const durations = runs
    .filter(({ id, kind, trigger }) => id !== run.id && kind === run.kind && trigger !== 'created')
    .flatMap(({ started_at, finished_at }) =>
      started_at === null || finished_at === null ? [] : (Date.parse(finished_at) - Date.parse(started_at)) / 1000,
    )
    .sort((a, b) => a - b);
  return durations[Math.floor(durations.length / 2)] ?? null;
}

/** What to do about an error of an object run, by its code. */
const REMEDIES: Readonly<Record<string, string>> = {
  source_auth: 'Replace the API key under Credentials, and run again.',
  source_unavailable: 'Freshdesk did not respond. Freshet retries automatically.',
  warehouse_unavailable: 'Check that the warehouse is running and reachable. Loading then resumes automatically.',
  warehouse_auth: 'Correct the user or the password of the destination. Loading then resumes automatically.',
  warehouse_permission: 'Test the destination: the result contains the missing GRANT statements.',
  warehouse_busy: 'Freshet retries automatically. If the error persists, end the session that holds the lock.',
};

export function getRemedy(code: string): string | null {
  return REMEDIES[code] ?? null;
}

/** The system that an object run with an error waits for. */
export function getCounterpart(code: string): string {
  return code.startsWith('warehouse_') ? 'the warehouse' : 'Freshdesk';
}
