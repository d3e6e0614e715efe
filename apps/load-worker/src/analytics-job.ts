import { refreshAnalytics, removeChangeTracking } from '@freshet/analytics';
import { type AppError, toAppError, withSpan } from '@freshet/contracts';
import type { AnalyticsOutcome, AnalyticsTask } from '@freshet/control-store';
import type { LoadContext } from './context.ts';
import { REMOVAL_TIMEOUT_MS } from './tracking-removal.ts';
import { WAREHOUSE_ERRORS } from './warehouses.ts';

/**
 * The time limit of a refresh. It is shorter than the time limit of a job, so that a warehouse that
 * stopped responding fails the refresh and not the job.
 */
const REFRESH_TIMEOUT_MS = 55 * 60_000;

/**
 * Runs one `refresh_analytics` job: updates the models of a pipeline or, if the models were
 * switched off, removes the change tracking. A failed refresh affects neither runs nor loads. An
 * interrupted job is repeated from the start, because a refresh commits all of its changes or none.
 */
export async function runAnalyticsRefresh(context: LoadContext, pipelineId: string): Promise<void> {
  const { analytics } = context.store;
  const task = await analytics.start(pipelineId);
  if (task === null) return;
  try {
    if (!task.isOn) await removeTracking(context, task);
    else await analytics.complete(task, await refresh(context, task));
  } catch (thrown) {
    await handleFailure(context, task, toAppError(thrown));
  }
}

async function refresh({ warehouses, metrics, logger }: LoadContext, task: AnalyticsTask): Promise<AnalyticsOutcome> {
  const warehouse = await warehouses.open(task.destinationId);
  const startedAt = performance.now();
  const getSeconds = () => (performance.now() - startedAt) / 1000;
  try {
    const outcome = await withSpan(
      'refresh analytics',
      { kind: 'CONSUMER', traceparents: [], attributes: { 'freshet.pipeline_id': task.pipelineId } },
      () => warehouse.useSql(REFRESH_TIMEOUT_MS, (sql) => refreshAnalytics(sql, task)),
    );
    metrics.refreshSeconds.observe({ outcome: outcome.kind }, getSeconds());
    const { kind, tickets, warnings } = outcome;
    const log = { pipelineId: task.pipelineId, kind, tickets, seconds: getSeconds(), warnings: warnings.length };
    logger.info(log, 'analytics models refreshed');
    return outcome;
  } catch (error) {
    metrics.refreshSeconds.observe({ outcome: 'failed' }, getSeconds());
    throw error;
  }
}

async function removeTracking({ store, warehouses, logger }: LoadContext, task: AnalyticsTask): Promise<void> {
  const warehouse = await warehouses.open(task.destinationId);
  await warehouse.useSql(REMOVAL_TIMEOUT_MS, (sql) => removeChangeTracking(sql, task));
  await store.analytics.completeRemoval(task);
  logger.info({ pipelineId: task.pipelineId }, 'change tracking of analytics removed');
}

async function handleFailure(context: LoadContext, task: AnalyticsTask, error: AppError): Promise<void> {
  const { store, warehouses } = context;
  const { destinationId, pipelineId } = task;
  const logger = context.logger.child({ pipelineId });
  if (error.retryAfterMs !== null) {
    logger.info({ reason: error.message, afterMs: error.retryAfterMs }, 'warehouse unavailable, refresh postponed');
    return store.analytics.postpone(task, error.retryAfterMs, error);
  }
  if (WAREHOUSE_ERRORS.has(error.code)) warehouses.markUnreachable(destinationId);
  // After the last permitted ping, the loads that wait for the warehouse fail.
  if (error.context['attemptsExhausted'] === true) await store.loading.failDestination(destinationId, error);
  const hasFailed = await store.analytics.recordFailure(task, error);
  if (hasFailed) logger.error({ err: error }, 'refresh of analytics models failed, retries exhausted');
  else logger.warn({ err: error }, 'refresh of analytics models failed, retry scheduled');
}
