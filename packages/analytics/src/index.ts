/**
 * Models and reports over the tables of a warehouse. The definitions of the models are the SQL
 * files in `integrations/dbt/models`, and the definitions of the reports are the SQL files in
 * `packages/analytics/reports`.
 */
export { countModelRows, eraseModelRows, type ModelRowFilter } from './erasure.ts';
export type {
  AnalyticsTarget,
  DescribedColumn,
  MetricDefinition,
  ModelDocumentation,
  RefreshResult,
  RefreshWarning,
  Report,
  ReportArguments,
  ReportOptions,
  ReportParameter,
  ReportResult,
} from './interface.ts';
export { type AnalyticsRelation, listAnalyticsRelations } from './list-relations.ts';
export { listMetrics } from './metrics.ts';
export { listModels } from './models/list-models.ts';
export { refreshAnalytics, removeChangeTracking } from './refresh/refresh.ts';
export { listReports } from './reports/report.ts';
export { getReportSql } from './reports/report-sql.ts';
export { runReport } from './reports/run-report.ts';
export { getAnalyticsSchema } from './sql.ts';
export { isTimeZone } from './time-zone-names.ts';
