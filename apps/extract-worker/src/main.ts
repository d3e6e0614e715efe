import { openControlStore } from '@freshet/control-store';
import { createLogger, Metrics, readSettings, runProcess, settings, startMonitor } from '@freshet/runtime';
import { extractMetrics } from './metrics.ts';
import { runSlice } from './slice.ts';

const NAME = 'extract-worker';
const logger = createLogger(NAME, process.env['LOG_LEVEL'] || 'info');

await runProcess(NAME, logger, async () => {
  const env = readSettings(
    {
      DATABASE_URL: settings.DATABASE_URL,
      FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS,
      FRESHDESK_ORIGIN: settings.FRESHDESK_ORIGIN,
      FRESHET_ANSWER_MIB_MAX: settings.wholeNumber(1, 512).default(128),
      FRESHET_UNLOADED_MIB_MAX: settings.wholeNumber(1, 1_000_000).default(512),
      FRESHET_CONCURRENCY: settings.wholeNumber(1, 64).default(8),
      HOST: settings.HOST,
      FRESHET_MONITOR_PORT: settings.FRESHET_MONITOR_PORT,
      LOG_LEVEL: settings.LOG_LEVEL,
    },
    process.env,
  );
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
  const context = {
    store,
    logger,
    metrics: extractMetrics(metrics),
    originTemplate: env.FRESHDESK_ORIGIN ?? null,
    answerBytesMax: env.FRESHET_ANSWER_MIB_MAX * 1024 * 1024,
    unloadedBytesMax: env.FRESHET_UNLOADED_MIB_MAX * 1024 * 1024,
    drain: drain.signal,
  };
  await store.queue.work('extract', { concurrency: env.FRESHET_CONCURRENCY }, ({ objectRunId }) =>
    runSlice(context, objectRunId),
  );
  logger.info('working');
  return {
    stop: async () => {
      drain.abort();
      await store.close();
      monitor.close();
    },
  };
});
