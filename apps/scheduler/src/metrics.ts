import type { ControlStore } from '@freshet/control-store';
import type { Metrics } from '@freshet/runtime';

/** A scrape may come from several servers at once; the database is asked no more often than this. */
const REFRESH_MS = 5000;

/**
 * What a scheduler counts, and what it tells of the whole deployment: each scheduler tells the same, so that dashboards take the
 * greatest. Nothing is told by pipeline, of which there may be thousands: the API has that.
 */
export function schedulerMetrics(metrics: Metrics, store: ControlStore) {
  const gauges = {
    jobs: metrics.gauge('queue_jobs', 'Jobs of a queue: ready to be worked on, deferred, or active.', [
      'queue',
      'state',
    ]),
    oldest: metrics.gauge('queue_oldest_seconds', 'For how long the oldest job that is ready has been.', ['queue']),
    unloadedBytes: metrics.gauge(
      'unloaded_bytes',
      'Bytes of batches that are stored and not loaded yet, compressed.',
      [],
    ),
    unloadedBatches: metrics.gauge('unloaded_batches', 'Batches that are stored and not loaded yet.', []),
    rejected: metrics.gauge('rejected_records', 'Rejected records that wait to be replayed or discarded.', []),
    failedUnits: metrics.gauge('failed_units', 'Units of work that could not be read and are set aside.', []),
    dead: metrics.gauge('dead_jobs', 'Jobs that were set aside.', []),
    runs: metrics.gauge('open_runs', 'Runs that are queued or running.', []),
    staleness: metrics.gauge(
      'staleness_seconds',
      'How far an object’s table is behind, in the pipeline where it is furthest behind.',
      ['object'],
    ),
    missed: metrics.gauge('freshness_missed', 'Pipelines in which an object is further behind than it may be.', [
      'object',
    ]),
    findings: metrics.gauge('audit_findings', 'What the newest audit of each pipeline has repaired.', ['finding']),
    credits: metrics.gauge(
      'credits_used_ratio',
      'Of an account’s credits of this minute, the part that is used. The busiest 50 accounts.',
      ['account'],
    ),
    throttled: metrics.gauge('account_throttled', '1 while Freshdesk has told an account to wait.', ['account']),
  };
  let readAt = 0;
  return {
    started: metrics.counter('pipelines_due_total', 'Pipelines whose runs were started because they were due.', [
      'kind',
    ]),
    deliveries: metrics.counter('deliveries_total', 'Attempts to deliver an event.', ['outcome']),
    tick: metrics.histogram(
      'tick_seconds',
      'How long it took to look for what is due.',
      [],
      [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    ),
    refresh: async () => {
      if (Date.now() - readAt < REFRESH_MS) return;
      readAt = Date.now();
      const backlog = await store.backlog();
      for (const gauge of Object.values(gauges)) gauge.reset();
      for (const { queue, ready, deferred, active, oldestSeconds } of backlog.queues) {
        gauges.jobs.set({ queue, state: 'ready' }, ready);
        gauges.jobs.set({ queue, state: 'deferred' }, deferred);
        gauges.jobs.set({ queue, state: 'active' }, active);
        gauges.oldest.set({ queue }, oldestSeconds);
      }
      gauges.unloadedBytes.set({}, backlog.unloadedBytes);
      gauges.unloadedBatches.set({}, backlog.unloadedBatches);
      gauges.rejected.set({}, backlog.rejectedRecords);
      gauges.failedUnits.set({}, backlog.failedUnits);
      gauges.dead.set({}, backlog.deadJobs);
      gauges.runs.set({}, backlog.openRuns);
      for (const { object, seconds, missed } of backlog.freshness) {
        gauges.staleness.set({ object }, seconds);
        gauges.missed.set({ object }, missed);
      }
      for (const { finding, records } of backlog.findings) gauges.findings.set({ finding }, records);
      for (const { account, used, blocked } of backlog.credits) {
        gauges.credits.set({ account }, used);
        gauges.throttled.set({ account }, blocked ? 1 : 0);
      }
    },
  };
}
