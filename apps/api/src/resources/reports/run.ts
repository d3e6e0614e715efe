import {
  type AnalyticsTarget,
  type Report,
  type ReportArguments,
  type ReportResult,
  runReport,
} from '@freshet/analytics';
import { AppError } from '@freshet/contracts';
import type { Pipeline } from '@freshet/control-store';
import type { WarehouseReader } from '../../warehouse-reads/reader.ts';

/** The maximum number of rows in a result. */
const ROWS_MAX = 10_000;

/**
 * Runs a report in the warehouse of a pipeline.
 * @throws AppError `analytics_not_ready`, `report_timeout`, `address_refused`, `warehouse_*`.
 */
export async function runPipelineReport(
  reader: WarehouseReader,
  pipeline: Pipeline,
  report: Report,
  reportArguments: ReportArguments,
): Promise<ReportResult> {
  try {
    return await reader.read(pipeline.destination_id, (transaction) =>
      runReport(transaction, toAnalyticsTarget(pipeline), report.name, reportArguments, { limit: ROWS_MAX }),
    );
  } catch (error) {
    throw toReportError(error);
  }
}

function toReportError(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  if (error.code === 'query_timeout') {
    return new AppError(
      'report_timeout',
      `The warehouse cancelled the report after ${Number(error.context['timeoutMs']) / 1000} seconds. Request a shorter interval, or run the SQL of the report in the warehouse.`,
      { cause: error },
    );
  }
  // The models were removed after the last refresh.
  if (error.code === 'conflict') return new AppError('analytics_not_ready', error.message, { cause: error });
  return error;
}

export function toAnalyticsTarget(pipeline: Pipeline): AnalyticsTarget {
  return {
    schema: pipeline.destination_schema,
    tablePrefix: pipeline.table_prefix,
    timeZone: pipeline.analytics_time_zone,
  };
}
