import { setTimeout as sleep } from 'node:timers/promises';
import { openControlStore } from '@freshet/control-store';
import { objectsToAudit, objectsToRead } from '@freshet/freshdesk-extractor';
import { createLogger, Metrics, outbound, readSettings, runProcess, settings, startMonitor } from '@freshet/runtime';
import { Deliveries } from './deliver.ts';
import { schedulerMetrics } from './metrics.ts';

const NAME = 'scheduler';
const logger = createLogger(NAME, process.env['LOG_LEVEL'] || 'info');

/** How often it looks for due pipelines: what a run may start late. */
const TICK_MS = 500;
/** Pipelines started in one transaction. */
const DUE_MAX = 50;
const FRESHNESS_EVERY_MS = 15_000;
const CLEAN_EVERY_MS = 3_600_000;
const IDEMPOTENCY_RETENTION_HOURS = 24;
/** Events can be delivered again for so long. */
const EVENT_RETENTION_DAYS = 30;
/** A receiver that does not answer holds one of these for its whole time. */
const DELIVERIES_AT_ONCE = 4;

await runProcess(NAME, logger, async () => {
  const env = readSettings(
    {
      DATABASE_URL: settings.DATABASE_URL,
      FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS,
      FRESHET_ALLOWED_ADDRESSES: settings.FRESHET_ALLOWED_ADDRESSES,
      FRESHET_BATCH_RETENTION_DAYS: settings.wholeNumber(1, 3650).default(7),
      FRESHET_RUN_RETENTION_DAYS: settings.wholeNumber(32, 3650).default(400),
      FRESHET_AUDIT_LOG_RETENTION_DAYS: settings.wholeNumber(365, 36_500).optional(),
      SMTP_URL: settings.serverUrl(['smtp:', 'smtps:']).optional(),
      FRESHET_MAIL_FROM: settings.text.optional(),
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
    connections: 2,
    onError: (error) => logger.warn({ err: error }, 'queue trouble'),
  });
  const mail =
    env.SMTP_URL === undefined ? null : { smtpUrl: env.SMTP_URL, from: env.FRESHET_MAIL_FROM ?? 'freshet@localhost' };
  const deliveries = new Deliveries(store, reach, mail);
  const stopping = new AbortController();
  const metrics = new Metrics(NAME);
  const counted = schedulerMetrics(metrics, store);
  await store.queue.work('deliver', { concurrency: DELIVERIES_AT_ONCE }, async ({ deliveryId }) => {
    const taken = await deliveries.deliver(deliveryId);
    if (taken !== null) counted.deliveries.inc({ outcome: taken ? 'taken' : 'not_taken' });
  });
  await store.queue.workDead(async (died) => {
    logger.error({ queue: died.queue, data: died.data, attempts: died.attempts, reason: died.reason }, 'job set aside');
    await store.deadJobs.setAside(died);
  });
  const isDraining = () => stopping.signal.aborted;
  const check = () => store.ping();
  const monitor = await startMonitor({
    host: env.HOST,
    port: env.FRESHET_MONITOR_PORT,
    metrics,
    refresh: counted.refresh,
    check,
    isDraining,
  });
  let cleanAt = Date.now();
  let freshnessAt = Date.now();
  const tick = async () => {
    // A full answer means that more are due.
    for (let due = DUE_MAX; due === DUE_MAX && !stopping.signal.aborted; ) {
      due = await store.schedule.startDue(DUE_MAX, objectsToRead);
      counted.started.inc({ kind: 'sync' }, due);
    }
    counted.started.inc({ kind: 'audit' }, await store.schedule.startDueAudits(DUE_MAX, objectsToAudit));
    if (Date.now() >= freshnessAt) {
      freshnessAt = Date.now() + FRESHNESS_EVERY_MS;
      const told = await store.schedule.checkFreshness();
      if (told > 0) logger.info({ told }, 'freshness has changed');
      const quotas = await store.alerts.checkQuotas();
      if (quotas > 0) logger.info({ quotas }, 'quotas were reached or have room again');
      await store.alerts.sendDigests();
    }
    if (Date.now() >= cleanAt) {
      cleanAt = Date.now() + CLEAN_EVERY_MS;
      const days = await store.schedule.keepBatchPartitions(env.FRESHET_BATCH_RETENTION_DAYS);
      if (days > 0) logger.info({ days }, 'days of old batches dropped');
      const deleted = await store.schedule.deleteLoadedBatches(env.FRESHET_BATCH_RETENTION_DAYS);
      if (deleted > 0) logger.info({ deleted }, 'old batches deleted');
      const runs = await store.schedule.deleteRuns(env.FRESHET_RUN_RETENTION_DAYS);
      if (runs > 0) logger.info({ runs }, 'old runs deleted');
      await store.schedule.deleteLags(env.FRESHET_RUN_RETENTION_DAYS);
      if (env.FRESHET_AUDIT_LOG_RETENTION_DAYS !== undefined)
        await store.auditLog.deleteOlderThan(env.FRESHET_AUDIT_LOG_RETENTION_DAYS);
      await store.idempotency.deleteOlderThan(IDEMPOTENCY_RETENTION_HOURS);
      await store.webhooks.deleteEvents(EVENT_RETENTION_DAYS);
    }
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      // Trouble with the database is waited out: the next tick makes up for what was missed.
      const began = performance.now();
      await tick().catch((error: unknown) => logger.warn({ err: error }, 'tick failed'));
      counted.tick.observe({}, (performance.now() - began) / 1000);
      await sleep(TICK_MS, undefined, { signal: stopping.signal }).catch(() => {
        // Woken to stop.
      });
    }
  };
  const looping = loop();
  logger.info('working');
  return {
    stop: async () => {
      stopping.abort();
      await looping;
      await store.close();
      await deliveries.close();
      monitor.close();
    },
  };
});
