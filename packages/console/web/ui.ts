import { Freshet, FreshetError, type Schemas } from '@freshet/client';
import htm from 'htm';
import { type ComponentChildren, h, type VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** What every page is made of: JSX without a compiler, loading, tables, charts. */
type Template = (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
export const html = (htm as unknown as { bind(make: typeof h): Template }).bind(h);

export type { Schemas };

const TOKEN = 'freshet.token';

/** Kept for this tab only. */
export function keptToken(): string | null {
  return sessionStorage.getItem(TOKEN);
}

export function keepToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
}

export function freshet(): Freshet {
  return new Freshet({ url: location.origin, token: keptToken() ?? '' });
}

export interface Loaded<T> {
  readonly value: T | null;
  readonly error: Error | null;
  /** Reads it again, now. */
  readonly again: () => void;
}

/** What a page shows, read again every few seconds while somebody looks. @param key of what it depends on. */
export function useLoaded<T>(read: () => Promise<T>, key: string, everyMs = 5000): Loaded<T> {
  const [state, setState] = useState<{ value: T | null; error: Error | null }>({ value: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let gone = false;
    const look = () => {
      if (document.hidden) return;
      read().then(
        (value) => gone || setState({ value, error: null }),
        (error: unknown) => gone || setState((before) => ({ value: before.value, error: error as Error })),
      );
    };
    look();
    const timer = setInterval(look, everyMs);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [key, turn]);
  return { ...state, again: () => setTurn((n) => n + 1) };
}

/** Something that somebody asks for: what came of it is said, and the page read again. */
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

export interface ColumnOf<T> {
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
  columns: readonly ColumnOf<T>[];
  rows: readonly T[];
  empty: string;
}): VNode {
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`;
  const kind = (column: ColumnOf<T>) => (column.number ? 'number' : undefined);
  return html`<div class="table" tabindex="0" role="region" aria-label=${caption}><table>
    <caption>${caption}</caption>
    <thead><tr>${columns.map((c) => html`<th scope="col" class=${kind(c)}>${c.title}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${columns.map((c) => html`<td class=${kind(c)}>${c.cell(row)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** Bars over time, oldest first; what they show is in words as well. */
interface Point {
  readonly label: string;
  readonly value: number;
}

interface ChartOptions {
  readonly title: string;
  readonly points: readonly Point[];
  /** How a value is written. */
  readonly format?: (value: number) => string;
}

export function Chart({ title, points, format = count }: ChartOptions): VNode {
  return html`<${Stacked} title=${title} parts=${[{ name: '', points }]} format=${format} />`;
}

interface StackedOptions {
  readonly title: string;
  /** From the bottom up: as many points each, of the same labels. */
  readonly parts: readonly { readonly name: string; readonly points: readonly Point[] }[];
  readonly format?: (value: number) => string;
}

/** What several things come to together. */
export function Stacked({ title, parts, format = count }: StackedOptions): VNode {
  const labels = parts[0]?.points.map((p) => p.label) ?? [];
  const partOf = (part: number, i: number) => parts[part]?.points[i]?.value ?? 0;
  const below = (part: number, i: number) =>
    parts.slice(0, part).reduce((sum, p) => sum + (p.points[i]?.value ?? 0), 0);
  const totals = labels.map((_, i) => below(parts.length, i));
  const most = Math.max(1, ...totals);
  const width = 100 / Math.max(1, labels.length);
  const height = (value: number) => (value / most) * 38;
  const bar = (part: number, i: number) =>
    html`<rect class=${`part${part}`} x=${i * width + width * 0.1} width=${width * 0.8} y=${40 - height(below(part, i) + partOf(part, i))} height=${height(partOf(part, i))}><title>${labels[i]}: ${parts[part]?.name} ${format(partOf(part, i))}</title></rect>`;
  const legend =
    parts.length < 2
      ? null
      : html`<ul class="legend">${parts.map((p, n) => html`<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class=${`part${n}`} width="10" height="10" /></svg>${p.name}</li>`)}</ul>`;
  return html`<figure style="margin: 0"><figcaption class="quiet">${title}; at most ${format(most)}</figcaption>${legend}
    <svg class="chart" role="img" aria-label=${`${title}: ${labels.map((label, i) => `${label} ${format(totals[i] ?? 0)}`).join(', ')}`} viewBox="0 0 100 40" preserveAspectRatio="none">
      ${parts.map((_, part) => labels.map((_, i) => bar(part, i)))}
    </svg></figure>`;
}

const DAY_MS = 86_400_000;
const DAYS = 30;

/** A value for each of the last 30 days (UTC), also for those of which there is nothing: the sum of the rows' own, unless told otherwise. */
export function byDay<T extends { readonly day: string }>(
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

/** What credits were spent for, on each of the last 30 days. */
export function creditsByDay(rows: readonly Schemas['Usage'][]): { name: string; points: Point[] }[] {
  return CREDIT_CLASSES.map((name) => ({
    name: name.replaceAll('_', ' '),
    points: byDay(rows, (row) => row.credits_by_class[name]),
  }));
}

/** How far the furthest table was behind, on each of the last 30 days. */
export function lagByDay(rows: readonly Schemas['Usage'][]): { label: string; value: number }[] {
  return byDay(
    rows,
    (row) => row.lag_seconds ?? 0,
    (values) => Math.max(0, ...values),
  );
}

/** A time in seconds, in words. */
export function span(seconds: number): string {
  const [n, unit] =
    seconds < 90
      ? [seconds, 's']
      : seconds < 5400
        ? [seconds / 60, 'min']
        : seconds < 129_600
          ? [seconds / 3600, 'h']
          : [seconds / 86_400, 'days'];
  return `${count(n)} ${unit}`;
}

export const count = (n: number): string => new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(n);

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(n) / 10));
  return `${count(n / 1024 ** power)} ${units[power]}`;
}

/** How long ago, in words. */
export function ago(time: string | null): string {
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

/** @param ignored a bad state that does not count. */
export function Status({ of, ignored = false }: { readonly of: string; readonly ignored?: boolean }): VNode {
  return html`<span class=${GOOD.includes(of) ? 'good' : BAD.includes(of) && !ignored ? 'bad' : 'fair'}>${of.replaceAll('_', ' ')}</span>`;
}
