import type { Run, Schemas } from '@freshet/client';
import { formatNumber, getDurationSeconds, sumField } from './run-numbers.ts';

/** The result of the first run. */
export interface RunSummary {
  readonly run: Run;
  readonly warehouseUrl: string;
  readonly schema: string;
  /** The schema of the analytics models. Null: there are no models. */
  readonly modelsSchema: string | null;
}

/** Returns the result for programs: one line of JSON. */
export function toJsonLine({ run, warehouseUrl, schema }: Omit<RunSummary, 'modelsSchema'>): string {
  return JSON.stringify({ run, warehouse_url: warehouseUrl, schema });
}

/** A one-time link that signs in to the console. */
export interface ConsoleLink {
  readonly url: string;
  /** The command that prints a new link. */
  readonly command: string;
}

/** Returns the lines about the console. */
export function toConsoleEntry({ url, command }: ConsoleLink): string {
  const entries = [
    ['Console', url],
    ['', `The link signs you in once, within 10 minutes. To get a new link, run: ${command}`],
  ];
  return entries.map(([name = '', text = '']) => formatEntry(name, text)).join('\n');
}

/**
 * Returns the result for readers: where the data is, what was loaded, the objects that need
 * attention, and a table of all objects.
 * @param consoleLink null: the deployment has stopped.
 */
export function toSummary(
  { run, warehouseUrl, schema, modelsSchema }: RunSummary,
  consoleLink: ConsoleLink | null,
): string {
  const { objects } = run;
  const unavailable = objects.filter(isUnavailable).map(({ object }) => object);
  const failed = objects.filter((o) => o.status !== 'succeeded' && o.status !== 'skipped' && !isUnavailable(o));
  const rejected = objects.reduce((sum, o) => sum + o.records_rejected, 0);
  const succeeded = objects.filter(({ status }) => status === 'succeeded').length;
  const lines = [
    ['Warehouse', `psql '${warehouseUrl}'`],
    ['Schema', schema],
    ...(modelsSchema === null ? [] : [['Analytics', `select * from ${modelsSchema}.daily_summary;`]]),
    [
      'Loaded',
      `${formatNumber(sumField(run, 'records_loaded'))} records in ${getDurationSeconds(run).toFixed(1)} s with ${formatNumber(sumField(run, 'credits_used'))} credits`,
    ],
    ['Run', `${run.status}: ${succeeded} of ${objects.length} objects succeeded`],
    ...failed.map((o) => ['', `${o.object} ${o.status}${o.error === null ? '' : `: ${o.error.message}`}`]),
    ...(unavailable.length > 0 ? [['', `The API key cannot access: ${unavailable.join(', ')}.`]] : []),
    ...(rejected > 0 ? [['', `Rejected records: ${formatNumber(rejected)}.`]] : []),
  ];
  const entries = [
    ...(consoleLink === null ? [] : [toConsoleEntry(consoleLink)]),
    ...lines.map(([name = '', text = '']) => formatEntry(name, text)),
  ];
  return `\n${entries.join('\n')}\n\n${toTable(run).join('\n')}`;
}

/** Returns a line of the summary: a name, and its value. */
export function formatEntry(name: string, value: string): string {
  return `  ${name.padEnd(14)} ${value}`;
}

/** Returns a table with a line for each object, and the totals. */
function toTable(run: Run): string[] {
  const rows = run.objects.map((o) => [
    o.object,
    o.status,
    formatNumber(o.records_extracted),
    formatNumber(o.records_loaded),
    formatNumber(o.records_unchanged),
    formatNumber(o.records_deleted),
    formatNumber(o.credits_used),
  ]);
  const totals = (
    ['records_extracted', 'records_loaded', 'records_unchanged', 'records_deleted', 'credits_used'] as const
  ).map((counter) => formatNumber(sumField(run, counter)));
  const header = ['Object', 'Status', 'Extracted', 'Loaded', 'Unchanged', 'Deleted', 'Credits'];
  return formatTable([header, ...rows, ['Total', run.status, ...totals]]).map((line) => `  ${line}`);
}

/**
 * Pads the cells of each column to equal width. Text is aligned to the left, and numbers are
 * aligned to the right.
 */
function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] as readonly string[]).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd(),
  );
}

/**
 * Returns whether the object does not affect the status of the run, because the API key has never
 * had access to the object.
 */
function isUnavailable({ warnings }: Schemas['ObjectRun']): boolean {
  return warnings.some(({ code }) => code === 'object_unavailable');
}
