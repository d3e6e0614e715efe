import {
  type AnalyticsTarget,
  type Report,
  type ReportArguments,
  type ReportResult,
  runReport,
} from '@freshet/analytics';
import { AppError, toAppError } from '@freshet/contracts';
import type { Pipeline } from '@freshet/control-store';
import pLimit, { type LimitFunction } from 'p-limit';
import { withWarehouse } from '../../connections/warehouse.ts';
import type { Deps } from '../../context.ts';

/** Limits of reports, which protect the warehouse and this process. */
export interface ReportLimits {
  /** The maximum number of rows in a result. */
  readonly rowsMax: number;
  /** The server cancels a query after this many milliseconds. */
  readonly timeoutMs: number;
  /** The maximum number of reports that this process runs concurrently in one warehouse. */
  readonly concurrency: number;
  /** The maximum number of reports that wait for one warehouse. */
  readonly waitingMax: number;
}

const DEFAULT_LIMITS: ReportLimits = { rowsMax: 10_000, timeoutMs: 30_000, concurrency: 4, waitingMax: 50 };
/** The time for the connection, in addition to the time limit of the query. */
const CONNECTION_TIMEOUT_MS = 15_000;
const RETRY_AFTER_MS = 5000;
const STATEMENT_CANCELLED = '57014';

/** Runs reports, and limits the number of connections to each warehouse. */
export class ReportRunner {
  readonly #deps: Deps;
  readonly #limits: ReportLimits;
  /** By destination id. A destination without running reports has no entry. */
  readonly #queues = new Map<string, LimitFunction>();

  constructor(deps: Deps, limits: Partial<ReportLimits> = {}) {
    this.#deps = deps;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /**
   * Runs a report.
   * @throws AppError `analytics_not_ready`, `report_timeout`, `address_refused`, `warehouse_*`.
   */
  async run(pipeline: Pipeline, report: Report, reportArguments: ReportArguments): Promise<ReportResult> {
    const id = pipeline.destination_id;
    const { concurrency, waitingMax } = this.#limits;
    const queue = this.#queues.get(id) ?? pLimit(concurrency);
    if (queue.pendingCount >= waitingMax) {
      throw new AppError(
        'warehouse_busy',
        `${waitingMax} reports already wait for this warehouse. Wait for the time in the Retry-After header, then repeat the request.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.#queues.set(id, queue);
    try {
      return await queue(() => this.#query(pipeline, report, reportArguments));
    } catch (error) {
      throw this.#toReportError(toAppError(error));
    } finally {
      if (queue.activeCount === 0 && queue.pendingCount === 0) this.#queues.delete(id);
    }
  }

  async #query(pipeline: Pipeline, report: Report, reportArguments: ReportArguments): Promise<ReportResult> {
    const destination = await this.#deps.store.destinations.get(pipeline.destination_id);
    const { timeoutMs, rowsMax } = this.#limits;
    const options = { timeoutMs, limit: rowsMax };
    return await withWarehouse(this.#deps, destination, (warehouse) =>
      warehouse.useSql(timeoutMs + CONNECTION_TIMEOUT_MS, (sql) =>
        runReport(sql, toAnalyticsTarget(pipeline), report.name, reportArguments, options),
      ),
    );
  }

  #toReportError(error: AppError): AppError {
    if ((error.cause as { code?: unknown } | undefined)?.code === STATEMENT_CANCELLED) {
      return new AppError(
        'report_timeout',
        `The warehouse cancelled the report after ${this.#limits.timeoutMs / 1000} seconds. Request a shorter interval, or run the SQL of the report in the warehouse.`,
        { cause: error },
      );
    }
    // The models were removed after the last refresh.
    if (error.code === 'conflict') return new AppError('analytics_not_ready', error.message, { cause: error });
    return error;
  }
}

export function toAnalyticsTarget(pipeline: Pipeline): AnalyticsTarget {
  return {
    schema: pipeline.destination_schema,
    tablePrefix: pipeline.table_prefix,
    timeZone: pipeline.analytics_time_zone,
  };
}
