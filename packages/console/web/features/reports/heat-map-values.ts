/** The values of the heat map by weekday and hour. */
import { getNumber, type ReportResult } from './report-values.ts';

export const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;
export const HOUR_LABELS: readonly string[] = Array.from({ length: 24 }, (_, hour) => `${hour}:00`.padStart(5, '0'));
/** The number of shades. Level 0 is only the value 0. */
const LEVEL_MAX = 5;

export interface HeatMap {
  /** The values by weekday (0 is Monday) and hour. */
  readonly values: readonly (readonly number[])[];
  readonly maximum: number;
  /** The first cell with the maximum. */
  readonly peak: { readonly weekday: number; readonly hour: number };
}

/** Arranges the rows of the report by weekday and hour. Hours without a row have the value 0. */
export function buildHeatMap({ rows }: Pick<ReportResult, 'rows'>, column: string): HeatMap {
  const values = WEEKDAYS.map(() => Array.from({ length: 24 }, () => 0));
  const peak = { weekday: 0, hour: 0 };
  let maximum = 0;
  for (const row of rows) {
    const weekday = (getNumber(row, 'weekday') ?? 1) - 1;
    const hour = getNumber(row, 'hour') ?? 0;
    const value = getNumber(row, column) ?? 0;
    (values[weekday] as number[])[hour] = value;
    if (value <= maximum) continue;
    maximum = value;
    Object.assign(peak, { weekday, hour });
  }
  return { values, maximum, peak };
}

/** Returns the shade of a value. */
export function getLevel(value: number, maximum: number): number {
  return value === 0 ? 0 : Math.ceil((value * LEVEL_MAX) / maximum);
}

/** Lists the shades with their smallest and greatest values. Shades without values are omitted. */
export function listLevels(maximum: number): { level: number; first: number; last: number }[] {
  const levels = Array.from({ length: LEVEL_MAX }, (_, i) => ({
    level: i + 1,
    first: Math.floor((i * maximum) / LEVEL_MAX) + 1,
    last: Math.floor(((i + 1) * maximum) / LEVEL_MAX),
  }));
  return [{ level: 0, first: 0, last: 0 }, ...levels.filter(({ first, last }) => first <= last)];
}
