import { openControlStore } from '@freshet/control-store';
import { createOutboundPolicy, runService, settings } from '@freshet/runtime';
import { extractMetrics } from './metrics.ts';
import { runSlice } from './slice.ts';

/** Extracts records from Freshdesk accounts. Each `extract` job is one slice of an object run. */

const MIB = 1024 * 1024;

await runService({
  name: 'extract-worker',
  settings: {
    FRESHDESK_ORIGIN: settings.FRESHDESK_ORIGIN,
    FRESHET_ANSWER_MIB_MAX: settings.integer(1, 512).default(128),
    FRESHET_UNLOADED_MIB_MAX: settings.integer(1, 1_000_000).default(512),
    FRESHET_CONCURRENCY: settings.integer(1, 64).default(8),
    FRESHET_ALLOWED_ADDRESSES: settings.FRESHET_ALLOWED_ADDRESSES,
  },
  openStore: (options, env) =>
    openControlStore({ ...options, connections: env.FRESHET_CONCURRENCY, hasGenericPlans: true }),
  start: async ({ env, store, logger, metrics, shutdownSignal }) => {
    const context = {
      store,
      logger,
      metrics: extractMetrics(metrics),
      originTemplate: env.FRESHDESK_ORIGIN ?? null,
      responseBytesMax: env.FRESHET_ANSWER_MIB_MAX * MIB,
      unloadedBytesMax: env.FRESHET_UNLOADED_MIB_MAX * MIB,
      outboundPolicy: createOutboundPolicy(env.FRESHET_ALLOWED_ADDRESSES),
      shutdownSignal,
    };
    await store.queue.work('extract', { concurrency: env.FRESHET_CONCURRENCY }, ({ objectRunId }) =>
      runSlice(context, objectRunId),
    );
    return {};
  },
});
