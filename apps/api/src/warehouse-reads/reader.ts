import { AppError, toAppError } from '@freshet/contracts';
import { runReadOnly, type SqlTransaction } from '@freshet/warehouse-loader';
import pLimit, { type LimitFunction } from 'p-limit';
import { withWarehouse } from '../connections/warehouse.ts';
import type { Deps } from '../context.ts';

/** Limits of queries, which protect the warehouses and this process. */
export interface ReadLimits {
  /** The server cancels a statement after this many milliseconds, unless the caller sets less. */
  readonly timeoutMs: number;
  /** The maximum number of reads that this process runs concurrently in one warehouse. */
  readonly concurrency: number;
  /** The maximum number of reads that wait for one warehouse. */
  readonly waitingMax: number;
}

const DEFAULT_LIMITS: ReadLimits = { timeoutMs: 30_000, concurrency: 4, waitingMax: 50 };
/** The time for the connection, in addition to the time limit of a statement. */
const CONNECTION_TIMEOUT_MS = 15_000;
const RETRY_AFTER_MS = 5000;
const STATEMENT_CANCELLED = '57014';

/**
 * Reads warehouses on behalf of API requests: reports, lists of tables and previews of rows. All
 * routes share one reader, so that the limits apply to the total number of connections.
 */
export class WarehouseReader {
  readonly #deps: Deps;
  readonly #limits: ReadLimits;
  /** By destination id. A destination without active reads has no entry. */
  readonly #queues = new Map<string, LimitFunction>();

  constructor(deps: Deps, limits: Partial<ReadLimits> = {}) {
    this.#deps = deps;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /**
   * Runs `work` in a read-only transaction of a warehouse. See {@link runReadOnly} for the settings
   * of the transaction. The connection is closed afterwards.
   * @param timeoutMs the server cancels a statement after this many milliseconds. It cannot exceed
   *   the limit of the reader.
   * @throws AppError `warehouse_busy` if too many reads wait, `query_timeout`, `address_refused`,
   *   `warehouse_*`, or any AppError of `work`.
   */
  async read<T>(
    destinationId: string,
    work: (transaction: SqlTransaction) => Promise<T>,
    { timeoutMs = this.#limits.timeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<T> {
    const { concurrency, waitingMax } = this.#limits;
    const queue = this.#queues.get(destinationId) ?? pLimit(concurrency);
    if (queue.pendingCount >= waitingMax) {
      throw new AppError(
        'warehouse_busy',
        `${waitingMax} queries already wait for this warehouse. Wait for the time in the Retry-After header, then repeat the request.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.#queues.set(destinationId, queue);
    const statementTimeoutMs = Math.min(timeoutMs, this.#limits.timeoutMs);
    try {
      return await queue(() => this.#query(destinationId, statementTimeoutMs, work));
    } catch (error) {
      throw toReadError(toAppError(error), statementTimeoutMs);
    } finally {
      if (queue.activeCount === 0 && queue.pendingCount === 0) this.#queues.delete(destinationId);
    }
  }

  async #query<T>(
    destinationId: string,
    timeoutMs: number,
    work: (transaction: SqlTransaction) => Promise<T>,
  ): Promise<T> {
    const destination = await this.#deps.store.destinations.get(destinationId);
    return await withWarehouse(this.#deps, destination, (warehouse) =>
      warehouse.useSql(timeoutMs + CONNECTION_TIMEOUT_MS, (sql) => runReadOnly(sql, timeoutMs, work)),
    );
  }
}

function toReadError(error: AppError, timeoutMs: number): AppError {
  if ((error.cause as { code?: unknown } | undefined)?.code !== STATEMENT_CANCELLED) return error;
  return new AppError(
    'query_timeout',
    `The warehouse cancelled the query after ${timeoutMs / 1000} seconds. Repeat the request when the warehouse is less busy. If the error persists, check whether another session locks the table.`,
    { cause: error, context: { timeoutMs } },
  );
}
