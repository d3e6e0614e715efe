import { type Report, type ReportArguments, type ReportResult, runReport } from '@freshet/analytics';
import { AppError, toAppError } from '@freshet/contracts';
import type { Pipeline } from '@freshet/control-store';
import pLimit, { type LimitFunction } from 'p-limit';
import { withWarehouse } from '../../connections/warehouse.ts';
import type { Deps } from '../../context.ts';

const ROWS_MAX = 10_000;
const TIMEOUT_MS = 30_000;
/** The time limit of a report including the connection, which outlasts the limit of the query. */
const TOTAL_TIMEOUT_MS = 45_000;
/** The maximum number of reports that this process runs concurrently in one warehouse. */
const CONCURRENCY = 4;
/** The maximum number of reports that wait for one warehouse. */
const WAITING_MAX = 50;
const RETRY_AFTER_MS = 5000;
const STATEMENT_CANCELLED = '57014';

/** Runs reports, and limits the number of connections to each warehouse. */
export class ReportRunner {
  readonly #deps: Deps;
  /** By destination id. A destination without running reports has no entry. */
  readonly #limits = new Map<string, LimitFunction>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Runs a report.
   * @throws AppError `analytics_not_ready`, `report_timeout`, `address_refused`, `warehouse_*`.
   */
  async run(pipeline: Pipeline, report: Report, reportArguments: ReportArguments): Promise<ReportResult> {
    const id = pipeline.destination_id;
    const limit = this.#limits.get(id) ?? pLimit(CONCURRENCY);
    if (limit.pendingCount >= WAITING_MAX) {
      throw new AppError(
        'warehouse_busy',
        `${WAITING_MAX} reports already wait for this warehouse. Wait for the time in the Retry-After header, then repeat the request.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.#limits.set(id, limit);
    try {
      return await limit(() => this.#query(pipeline, report, reportArguments));
    } catch (error) {
      throw toReportError(toAppError(error));
    } finally {
      if (limit.activeCount === 0 && limit.pendingCount === 0) this.#limits.delete(id);
    }
  }

  async #query(pipeline: Pipeline, report: Report, reportArguments: ReportArguments): Promise<ReportResult> {
    const destination = await this.#deps.store.destinations.get(pipeline.destination_id);
    const target = {
      schema: pipeline.destination_schema,
      tablePrefix: pipeline.table_prefix,
      timeZone: pipeline.analytics_time_zone,
    };
    const options = { timeoutMs: TIMEOUT_MS, limit: ROWS_MAX };
    return await withWarehouse(this.#deps, destination, (warehouse) =>
      warehouse.useSql(TOTAL_TIMEOUT_MS, (sql) => runReport(sql, target, report.name, reportArguments, options)),
    );
  }
}

function toReportError(error: AppError): AppError {
  if ((error.cause as { code?: unknown } | undefined)?.code === STATEMENT_CANCELLED) {
    return new AppError(
      'report_timeout',
      `The warehouse cancelled the report after ${TIMEOUT_MS / 1000} seconds. Request a shorter interval, or run the SQL of the report in the warehouse.`,
      { cause: error },
    );
  }
  // The models were removed after the last refresh.
  if (error.code === 'conflict') return new AppError('analytics_not_ready', error.message, { cause: error });
  return error;
}
