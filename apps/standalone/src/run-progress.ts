import type { Run, Schemas } from '@freshet/client';
import { formatNumber, sumField } from './run-numbers.ts';

/** Maps each object to its parent object; null for an object without a parent. */
export type Parents = ReadonlyMap<string, string | null>;

const FINAL_STATUSES: ReadonlySet<string> = new Set([
  'succeeded',
  'partial',
  'failed',
  'cancelled',
  'forbidden',
  'not_in_plan',
  'skipped',
]);
const BAR_WIDTH = 24;
const NAME_WIDTH = 24;
/** The maximum number of objects that are drawn at the same time. */
const OBJECTS_MAX = 6;
/**
 * Below this progress, the estimated end of a run is not shown, because it would change too much.
 */
const PROGRESS_MIN = 0.05;
/**
 * Without a terminal, the progress of the run is printed when it reaches or passes a multiple of
 * this percentage.
 */
const PERCENT_STEP = 10;

/** Describes the progress of a run, for a terminal as a drawing and otherwise as lines of a log. */
export class RunProgress {
  readonly #parents: Parents;
  readonly #printed = new Map<string, string>();
  #percentPrinted = 0;

  constructor(parents: Parents) {
    this.#parents = parents;
  }

  /**
   * Draws a bar for the run, the objects that did not succeed, and a bar for each object in
   * progress. Objects that wait are drawn only if there is room.
   * @param columns the width of the terminal. Longer lines are truncated.
   */
  draw(run: Run, columns: number): string[] {
    const finished = run.objects.filter((o) => FINAL_STATUSES.has(o.status));
    const failed = finished.filter((o) => o.status !== 'succeeded');
    // Objects with a known progress are the long ones.
    const getRank = (o: Schemas['ObjectRun']) =>
      this.#describe(o, run).startsWith('waiting') ? 2 : o.progress === null ? 1 : 0;
    const inProgress = run.objects
      .filter((o) => !FINAL_STATUSES.has(o.status) && o.status !== 'queued')
      .toSorted((a, b) => getRank(a) - getRank(b));
    const hidden = inProgress.length - OBJECTS_MAX;
    const totals = `${formatNumber(sumField(run, 'records_extracted'))} records, ${formatNumber(sumField(run, 'credits_used'))} credits`;
    const lines = [
      `${'All objects'.padEnd(NAME_WIDTH)} ${drawBar(run.progress)}  ${formatTimeLeft(run)}`,
      `${''.padEnd(NAME_WIDTH)} ${finished.length} of ${run.objects.length} objects, ${totals}`,
      ...failed.map((o) => `${o.object.padEnd(NAME_WIDTH)} ${o.status}: ${o.error?.message ?? ''}`),
      ...inProgress.slice(0, OBJECTS_MAX).map((o) => {
        const records = `${formatNumber(o.records_extracted).padStart(9)} records`;
        return `${o.object.padEnd(NAME_WIDTH)} ${drawBar(o.progress)} ${records}  ${this.#describe(o, run)}`;
      }),
      ...(hidden > 0 ? [`${''.padEnd(NAME_WIDTH)} and ${hidden} more in progress`] : []),
    ];
    return lines.map((line) => `  ${line}`.slice(0, columns));
  }

  /**
   * Lists what has changed since the last call: a line for each state change of an object, and a
   * line for the run when its progress reaches or passes a multiple of ten percent.
   */
  listChanges(run: Run): string[] {
    const lines: string[] = [];
    for (const o of run.objects.filter(({ status }) => status !== 'queued')) {
      const state = this.#describe(o, run).replace(/ \(\d+ s\)$/, '');
      const line = FINAL_STATUSES.has(o.status)
        ? `${o.status}: ${formatNumber(o.records_extracted)} extracted, ${formatNumber(o.records_loaded)} loaded, ${formatNumber(o.credits_used)} ${o.credits_used === 1 ? 'credit' : 'credits'}${state ? ` (${state})` : ''}`
        : state;
      if (this.#printed.get(o.object) === line) continue;
      this.#printed.set(o.object, line);
      lines.push(`  ${o.object.padEnd(NAME_WIDTH)} ${line}`);
    }
    const percent = Math.floor((100 * (run.progress ?? 0)) / PERCENT_STEP) * PERCENT_STEP;
    if (percent > this.#percentPrinted && run.finished_at === null) {
      this.#percentPrinted = percent;
      lines.push(`  ${'run'.padEnd(NAME_WIDTH)} ${percent} %, ${formatTimeLeft(run)}`);
    }
    return lines;
  }

  /**
   * Returns the current activity of an object run, or the reason why the object run did not
   * succeed.
   */
  #describe(o: Schemas['ObjectRun'], run: Run): string {
    if (FINAL_STATUSES.has(o.status)) return o.error?.message ?? '';
    if (o.status === 'waiting_for_credits') {
      const seconds =
        o.not_before === null ? null : Math.max(0, Math.ceil((Date.parse(o.not_before) - Date.now()) / 1000));
      return `waiting for credits${seconds === null ? '' : ` (${seconds} s)`}`;
    }
    if (o.error !== null) return `retrying: ${o.error.message}`;
    const parent = this.#parents.get(o.object) ?? null;
    const parentRun = run.objects.find((other) => other.object === parent);
    if (parentRun && !FINAL_STATUSES.has(parentRun.status) && o.records_extracted === 0) return `waiting for ${parent}`;
    if (o.records_extracted > countProcessed(o)) return 'loading';
    return o.status === 'queued' ? 'queued' : 'extracting';
  }
}

/**
 * Returns a bar of fixed width, followed by the percentage. The bar is empty when the progress is
 * unknown.
 * @param share from 0 to 1.
 */
export function drawBar(share: number | null): string {
  const filled = Math.floor((share ?? 0) * BAR_WIDTH);
  const percent = share === null ? '' : `${Math.floor(share * 100)} %`;
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${percent.padStart(5)}`;
}

/** Returns the time until the estimated end, rounded up, such as "about 2 min left". */
export function formatTimeLeft(
  { estimated_finished_at: end, progress }: Pick<Run, 'estimated_finished_at' | 'progress'>,
  now = Date.now(),
): string {
  if (end === null || (progress ?? 0) < PROGRESS_MIN) return 'time left unknown';
  const seconds = Math.max(1, Math.ceil((Date.parse(end) - now) / 1000));
  if (seconds < 60) return `about ${seconds} s left`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `about ${minutes} min left` : `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

const countProcessed = (o: Schemas['ObjectRun']): number => o.records_loaded + o.records_unchanged + o.records_rejected;
