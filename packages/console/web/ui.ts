import { Freshet, FreshetError, type Schemas } from '@freshet/client';
import htm from 'htm';
import { type ComponentChildren, h, type VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/**
 * Shared building blocks of the pages: JSX-like templates, data fetching, tables, charts and
 * formatting.
 */
type Template = (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
export const html = (htm as unknown as { bind(createElement: typeof h): Template }).bind(h);

export type { Schemas };

const TOKEN_KEY = 'freshet.token';

/**
 * Returns the API token. It is stored in `sessionStorage`, which belongs to this browser tab and is
 * deleted when the tab is closed.
 */
export function getToken(): string | null {
  return sessionStorage.getItem(TOKEN_KEY);
}

export function setToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, token);
}

export function getClient(): Freshet {
  return new Freshet({ url: location.origin, token: getToken() ?? '' });
}

export interface PollState<T> {
  readonly value: T | null;
  readonly error: Error | null;
  /** Fetches the data again immediately. */
  readonly refresh: () => void;
}

/**
 * Fetches data and refetches it periodically while the page is visible.
 * @param key identifies the data. When the key changes, the data is fetched immediately.
 */
export function usePolling<T>(read: () => Promise<T>, key: string, everyMs = 5000): PollState<T> {
  const [state, setState] = useState<{ value: T | null; error: Error | null }>({ value: null, error: null });
  const [refreshCount, setRefreshCount] = useState(0);
  useEffect(() => {
    let isUnmounted = false;
    const poll = () => {
      if (document.hidden) return;
      read().then(
        (value) => isUnmounted || setState({ value, error: null }),
        (error: unknown) => isUnmounted || setState((before) => ({ value: before.value, error: error as Error })),
      );
    };
    poll();
    const timer = setInterval(poll, everyMs);
    return () => {
      isUnmounted = true;
      clearInterval(timer);
    };
  }, [key, refreshCount]);
  return { ...state, refresh: () => setRefreshCount((n) => n + 1) };
}

/** Runs a user's action, exposes its state and error, and calls `done` after success. */
export function useAction(done: () => void): {
  readonly act: (work: () => Promise<unknown>) => void;
  readonly busy: boolean;
  readonly error: Error | null;
} {
  const [state, setState] = useState<{ busy: boolean; error: Error | null }>({ busy: false, error: null });
  return {
    ...state,
    act: (work) => {
      setState({ busy: true, error: null });
      work().then(
        () => {
          setState({ busy: false, error: null });
          done();
        },
        (error: unknown) => setState({ busy: false, error: error as Error }),
      );
    },
  };
}

export function Problem({ error }: { readonly error: Error | null }): VNode | null {
  if (error === null) return null;
  const fields = error instanceof FreshetError ? error.errors : [];
  return html`<div class="problem" role="alert">${error.message}${fields.map(({ pointer, detail }) => html`<div><code>${pointer}</code> ${detail}</div>`)}</div>`;
}

export interface Column<T> {
  readonly title: string;
  readonly number?: boolean;
  readonly cell: (row: T) => ComponentChildren;
}

