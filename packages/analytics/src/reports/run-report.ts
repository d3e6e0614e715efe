import { AppError, toExactNumber } from '@freshet/contracts';
import type postgres from 'postgres';
import { withAnalyticsErrors } from '../errors.ts';
import { INSTALLED_MODELS, readState } from '../install/bookkeeping.ts';
import type { AnalyticsTarget, Report, ReportArguments, ReportOptions, ReportResult } from '../interface.ts';
import { Names } from '../sql.ts';
import { listReports } from './report.ts';
import { buildReportSql } from './report-sql.ts';

/**
 * Runs a report in the caller's transaction, whose search path must contain only the system
 * catalog.
 * @throws AppError `not_found` if the report does not exist, `invalid_input` if a parameter is not
 *   valid, `conflict` if the models have not been built, or `warehouse_*`.
 */
export async function runReport(
  transaction: postgres.TransactionSql,
  target: AnalyticsTarget,
  name: string,
  parameters: ReportArguments,
  { limit }: ReportOptions,
): Promise<ReportResult> {
  const report = findReport(name);
  const groupBy = validateGroupBy(report, parameters.groupBy);
  validateRange(parameters);
  const names = new Names(target);
  return await withAnalyticsErrors(async () => {
    await checkInstallation(transaction, names);
    const timeZone = await resolveTimeZone(transaction, names, parameters.timeZone);
    const rows = await transaction.unsafe<Record<string, unknown>[]>(buildReportSql(names, report, groupBy), [
      parameters.from,
      parameters.to,
      timeZone,
      limit + 1,
    ]);
    return {
      columns: report.columns,
      rows: rows.slice(0, limit).map(toPlainRow),
      truncated: rows.length > limit,
      timeZone,
    };
  });
}

function findReport(name: string): Report {
  const report = listReports().find((candidate) => candidate.name === name);
  if (report !== undefined) return report;
  const known = listReports().map((candidate) => candidate.name);
  throw new AppError('not_found', `The report ${name} does not exist. The reports are: ${known.join(', ')}.`);
}

function validateGroupBy(report: Report, groupBy: string | null): string | null {
  if (groupBy === null) return report.groupBy[0] ?? null;
  if (report.groupBy.includes(groupBy)) return groupBy;
  throw new AppError(
    'invalid_input',
    report.groupBy.length === 0
      ? `group_by: the report ${report.name} has no groups. Omit the parameter.`
      : `group_by: the report ${report.name} cannot be grouped by ${groupBy}. Use one of: ${report.groupBy.join(', ')}.`,
  );
}

function validateRange({ from, to }: ReportArguments): void {
  for (const [name, day] of Object.entries({ from, to })) {
    const date = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00:00Z`) : null;
    if (date === null || Number.isNaN(date.getTime()) || !date.toISOString().startsWith(day))
      throw new AppError('invalid_input', `${name} must be a day, such as 2026-03-31.`);
  }
  if (from >= to)
    throw new AppError('invalid_input', 'to must be after from. The range does not include the day in to.');
}

async function checkInstallation(sql: postgres.TransactionSql, names: Names): Promise<void> {
  const relation = names.relation(INSTALLED_MODELS);
  const [row] = await sql<{ exists: boolean }[]>`select to_regclass(${relation}) is not null as exists`;
  if (row?.exists && (await readState(sql, names)).get('is_built') === 'true') return;
  throw new AppError(
    'conflict',
    `The models in the schema ${names.schema} have not been built. Enable analytics for the pipeline, and wait for the next run.`,
  );
}

/** Returns the IANA name of a time zone. */
async function resolveTimeZone(sql: postgres.TransactionSql, names: Names, name: string | null): Promise<string> {
  const [row] =
    name === null
      ? await sql.unsafe<{ zone: string | null }[]>(`select time_zone as zone from ${names.relation('account')}`)
      : await sql.unsafe<{ zone: string | null }[]>(
          `select coalesce(
             (select time_zone from ${names.relation('time_zones')} where lower(name) = lower($1::text)),
             (select name from pg_timezone_names where lower(name) = lower($1::text) limit 1)
           ) as zone`,
          [name],
        );
  if (row?.zone) return row.zone;
  throw new AppError(
    'invalid_input',
    `time_zone: the warehouse does not know the time zone ${name}. Use an IANA name, such as Europe/Berlin.`,
  );
}

function toPlainRow(row: Readonly<Record<string, unknown>>): Record<string, string | number | boolean | null> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toPlainValue(name, value)]));
}

/** Converts numbers, which the driver returns as text, if JavaScript represents them exactly. */
function toPlainValue(name: string, value: unknown): string | number | boolean | null {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (value === null || value === undefined) return null;
  const text = String(value);
  return TEXT_COLUMNS.has(name) ? text : toExactNumber(text);
}

/** Columns that are text even if they look like numbers. */
const TEXT_COLUMNS: ReadonlySet<string> = new Set(['group', 'group_id', 'source']);
