import { removeChangeTracking } from '@freshet/analytics';
import { type AppError, type TrackingRemoval, toAppError } from '@freshet/contracts';
import type { LoadContext } from './context.ts';
import { WAREHOUSE_ERRORS } from './warehouses.ts';

export const REMOVAL_TIMEOUT_MS = 60_000;
/** The time for which a removal waits for an unreachable warehouse. */
const WAIT_MS_MAX = 24 * 3600_000;

/**
 * Removes the triggers that record the changes of a deleted pipeline's tables. Does nothing if
 * another pipeline maintains models of these tables, or if the destination was deleted.
 *
 * An unreachable warehouse postpones the job, at most for a day. Other errors are thrown, so that
 * the queue retries the job. After the last attempt, the job is a dead job, which a user can retry.
 * @throws AppError `warehouse_*`.
 */
export async function removeDeletedTracking(
  context: LoadContext,
  pipelineId: string,
  removal: TrackingRemoval,
): Promise<void> {
  const { store, warehouses } = context;
  const { destinationId, schema, tablePrefix } = removal;
  const logger = context.logger.child({ pipelineId, destinationId, schema });
  if (await store.analytics.hasModels(removal)) return;
  try {
    const warehouse = await warehouses.open(destinationId);
    await warehouse.useSql(REMOVAL_TIMEOUT_MS, (sql) =>
      removeChangeTracking(sql, { schema, tablePrefix, timeZone: null }),
    );
    logger.info('change tracking of a deleted pipeline removed');
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code === 'not_found') logger.warn('destination deleted, change tracking of analytics not removed');
    else await handleFailure(context, pipelineId, removal, error);
  }
}

async function handleFailure(
  { store, warehouses, logger }: LoadContext,
  pipelineId: string,
  removal: TrackingRemoval,
  error: AppError,
): Promise<void> {
  const { destinationId, requestedAt } = removal;
  const isRecent = Date.now() - Date.parse(requestedAt) < WAIT_MS_MAX;
  if (error.retryAfterMs !== null && isRecent) {
    logger.info({ pipelineId, reason: error.message }, 'warehouse unavailable, removal of change tracking postponed');
    return store.analytics.postponeRemoval(pipelineId, removal, error.retryAfterMs);
  }
  if (WAREHOUSE_ERRORS.has(error.code)) warehouses.markUnreachable(destinationId);
  // After the last permitted ping, the loads that wait for the warehouse fail.
  if (error.context['attemptsExhausted'] === true) await store.loading.failDestination(destinationId, error);
  throw error;
}
