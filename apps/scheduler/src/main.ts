import { openControlStore } from '@freshet/control-store';
import { createOutboundPolicy, runService, settings } from '@freshet/runtime';
import { Deliveries } from './deliveries.ts';
import { schedulerMetrics } from './metrics.ts';
import { ScheduleLoop } from './schedule-loop.ts';

/** Starts due runs, delivers events, stores dead jobs, and deletes expired data. */

/**
 * The maximum number of concurrent deliveries. A receiver that does not respond occupies one
 * delivery until the timeout.
 */
const DELIVERY_CONCURRENCY = 4;

await runService({
  name: 'scheduler',
  settings: {
    FRESHET_ALLOWED_ADDRESSES: settings.FRESHET_ALLOWED_ADDRESSES,
    FRESHET_BATCH_RETENTION_DAYS: settings.integer(1, 3650).default(7),
    FRESHET_RUN_RETENTION_DAYS: settings.integer(32, 3650).default(400),
    FRESHET_AUDIT_LOG_RETENTION_DAYS: settings.integer(365, 36_500).optional(),
    SMTP_URL: settings.serverUrl(['smtp:', 'smtps:']).optional(),
    FRESHET_MAIL_FROM: settings.string.optional(),
  },
  openStore: (options) => openControlStore({ ...options, connections: 2 }),
  start: async ({ env, store, logger, metrics: registry, shutdownSignal }) => {
    const outboundPolicy = createOutboundPolicy(env.FRESHET_ALLOWED_ADDRESSES);
    const mail =
      env.SMTP_URL === undefined ? null : { smtpUrl: env.SMTP_URL, from: env.FRESHET_MAIL_FROM ?? 'freshet@localhost' };
    const deliveries = new Deliveries(store, outboundPolicy, mail);
    const metrics = schedulerMetrics(registry, store);
    await store.queue.work('deliver', { concurrency: DELIVERY_CONCURRENCY }, async ({ deliveryId }) => {
      const isDelivered = await deliveries.deliver(deliveryId);
      if (isDelivered !== null) metrics.deliveries.inc({ outcome: isDelivered ? 'taken' : 'not_taken' });
    });
    await store.queue.workDeadLetters(async (job) => {
      const { queue, data, attempts, reason } = job;
      logger.error({ queue, data, attempts, reason }, 'job moved to the dead-letter queue');
      await store.deadJobs.record(job);
    });
    const retention = {
      batchDays: env.FRESHET_BATCH_RETENTION_DAYS,
      runDays: env.FRESHET_RUN_RETENTION_DAYS,
      auditLogDays: env.FRESHET_AUDIT_LOG_RETENTION_DAYS,
    };
    const loop = new ScheduleLoop({ store, logger, metrics, retention, shutdownSignal }).run();
    return {
      refreshMetrics: metrics.refresh,
      stopIntake: () => loop,
      releaseResources: () => deliveries.close(),
    };
  },
});
