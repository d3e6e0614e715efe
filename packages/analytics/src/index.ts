/**
 * Models and reports over the tables of a warehouse. The definitions of the models are the SQL
 * files in `integrations/dbt/models`, and the definitions of the reports are the SQL files in
 * `packages/analytics/reports`.
 */
import { AppError } from '@freshet/contracts';
import type postgres from 'postgres';
import type {
  AnalyticsTarget,
  ModelDocumentation,
  RefreshResult,
  Report,
  ReportArguments,
  ReportOptions,
  ReportResult,
} from './interface.ts';

export { countModelRows, eraseModelRows, type ModelRowFilter } from './erasure.ts';
export type {
  AnalyticsTarget,
  DescribedColumn,
  ModelDocumentation,
  RefreshResult,
  RefreshWarning,
  Report,
  ReportArguments,
  ReportOptions,
  ReportParameter,
  ReportResult,
} from './interface.ts';
export { isTimeZone } from './time-zone-names.ts';

/**
 * Installs or updates the models, and recomputes the rows of changed tickets, in one transaction.
 * @throws AppError `warehouse_*`, or `conflict` if a view of the user needs a removed column.
 */
export function refreshAnalytics(_sql: postgres.Sql, _target: AnalyticsTarget): Promise<RefreshResult> {
  throw new AppError('bug', 'Not implemented.');
}

/** Drops the change triggers. The models and their rows stay. */
export function removeChangeTracking(_sql: postgres.Sql, _target: AnalyticsTarget): Promise<void> {
  throw new AppError('bug', 'Not implemented.');
}

export function listReports(): readonly Report[] {
  return [];
}

export function listModels(): readonly ModelDocumentation[] {
  return [];
}

/**
 * Runs a report in a read-only transaction.
 * @throws AppError `not_found`, `invalid_input`, `conflict` if the models are not installed, or
 *   `warehouse_*`.
 */
export function runReport(
  _sql: postgres.Sql,
  _target: AnalyticsTarget,
  _name: string,
  _parameters: ReportArguments,
  _options: ReportOptions,
): Promise<ReportResult> {
  throw new AppError('bug', 'Not implemented.');
}
