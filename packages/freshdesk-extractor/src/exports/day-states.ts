import { DAY_MS } from '../lists/timestamps.ts';
import type { FileWindow } from './export-file.ts';

/**
 * The state of a day.
 *
 * - `complete`: the table has all entries of the day's file.
 * - `read`: as `complete`, but the file was read so early that it may still have grown. It is read
 *   again.
 * - `reread`: as `complete`, but the file is read again, because the object was restarted.
 * - `absent`: the file did not exist yet.
 * - `missing`: the file was damaged, or did not exist although the day had ended. The day is a
 *   failed unit.
 */
export type DayState =
  | ({ readonly state: 'complete' | 'read' | 'reread' } & FileWindow)
  | { readonly state: 'absent' | 'missing'; readonly requestedAt: string };

/** The days of an export, as a part of a position. */
export interface Days {
  /** The first day in `states`, or the first day to request. Earlier days are in `range`. */
  readonly firstDay: string;
  /** Day → its state. A day without a state was not requested yet. */
  readonly states: Readonly<Record<string, DayState>>;
  /** The latest complete range before `firstDay`; null: none. */
  readonly range: FileWindow | null;
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Lists the days from one day up to, but not including, another. */
export function listDays(from: string, to: string): string[] {
  const days: string[] = [];
  for (let day = from; day < to; day = addDays(day, 1)) days.push(day);
  return days;
}

/**
 * Removes the states of the days before a given day. Their coverage remains in the range.
 * @param to the first day whose state remains.
 */
export function foldDays(days: Days, to: string): Days {
  if (to <= days.firstDay) return days;
  return {
    firstDay: to,
    states: Object.fromEntries(Object.entries(days.states).filter(([day]) => day >= to)),
    range: listDays(days.firstDay, to).reduce((range, day) => extendRange(range, days.states[day]), days.range),
  };
}

/**
 * Returns the latest time range in which every day is complete. Days without a complete file,
 * however few, start a new range, because coverage claims only what was read.
 */
export function getCompleteRange(days: Days): FileWindow | null {
  const known = Object.keys(days.states).sort();
  const last = known.at(-1);
  if (last === undefined) return days.range;
  return foldDays(days, addDays(last, 1)).range;
}

/** Adds a day to a range. If an earlier day is missing, the day starts a new range. */
function extendRange(range: FileWindow | null, state: DayState | undefined): FileWindow | null {
  if (state?.state !== 'complete' && state?.state !== 'reread') return range;
  const { from, to } = state;
  const isAdjacent = range !== null && Date.parse(from) <= Date.parse(range.to);
  return { from: isAdjacent ? range.from : from, to };
}
