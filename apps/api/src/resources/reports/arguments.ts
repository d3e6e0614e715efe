import { isTimeZone, type Report, type ReportArguments } from '@freshet/analytics';
import type { FieldProblem } from '../../http/field-problems.ts';

/** The query parameters of a report. */
export interface ReportQuery {
  readonly from?: string;
  readonly to?: string;
  readonly group_by?: string;
  readonly time_zone?: string;
}

const DAY_MS = 86_400_000;
const DAYS_DEFAULT = 30;
/** Ten years. */
const DAYS_MAX = 3660;
const FIRST_DAY = '1970-01-01';

/**
 * Adds the defaults to the query parameters: the last 30 days, including today (UTC), and the first
 * group of the report.
 * @param now milliseconds since 1970.
 */
export function toReportArguments(
  report: Report,
  { from, to, group_by, time_zone }: ReportQuery,
  now: number,
): ReportArguments {
  const end = to ?? (from === undefined ? toDay(now + DAY_MS) : addDays(from, DAYS_DEFAULT));
  return {
    from: from ?? addDays(end, -DAYS_DEFAULT),
    to: end,
    groupBy: group_by ?? report.groupBy[0] ?? null,
    timeZone: time_zone ?? null,
  };
}

/** Finds problems of the arguments that the schema of the route cannot express. */
export function findArgumentProblems(report: Report, { from, to, groupBy, timeZone }: ReportArguments): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (from < FIRST_DAY) problems.push(createProblem('from', `must not be before ${FIRST_DAY}.`));
  if (days < 1)
    problems.push(
      createProblem(
        'to',
        `must be after from (${from}), because to is the day after the last day. The value is ${to}.`,
      ),
    );
  if (days > DAYS_MAX)
    problems.push(createProblem('from', `the interval must not exceed ${DAYS_MAX} days. It has ${days} days.`));
  if (groupBy !== null && !report.groupBy.includes(groupBy)) {
    const valid =
      report.groupBy.length === 0
        ? `the report ${report.name} has no groups. Omit the parameter.`
        : `"${groupBy}" is not a grouping of the report ${report.name}. Valid values: ${report.groupBy.join(', ')}.`;
    problems.push(createProblem('group_by', valid));
  }
  if (timeZone !== null && !isTimeZone(timeZone)) {
    const detail = `"${timeZone}" is not a time zone. Use a name of the IANA database, such as Europe/Berlin, or a name that Freshdesk uses, such as Eastern Time (US & Canada).`;
    problems.push(createProblem('time_zone', detail));
  }
  return problems;
}

function createProblem(parameter: string, detail: string): FieldProblem {
  return { pointer: `/querystring/${parameter}`, detail: `${parameter}: ${detail}` };
}

function addDays(day: string, days: number): string {
  return toDay(Date.parse(day) + days * DAY_MS);
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
