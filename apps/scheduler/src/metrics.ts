import type { ControlStore } from '@freshet/control-store';
import type { Metrics } from '@freshet/runtime';

/**
 * The minimum interval between two refreshes of the gauges. It limits the number of queries when
 * several monitoring servers scrape the process at the same time.
 */
const REFRESH_INTERVAL_MS = 5000;

/**
 * Registers the metrics of a scheduler, and the gauges of the deployment. Every scheduler exports
 * the same values for the deployment, so dashboards must aggregate these values with `max`. No
 * metric has a pipeline label, because the number of pipelines is not bounded. The API reports the
 * values of single pipelines.
 */
export function schedulerMetrics(metrics: Metrics, store: ControlStore) {
  return {
    startedRuns: metrics.counter('pipelines_due_total', 'Scheduled runs started, by kind of run.', ['kind']),
    deliveries: metrics.counter('deliveries_total', 'Attempts to deliver an event, by outcome.', ['outcome']),
    tick: metrics.histogram(
      'tick_seconds',
      'Duration of a scheduler tick.',
      [],
      [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    ),
    refresh: createGaugeRefresh(metrics, store),
  };
}
export type SchedulerMetrics = ReturnType<typeof schedulerMetrics>;

/**
 * Registers the gauges of the deployment. Returns a function that updates the gauges from the
 * store.
 */
function createGaugeRefresh(metrics: Metrics, store: ControlStore): () => Promise<void> {
  const gauges = registerGauges(metrics);
  let refreshedAt = 0;
  return async () => {
    if (Date.now() - refreshedAt < REFRESH_INTERVAL_MS) return;
    refreshedAt = Date.now();
    const backlog = await store.getBacklog();
    for (const gauge of Object.values(gauges)) gauge.reset();
    for (const { queue, ready, deferred, active, oldestSeconds } of backlog.queues) {
      gauges.jobs.set({ queue, state: 'ready' }, ready);
      gauges.jobs.set({ queue, state: 'deferred' }, deferred);
      gauges.jobs.set({ queue, state: 'active' }, active);
      gauges.oldestJob.set({ queue }, oldestSeconds);
    }
    gauges.unloadedBytes.set({}, backlog.unloadedBytes);
    gauges.unloadedBatches.set({}, backlog.unloadedBatches);
    gauges.rejectedRecords.set({}, backlog.rejectedRecords);
    gauges.failedUnits.set({}, backlog.failedUnits);
    gauges.deadJobs.set({}, backlog.deadJobs);
    gauges.openRuns.set({}, backlog.openRuns);
    gauges.failedRefreshes.set({}, backlog.failedRefreshes);
    for (const { object, seconds, missed } of backlog.freshness) {
      gauges.staleness.set({ object }, seconds);
      gauges.freshnessMissed.set({ object }, missed);
    }
    for (const { finding, records } of backlog.findings) gauges.auditFindings.set({ finding }, records);
    for (const { account, used, blocked } of backlog.credits) {
      gauges.creditsUsed.set({ account }, used);
      gauges.throttled.set({ account }, blocked ? 1 : 0);
    }
  };
}

function registerGauges(metrics: Metrics) {
  return {
    jobs: metrics.gauge('queue_jobs', 'Jobs in a queue, by state: ready, deferred or active.', ['queue', 'state']),
    oldestJob: metrics.gauge('queue_oldest_seconds', 'Age of the oldest ready job in a queue.', ['queue']),
    unloadedBytes: metrics.gauge('unloaded_bytes', 'Compressed size of the batches that wait to be loaded.', []),
    unloadedBatches: metrics.gauge('unloaded_batches', 'Batches that wait to be loaded.', []),
    rejectedRecords: metrics.gauge('rejected_records', 'Rejected records not yet replayed or discarded.', []),
    failedUnits: metrics.gauge('failed_units', 'Failed units of extraction, excluded from their runs and retried.', []),
    deadJobs: metrics.gauge('dead_jobs', 'Jobs in the dead-letter queue.', []),
    openRuns: metrics.gauge('open_runs', 'Runs that are queued or running.', []),
    failedRefreshes: metrics.gauge(
      'analytics_failed',
      'Pipelines whose last refresh of analytics models failed after all retries.',
      [],
    ),
    staleness: metrics.gauge('staleness_seconds', 'Maximum staleness of an object across all pipelines.', ['object']),
    freshnessMissed: metrics.gauge('freshness_missed', 'Pipelines in which an object misses its freshness target.', [
      'object',
    ]),
    auditFindings: metrics.gauge(
      'audit_findings',
      'Records that the latest audits have repaired across all pipelines, by finding.',
      ['finding'],
    ),
    creditsUsed: metrics.gauge(
      'credits_used_ratio',
      'Fraction of the credits of the current minute that an account has used. Only the 50 busiest accounts are exported.',
      ['account'],
    ),
    throttled: metrics.gauge(
      'account_throttled',
      '1 while requests to an account wait for a Retry-After period to end.',
      ['account'],
    ),
  };
}
