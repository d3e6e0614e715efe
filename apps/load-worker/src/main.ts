import { openControlStore } from '@freshet/control-store';
import { createOutboundPolicy, runService, settings } from '@freshet/runtime';
import { runAnalyticsRefresh } from './analytics-job.ts';
import { runErasure } from './erasure-job.ts';
import { runLoad } from './load-job.ts';
import { createLoadMetrics } from './metrics.ts';
import { removeDeletedTracking } from './tracking-removal.ts';
import { Warehouses } from './warehouses.ts';

/** Loads stored batches into warehouses, refreshes analytics models, and erases personal data. */

/**
 * The number of refreshes of analytics models that this process runs concurrently. They have their
 * own workers, so they never occupy the workers of loads.
 */
const REFRESH_CONCURRENCY = 2;

await runService({
  name: 'load-worker',
  settings: {
    FRESHET_ALLOWED_ADDRESSES: settings.FRESHET_ALLOWED_ADDRESSES,
    FRESHET_CONCURRENCY: settings.integer(1, 64).default(4),
  },
  openStore: (options, env) =>
    openControlStore({ ...options, connections: env.FRESHET_CONCURRENCY, hasGenericPlans: true }),
  start: async ({ env, store, logger, metrics, shutdownSignal }) => {
    const outboundPolicy = createOutboundPolicy(env.FRESHET_ALLOWED_ADDRESSES);
    const warehouses = new Warehouses(store, env.FRESHET_CONCURRENCY, outboundPolicy);
    const context = {
      store,
      warehouses,
      logger,
      metrics: createLoadMetrics(metrics),
      shutdownSignal,
      failures: new Map<string, number>(),
    };
    await store.queue.work('load', { concurrency: env.FRESHET_CONCURRENCY }, ({ pipelineId, object }) =>
      runLoad(context, pipelineId, object),
    );
    await store.queue.work('refresh_analytics', { concurrency: REFRESH_CONCURRENCY }, ({ pipelineId, removal }) =>
      removal === undefined
        ? runAnalyticsRefresh(context, pipelineId)
        : removeDeletedTracking(context, pipelineId, removal),
    );
    await store.queue.work('erase', { concurrency: 1 }, ({ erasureId }) => runErasure(context, erasureId));
    return { releaseResources: () => warehouses.close() };
  },
});