export function Table<T>({
  caption,
  columns,
  rows,
  empty,
}: {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  empty: string;
}): VNode {
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`;
  const getCellClass = (column: Column<T>) => (column.number ? 'number' : undefined);
  return html`<div class="table" tabindex="0" role="region" aria-label=${caption}><table>
    <caption>${caption}</caption>
    <thead><tr>${columns.map((c) => html`<th scope="col" class=${getCellClass(c)}>${c.title}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${columns.map((c) => html`<td class=${getCellClass(c)}>${c.cell(row)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

interface Point {
  readonly label: string;
  readonly value: number;
}

interface ChartOptions {
  readonly title: string;
  readonly points: readonly Point[];
  /** Formats a value for display. */
  readonly format?: (value: number) => string;
}

export function Chart({ title, points, format = formatNumber }: ChartOptions): VNode {
  return html`<${StackedChart} title=${title} parts=${[{ name: '', points }]} format=${format} />`;
}

interface StackedChartOptions {
  readonly title: string;
  /** The series from bottom to top. All series have the same labels in the same order. */
  readonly parts: readonly { readonly name: string; readonly points: readonly Point[] }[];
  readonly format?: (value: number) => string;
}

/** A stacked bar chart over time, oldest first. The chart's `aria-label` lists the totals. */
export function StackedChart({ title, parts, format = formatNumber }: StackedChartOptions): VNode {
  const labels = parts[0]?.points.map((p) => p.label) ?? [];
  const getValue = (part: number, i: number) => parts[part]?.points[i]?.value ?? 0;
  const getOffset = (part: number, i: number) =>
    parts.slice(0, part).reduce((sum, p) => sum + (p.points[i]?.value ?? 0), 0);
  const totals = labels.map((_, i) => getOffset(parts.length, i));
  const maximum = Math.max(1, ...totals);
  const width = 100 / Math.max(1, labels.length);
  const height = (value: number) => (value / maximum) * 38;
  const bar = (part: number, i: number) =>
    html`<rect class=${`part${part}`} x=${i * width + width * 0.1} width=${width * 0.8} y=${40 - height(getOffset(part, i) + getValue(part, i))} height=${height(getValue(part, i))}><title>${labels[i]}: ${parts[part]?.name} ${format(getValue(part, i))}</title></rect>`;
  const legend =
    parts.length < 2
      ? null
      : html`<ul class="legend">${parts.map((p, n) => html`<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class=${`part${n}`} width="10" height="10" /></svg>${p.name}</li>`)}</ul>`;
  return html`<figure style="margin: 0"><figcaption class="quiet">${title} (maximum: ${format(maximum)})</figcaption>${legend}
    <svg class="chart" role="img" aria-label=${`${title}: ${labels.map((label, i) => `${label} ${format(totals[i] ?? 0)}`).join(', ')}`} viewBox="0 0 100 40" preserveAspectRatio="none">
      ${parts.map((_, part) => labels.map((_, i) => bar(part, i)))}
    </svg></figure>`;
}

const DAY_MS = 86_400_000;
const DAYS = 30;

/**
 * Aggregates the rows of each of the last 30 days (UTC) into one value, by default the sum of their
 * values. The result includes days without rows.
 */
export function aggregateByDay<T extends { readonly day: string }>(
  rows: readonly T[],
  of: (row: T) => number,
  together: (values: readonly number[]) => number = (values) => values.reduce((sum, value) => sum + value, 0),
): { label: string; value: number }[] {
  const days = Map.groupBy(rows, (row) => row.day);
  return Array.from({ length: DAYS }, (_, i) => {
    const label = new Date(Date.now() - (DAYS - 1 - i) * DAY_MS).toISOString().slice(0, 10);
    return { label, value: together((days.get(label) ?? []).map(of)) };
  });
}

const CREDIT_CLASSES = [
  'by_hand',
  'incremental',
  'children',
  'backfill',
  'audit',
] as const satisfies readonly (keyof Schemas['CreditsByClass'])[];

/** Formats a credit class for display. The API's `by_hand` is displayed as "manual". */
export function formatCreditClass(name: string): string {
  return name === 'by_hand' ? 'manual' : name.replaceAll('_', ' ');
}

/** Returns the credits used on each of the last 30 days, by credit class. */
export function getCreditsByDay(rows: readonly Schemas['Usage'][]): { name: string; points: Point[] }[] {
  return CREDIT_CLASSES.map((name) => ({
    name: formatCreditClass(name),
    points: aggregateByDay(rows, (row) => row.credits_by_class[name]),
  }));
}

/** Returns the maximum lag over all tables on each of the last 30 days, in seconds. */
export function getLagByDay(rows: readonly Schemas['Usage'][]): { label: string; value: number }[] {
  return aggregateByDay(
    rows,
    (row) => row.lag_seconds ?? 0,
    (values) => Math.max(0, ...values),
  );
}

/** Formats a duration in seconds with a suitable unit. */
export function formatDuration(seconds: number): string {
  const [n, unit] =
    seconds < 90
      ? [seconds, 's']
      : seconds < 5400
        ? [seconds / 60, 'min']
        : seconds < 129_600
          ? [seconds / 3600, 'h']
          : [seconds / 86_400, 'days'];
  return `${formatNumber(n)} ${unit}`;
}

export const formatNumber = (n: number): string =>
  new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(n);

export function formatBytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(n) / 10));
  return `${formatNumber(n / 1024 ** power)} ${units[power]}`;
}

/** Formats a time relative to now, such as "5 minutes ago". Returns "never" for null. */
export function formatRelativeTime(time: string | null): string {
  if (time === null) return 'never';
  const seconds = Math.round((Date.now() - Date.parse(time)) / 1000);
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  for (const [unit, size] of [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ] as const) {
    if (Math.abs(seconds) >= size) return words.format(-Math.round(seconds / size), unit);
  }
  return words.format(-seconds, 'second');
}

const GOOD = ['succeeded', 'active', 'alive', 'available', 'completed'];
const BAD = ['failed', 'forbidden', 'quiet', 'error'];

/** @param ignored true to display even a bad status without the error color. */
export function Status({ value, ignored = false }: { readonly value: string; readonly ignored?: boolean }): VNode {
  return html`<span class=${GOOD.includes(value) ? 'good' : BAD.includes(value) && !ignored ? 'bad' : 'fair'}>${value.replaceAll('_', ' ')}</span>`;
}
