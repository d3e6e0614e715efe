/**
 * Periods of reports. Days are texts such as `2026-11-28`, because they have no time zone: the
 * warehouse applies the time zone of the account.
 */
import { addDays, DAY_MS, isDay } from './days.ts';
import type { Grouping, ReportSearch } from './report-search.ts';

/** The maximum number of days of a report. */
const DAYS_MAX = 3660;
/** 13 weeks: the previous period has the same number of each weekday. */
const QUARTER_DAYS = 91;
/** Charts of longer periods show weeks or months, unless the user chooses days. */
const DAILY_DAYS_MAX = 45;
const WEEKLY_DAYS_MAX = 400;

export interface Period {
  /** The first day. */
  readonly from: string;
  /** The day after the last day. */
  readonly to: string;
}

function countDays({ from, to }: Period): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

/** Returns the day of a time in a time zone. @param timeZone undefined: that of the viewer. */
export function getDay(time: number, timeZone?: string): string {
  return new Intl.DateTimeFormat('en-CA', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(time);
}

/** Returns the selected period. All periods except custom periods end with today. */
export function getPeriod({ range = '30d', from, to }: ReportSearch, today: string): Period {
  if (range === 'custom' && from !== undefined && to !== undefined) return { from, to: addDays(to, 1) };
  const days = range === '7d' ? 7 : range === 'quarter' ? QUARTER_DAYS : 30;
  const end = addDays(today, 1);
  return { from: addDays(end, -days), to: end };
}

/** Returns the period of the same length that ends where this period begins. */
export function getPreviousPeriod(period: Period): Period {
  return { from: addDays(period.from, -countDays(period)), to: period.from };
}

/** Returns why a custom range is invalid. Null: it is valid. @param last the last day. */
export function findRangeProblem(first: string, last: string): string | null {
  if (!isDay(first) || !isDay(last)) return 'Enter the first and the last day.';
  if (first > last) return 'The first day must not be after the last day.';
  const days = countDays({ from: first, to: addDays(last, 1) });
  return days > DAYS_MAX ? `The range has ${days} days. Choose at most ${DAYS_MAX} days.` : null;
}

export function getDefaultGrouping(period: Period): Grouping {
  const days = countDays(period);
  return days <= DAILY_DAYS_MAX ? 'day' : days <= WEEKLY_DAYS_MAX ? 'week' : 'month';
}

/** Lists the first days of the intervals of a period, as reports return them. */
export function listIntervals({ from, to }: Period, grouping: Grouping): string[] {
  const intervals: string[] = [];
  let interval = getInterval(from, grouping);
  while (interval < to) {
    intervals.push(interval);
    interval = grouping === 'month' ? getInterval(addDays(interval, 31), 'month') : addDays(interval, STEPS[grouping]);
  }
  return intervals;
}

const STEPS = { day: 1, week: 7 } as const;

/** Returns the first day of the interval that contains a day. Weeks begin on Monday. */
function getInterval(day: string, grouping: Grouping): string {
  if (grouping === 'month') return `${day.slice(0, 7)}-01`;
  if (grouping === 'week') return addDays(day, -((new Date(day).getUTCDay() + 6) % 7));
  return day;
}

/** Formats an interval for an axis: "28 Nov", "28 Nov 25" in a period of two years, "Nov 2026". */
export function formatInterval(day: string, grouping: Grouping, { from, to }: Period): string {
  const hasYears = from.slice(0, 4) !== addDays(to, -1).slice(0, 4);
  return formatUtc(
    day,
    grouping === 'month'
      ? { month: 'short', year: 'numeric' }
      : { day: 'numeric', month: 'short', ...(hasYears ? { year: '2-digit' } : {}) },
  );
}

/** Formats a period with its last day: "30 Oct – 28 Nov 2026". */
export function formatPeriod({ from, to }: Period): string {
  const last = addDays(to, -1);
  const full = { day: 'numeric', month: 'short', year: 'numeric' } as const;
  if (from === last) return formatUtc(last, full);
  const isOneYear = from.slice(0, 4) === last.slice(0, 4);
  return `${formatUtc(from, isOneYear ? { day: 'numeric', month: 'short' } : full)} – ${formatUtc(last, full)}`;
}

/** Names the previous period: "previous 30 days". */
export function describePreviousPeriod(period: Period): string {
  const days = countDays(period);
  if (days === QUARTER_DAYS) return 'previous 13 weeks';
  return days === 1 ? 'previous day' : `previous ${days} days`;
}

function formatUtc(day: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
}
