import type { Run, Schemas } from '@freshet/client';
import { createLogUpdate } from 'log-update';

/** Maps each object to its parent object; null for an object without a parent. */
type Parents = ReadonlyMap<string, string | null>;

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
/**
 * Without a terminal, the progress of the run is printed when it reaches or passes a multiple of
 * this percentage.
 */
const PERCENT_STEP = 10;

/**
 * Shows the progress of a run. On a terminal, it redraws one progress bar for each object in
 * progress and one for the run. Without a terminal, it prints a line for each state change of an
 * object, and a line for the run when its progress reaches or passes a multiple of ten percent.
 */
export class RunProgress {
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

  show(run: Run): void {
    if (this.#out.isTTY) this.#redraw(this.#drawBars(run).join('\n'));
    else this.#printChanges(run);
  }

  /** Prints the finished run as a table. */
  printTable(run: Run): void {
    const rows = run.objects.map((o) => [
      o.object,
      o.status,
      formatNumber(o.records_extracted),
      formatNumber(o.records_loaded),
      formatNumber(o.records_unchanged),
      formatNumber(o.records_deleted),
      formatNumber(o.credits_used),
      o.error?.message ?? '',
    ]);
    const sum = (
      field: 'records_extracted' | 'records_loaded' | 'records_unchanged' | 'records_deleted' | 'credits_used',
    ) => formatNumber(sumField(run, field));
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
    const lines = formatTable([
      ['object', 'status', 'extracted', 'loaded', 'unchanged', 'deleted', 'credits', ''],
      ...rows,
      totals,
    ]);
    if (this.#out.isTTY) this.#redraw.clear();
    this.#out.write(`\n${lines.join('\n')}\n`);
  }

  #drawBars(run: Run): string[] {
    const open = run.objects.filter((o) => !FINAL_STATUSES.has(o.status));
    const active = open.filter((o) => o.status !== 'queued');
    const width = Math.max(3, ...run.objects.map((o) => o.object.length));
    const failed = run.objects.filter((o) => FINAL_STATUSES.has(o.status) && o.status !== 'succeeded');
    return [
      ...failed.map((o) => `${o.object.padEnd(width)}  ${o.status}: ${o.error?.message ?? ''}`),
      ...active.map(
        (o) =>
          `${o.object.padEnd(width)}  ${drawBar(o.progress)}  ${formatNumber(o.records_extracted).padStart(9)} extracted  ${this.#describe(o, run)}`,
      ),
      '',
      `${'run'.padEnd(width)}  ${drawBar(run.progress)}  ${formatNumber(sumField(run, 'records_extracted')).padStart(9)} extracted  ${formatNumber(sumField(run, 'credits_used'))} credits, ${formatTimeLeft(run)}`,
      `${' '.repeat(width)}  ${run.objects.length - open.length} of ${run.objects.length} objects done`,
    ];
  }

  #printChanges(run: Run): void {
    for (const o of run.objects) {
      const state = this.#describe(o, run).replace(/ \(\d+ s\)$/, '');
      const line = FINAL_STATUSES.has(o.status)
        ? `${o.status}: ${formatNumber(o.records_extracted)} extracted, ${formatNumber(o.records_loaded)} loaded, ${formatNumber(o.credits_used)} ${o.credits_used === 1 ? 'credit' : 'credits'}${state ? ` (${state})` : ''}`
        : state;
      if (this.#printed.get(o.object) === line) continue;
      this.#printed.set(o.object, line);
      this.#out.write(`  ${o.object.padEnd(24)} ${line}\n`);
    }
    const percent = Math.floor((100 * (run.progress ?? 0)) / PERCENT_STEP) * PERCENT_STEP;
    if (percent <= this.#percentPrinted || run.finished_at !== null) return;
    this.#percentPrinted = percent;
    this.#out.write(`  ${'run'.padEnd(24)} ${percent} %, ${formatTimeLeft(run)}\n`);
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
  { estimated_finished_at: end }: Pick<Run, 'estimated_finished_at'>,
  now = Date.now(),
): string {
  if (end === null) return 'time left unknown';
  const seconds = Math.max(1, Math.ceil((Date.parse(end) - now) / 1000));
  if (seconds < 60) return `about ${seconds} s left`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `about ${minutes} min left` : `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

const countProcessed = (o: Schemas['ObjectRun']): number => o.records_loaded + o.records_unchanged + o.records_rejected;
const formatNumber = (value: number): string => value.toLocaleString('en-US');

function sumField(
  run: Run,
  field: 'records_extracted' | 'records_loaded' | 'records_unchanged' | 'records_deleted' | 'credits_used',
): number {
  return run.objects.reduce((sum, o) => sum + o[field], 0);
}

/**
 * Pads the cells of each column to equal width. Text is aligned to the left, and numbers are
 * aligned to the right.
 */
function formatTable(rows: readonly (readonly string[])[]): string[] {
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
