import { createLogUpdate } from 'log-update';
import type { ObjectRunAnswer, RunAnswer } from './api-client.ts';

/** Object → its parent object; null for an object without one. */
export type Parents = ReadonlyMap<string, string | null>;

const ENDED = new Set(['succeeded', 'partial', 'failed', 'cancelled', 'forbidden', 'not_in_plan', 'skipped']);
const BAR_WIDTH = 24;
/** Without a terminal, the run's progress is printed once for each of these shares. */
const PERCENT_STEP = 10;

/**
 * Shows a run while it is under way. On a terminal: a progress bar for each object that is under way and one for the run, redrawn in place.
 * Elsewhere: a line for each change of an object's state and for each ten percent of the run.
 */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #parents: Parents;
  readonly #redraw: ReturnType<typeof createLogUpdate>;
  readonly #printed = new Map<string, string>();
  #percentPrinted = 0;

  constructor(out: NodeJS.WriteStream, parents: Parents) {
    this.#out = out;
    this.#parents = parents;
    this.#redraw = createLogUpdate(out);
  }

  show(run: RunAnswer): void {
    if (this.#out.isTTY) this.#redraw(this.#bars(run).join('\n'));
    else this.#print(run);
  }

  /** Prints the final state as a table. */
  summary(run: RunAnswer): void {
    const rows = run.objects.map((o) => [
      o.object,
      o.status,
      number(o.records_extracted),
      number(o.records_loaded),
      number(o.records_unchanged),
      number(o.records_deleted),
      number(o.credits_used),
      o.error?.message ?? '',
    ]);
    const sum = (
      field: 'records_extracted' | 'records_loaded' | 'records_unchanged' | 'records_deleted' | 'credits_used',
    ) => number(total(run, field));
    const seconds =
      ((run.finished_at === null ? Date.now() : Date.parse(run.finished_at)) - Date.parse(run.created_at)) / 1000;
    const totals = [
      '',
      run.status,
      sum('records_extracted'),
      sum('records_loaded'),
      sum('records_unchanged'),
      sum('records_deleted'),
      sum('credits_used'),
      `${seconds.toFixed(1)} s`,
    ];
    const lines = table([
      ['object', 'status', 'read', 'new or changed', 'unchanged', 'deleted', 'credits', ''],
      ...rows,
      totals,
    ]);
    if (this.#out.isTTY) this.#redraw.clear();
    this.#out.write(`\n${lines.join('\n')}\n`);
  }

  #bars(run: RunAnswer): string[] {
    const open = run.objects.filter((o) => !ENDED.has(o.status));
    const underWay = open.filter((o) => o.status !== 'queued');
    const width = Math.max(3, ...run.objects.map((o) => o.object.length));
    const failed = run.objects.filter((o) => ENDED.has(o.status) && o.status !== 'succeeded');
    return [
      ...failed.map((o) => `${o.object.padEnd(width)}  ${o.status}: ${o.error?.message ?? ''}`),
      ...underWay.map(
        (o) =>
          `${o.object.padEnd(width)}  ${bar(o.progress)}  ${number(o.records_extracted).padStart(9)} read  ${this.#state(o, run)}`,
      ),
      '',
      `${'run'.padEnd(width)}  ${bar(run.progress)}  ${number(total(run, 'records_extracted')).padStart(9)} read  ${number(total(run, 'credits_used'))} credits, ${timeLeft(run)}`,
      `${' '.repeat(width)}  ${run.objects.length - open.length} of ${run.objects.length} objects done`,
    ];
  }

  #print(run: RunAnswer): void {
    for (const o of run.objects) {
      const state = this.#state(o, run).replace(/ \(\d+ s\)$/, '');
      const line = ENDED.has(o.status)
        ? `${o.status}: ${number(o.records_extracted)} read, ${number(loaded(o))} in the warehouse, ${number(o.credits_used)} ${o.credits_used === 1 ? 'credit' : 'credits'}${state ? ` (${state})` : ''}`
        : state;
      if (this.#printed.get(o.object) === line) continue;
      this.#printed.set(o.object, line);
      this.#out.write(`  ${o.object.padEnd(24)} ${line}\n`);
    }
    const percent = Math.floor((100 * (run.progress ?? 0)) / PERCENT_STEP) * PERCENT_STEP;
    if (percent <= this.#percentPrinted || run.finished_at !== null) return;
    this.#percentPrinted = percent;
    this.#out.write(`  ${'run'.padEnd(24)} ${percent} %, ${timeLeft(run)}\n`);
  }

  /** What an object run does or waits for; why it ended, when it did not succeed. */
  #state(o: ObjectRunAnswer, run: RunAnswer): string {
    if (ENDED.has(o.status)) return o.error?.message ?? '';
    if (o.status === 'waiting_for_credits') {
      const seconds =
        o.not_before === null ? null : Math.max(0, Math.ceil((Date.parse(o.not_before) - Date.now()) / 1000));
      return `waiting for credits${seconds === null ? '' : ` (${seconds} s)`}`;
    }
    if (o.error !== null) return `retrying: ${o.error.message}`;
    const parent = this.#parents.get(o.object) ?? null;
    const parentRun = run.objects.find((other) => other.object === parent);
    if (parentRun && !ENDED.has(parentRun.status) && o.records_extracted === 0) return `waiting for ${parent}`;
    if (o.records_extracted > loaded(o)) return 'loading';
    return o.status === 'queued' ? 'queued' : 'reading';
  }
}

/** A bar of fixed width with its percentage; an empty one when the share is not known. */
export function bar(share: number | null): string {
  const filled = Math.floor((share ?? 0) * BAR_WIDTH);
  const percent = share === null ? '' : `${Math.floor(share * 100)} %`;
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${percent.padStart(5)}`;
}

/** The time until the estimated end, rounded up, in words. */
export function timeLeft(
  { estimated_finished_at: end }: Pick<RunAnswer, 'estimated_finished_at'>,
  now = Date.now(),
): string {
  if (end === null) return 'time left unknown';
  const seconds = Math.max(1, Math.ceil((Date.parse(end) - now) / 1000));
  if (seconds < 60) return `about ${seconds} s left`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `about ${minutes} min left` : `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

const loaded = (o: ObjectRunAnswer): number => o.records_loaded + o.records_unchanged + o.records_rejected;
const number = (value: number): string => value.toLocaleString('en-US');

function total(
  run: RunAnswer,
  field: 'records_extracted' | 'records_loaded' | 'records_unchanged' | 'records_deleted' | 'credits_used',
): number {
  return run.objects.reduce((sum, o) => sum + o[field], 0);
}

/** Columns padded to equal width: words to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] as readonly string[]).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) =>
        i < 2 || i === row.length - 1 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
      )
      .join('  ')
      .trimEnd(),
  );
}
