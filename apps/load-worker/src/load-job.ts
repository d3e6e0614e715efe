import { type AppError, toAppError } from '@freshet/contracts';
import type { TableLease } from '@freshet/control-store';
import type { LoadContext } from './context.ts';
import { loadPendingBatches } from './load-slice.ts';
import { WAREHOUSE_ERRORS } from './warehouses.ts';

/**
 * The number of consecutive failures after which the runs of the object fail. Including the
 * backoff, the attempts take about a minute.
 */
const FAILURES_MAX = 7;
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 30_000;

/** Runs one `load` job: applies the pending batches of one table in order. */
export async function runLoad(context: LoadContext, pipelineId: string, object: string): Promise<void> {
  const lease = await context.store.loading.acquire(pipelineId, object);
  if (lease === null) return;
  try {
    await loadPendingBatches(context, lease);
    context.failures.delete(toFailureKey(lease));
  } catch (error) {
    await handleFailure(context, lease, toAppError(error));
  }
}

async function handleFailure(context: LoadContext, lease: TableLease, error: AppError): Promise<void> {
  const { store, warehouses, failures } = context;
  const { loading } = store;
  // Either another worker has acquired the lease and loads the pending batches, or the warehouse
  // has a greater epoch than the control database, for example after a restore. `adoptEpoch` does
  // nothing in the first case.
  if (error.code === 'fenced') return loading.adoptEpoch(lease, Number(error.context['epoch'] ?? 0));
  const { pipelineId, object, destinationId } = lease;
  const logger = context.logger.child({ pipelineId, object });
  if (error.retryAfterMs !== null) {
    logger.info({ reason: error.message, afterMs: error.retryAfterMs }, 'warehouse unavailable, load postponed');
    return loading.requeue(lease, error.retryAfterMs, error);
  }
  if (WAREHOUSE_ERRORS.has(error.code)) warehouses.markUnreachable(destinationId);
  if (error.context['attemptsExhausted'] === true) {
    logger.error({ err: error, destinationId }, 'warehouse unavailable, retries exhausted, runs failed');
    return loading.failDestination(destinationId, error);
  }
  const key = toFailureKey(lease);
  const count = (failures.get(key) ?? 0) + 1;
  failures.set(key, count);
  if (count >= FAILURES_MAX) {
    failures.delete(key);
    logger.error({ err: error }, 'load failed, retries exhausted, runs failed');
    return loading.failTable(lease, error);
  }
  const afterMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (count - 1));
  logger.warn({ err: error, afterMs }, 'load failed, retry scheduled');
  await loading.requeue(lease, afterMs, error);
}

function toFailureKey({ pipelineId, object }: TableLease): string {
  return `${pipelineId}/${object}`;
}
