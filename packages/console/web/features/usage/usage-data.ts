/** Aggregates the rows of usage by day. Days are in UTC, as in the API. */
import type { Schemas } from '../../api/client.ts';

const DAY_MS = 86_400_000;
export const DAYS = 30;

export interface CreditClass {
  readonly key: keyof Schemas['CreditsByClass'];
  readonly label: string;
  readonly color: string;
}

/** The classes of credits, the most urgent first. */
export const CREDIT_CLASSES: readonly CreditClass[] = [
  { key: 'by_hand', label: 'Manual', color: '#7c3aed' },
  { key: 'incremental', label: 'Incremental', color: 'var(--good-fill)' },
  { key: 'children', label: 'Conversations and children', color: '#60a5fa' },
  { key: 'backfill', label: 'Backfill', color: 'var(--neutral-fill)' },
  { key: 'audit', label: 'Audit', color: '#d98c2b' },
];

/** The name of a credit class for users. */
export function getCreditClassLabel(key: string): string {
  return CREDIT_CLASSES.find((c) => c.key === key)?.label ?? key;
}

/** Returns the last days up to today, the oldest first: "2026-11-28". */
export function listDays(now: number, count = DAYS): string[] {
  return Array.from({ length: count }, (_, i) => new Date(now - (count - 1 - i) * DAY_MS).toISOString().slice(0, 10));
}

/** Sums a value of the rows for each day. The result includes days without rows. */
export function sumByDay<T extends { readonly day: string }>(
  rows: readonly T[],
  days: readonly string[],
  getValue: (row: T) => number,
): number[] {
  const byDay = new Map<string, number>();
  for (const row of rows) byDay.set(row.day, (byDay.get(row.day) ?? 0) + getValue(row));
  return days.map((day) => byDay.get(day) ?? 0);
}

/** Returns the maximum lag of all tables on each day, in seconds. Null: nothing was loaded. */
export function getLagByDay(rows: readonly Schemas['UsageByDay'][], days: readonly string[]): (number | null)[] {
  const byDay = new Map<string, number>();
  for (const { day, lag_seconds } of rows)
    if (lag_seconds !== null) byDay.set(day, Math.max(byDay.get(day) ?? 0, lag_seconds));
  return days.map((day) => byDay.get(day) ?? null);
}

/** Returns the change in percent. Null: there is nothing to compare with. */
export function getChangePercent(value: number, before: number): number | null {
  return before === 0 ? null : Math.round(((value - before) / before) * 100);
}

/** Formats a day: "28 Nov". */
export function formatDay(day: string): string {
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(
    new Date(`${day}T00:00:00Z`),
  );
}
