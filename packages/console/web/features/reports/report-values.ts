/** Reads and formats the values of reports. */
import type { Schemas } from '../../api/client.ts';
import { formatDuration, formatNumber } from '../../format/numbers.ts';
import type { Hours } from './report-search.ts';

export type ReportResult = Schemas['ReportResult'];
export type ReportRow = ReportResult['rows'][number];

/** Returns the number in a column. Null: there is no value. */
export function getNumber(row: ReportRow | undefined, column: string): number | null {
  const value = row?.[column];
  return value === null || value === undefined ? null : Number(value);
}

/** Returns the values of a column for each interval. @param missing the value without a row. */
export function getSeries(
  { rows }: Pick<ReportResult, 'rows'>,
  intervals: readonly string[],
  column: string,
  missing: number | null,
): (number | null)[] {
  const byInterval = new Map(rows.map((row) => [row['group'], row]));
  return intervals.map((interval) => {
    const row = byInterval.get(interval);
    return row === undefined ? missing : getNumber(row, column);
  });
}

/** Returns the definition of a column. */
export function getDefinition({ columns }: Pick<ReportResult, 'columns'>, column: string): string | undefined {
  return columns.find(({ name }) => name === column)?.description;
}

/** The text for a value that does not exist, which is not zero. */
export const NO_DATA = 'No data';

/**
 * Formats minutes with their two largest units. Business time has no days, because the length of a
 * business day differs between calendars.
 */
export function formatMinutes(minutes: number, hours: Hours): string {
  if (minutes < 1) return minutes <= 0 ? '0 min' : '< 1 min';
  const whole = Math.round(minutes);
  if (hours === 'calendar') return formatDuration(whole * 60);
  const hoursCount = Math.floor(whole / 60);
  const rest = whole % 60;
  if (hoursCount === 0) return `${rest} min`;
  // From 100 hours on, minutes are not significant.
  if (rest === 0 || hoursCount >= 100) return `${formatNumber(whole / 60)} h`;
  return `${hoursCount} h ${rest} min`;
}

/** Formats minutes with one unit, so that the values of a column can be compared: "2.4 h". */
export function formatMinutesBriefly(minutes: number, hours: Hours): string {
  if (minutes < 60) return formatMinutes(minutes, hours);
  const isDays = hours === 'calendar' && minutes >= 2 * 1440;
  return isDays ? `${formatNumber(minutes / 1440, 1)} days` : `${formatNumber(minutes / 60, 1)} h`;
}

export function formatPercentage(value: number): string {
  return `${formatNumber(value, 1)} %`;
}

interface DurationUnit {
  readonly name: string;
  readonly minutes: number;
}

/** Returns the unit in which an axis shows durations up to `maximum` minutes. */
export function getDurationUnit(maximum: number, hours: Hours): DurationUnit {
  if (maximum < 180) return { name: 'min', minutes: 1 };
  return hours === 'business' || maximum < 4 * 1440 ? { name: 'h', minutes: 60 } : { name: 'days', minutes: 1440 };
}

/**
 * Inserts the arguments into the query of a report, so that a user can run it in any SQL client.
 * @param limit the maximum number of rows.
 */
export function insertArguments(
  { sql, arguments: { from, to }, time_zone }: Pick<ReportResult, 'sql' | 'arguments' | 'time_zone'>,
  limit: number,
): string {
  const values: Readonly<Record<string, string>> = {
    $1: quote(from),
    $2: quote(to),
    $3: quote(time_zone),
    $4: String(limit),
  };
  const query = sql.replaceAll(/\$[1-4]\b/g, (parameter) => values[parameter] as string);
  // Clauses that a grouping does not need leave blank lines.
  return `${query.replaceAll(/\n(\s*\n)+/g, '\n').trim()};\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
