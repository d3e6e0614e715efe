import { openControlStore } from '@freshet/control-store';
import { createLogger, Metrics, outbound, readSettings, runProcess, settings, startMonitor } from '@freshet/runtime';
import { runErasure } from './erase.ts';
import { loadMetrics } from './metrics.ts';
import { runLoad } from './slice.ts';
import { Warehouses } from './warehouses.ts';

const NAME = 'load-worker';
const logger = createLogger(NAME, process.env['LOG_LEVEL'] || 'info');

await runProcess(NAME, logger, async () => {
  const env = readSettings(
    {
      DATABASE_URL: settings.DATABASE_URL,
      FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS,
      FRESHET_ALLOWED_ADDRESSES: settings.FRESHET_ALLOWED_ADDRESSES,
      FRESHET_CONCURRENCY: settings.wholeNumber(1, 64).default(4),
      HOST: settings.HOST,
      FRESHET_MONITOR_PORT: settings.FRESHET_MONITOR_PORT,
      LOG_LEVEL: settings.LOG_LEVEL,
    },
    process.env,
  );
  const reach = outbound(env.FRESHET_ALLOWED_ADDRESSES);
  const store = await openControlStore({
    name: NAME,
    databaseUrl: env.DATABASE_URL,
    secretKeys: env.FRESHET_SECRET_KEYS,
    connections: env.FRESHET_CONCURRENCY,
    onError: (error) => logger.warn({ err: error }, 'queue trouble'),
  });
  const drain = new AbortController();
  const metrics = new Metrics(NAME);
  const isDraining = () => drain.signal.aborted;
  const monitor = await startMonitor({
    host: env.HOST,
    port: env.FRESHET_MONITOR_PORT,
    metrics,
    check: () => store.ping(),
    isDraining,
  });
  const warehouses = new Warehouses(store, env.FRESHET_CONCURRENCY, reach);
  const context = {
    store,
    warehouses,
    logger,
    metrics: loadMetrics(metrics),
    drain: drain.signal,
    failures: new Map<string, number>(),
  };
  await store.queue.work('load', { concurrency: env.FRESHET_CONCURRENCY }, ({ pipelineId, object }) =>
    runLoad(context, pipelineId, object),
  );
  await store.queue.work('erase', { concurrency: 1 }, ({ erasureId }) => runErasure(context, erasureId));
  logger.info('working');
  return {
    stop: async () => {
      drain.abort();
      await store.close();
      monitor.close();
      await warehouses.close();
    },
  };
});
