import type { ControlStore } from '@freshet/control-store';
import { listObjectsToAudit, listObjectsToExtract } from '@freshet/freshdesk-extractor';
import type { Logger } from '@freshet/runtime';
import type { SchedulerMetrics } from './metrics.ts';

/**
 * The longest interval between two ticks. The next tick is earlier if a run is due earlier, or if
 * the schedule of a pipeline changes.
 */
const TICK_INTERVAL_MAX_MS = 5000;
/** The interval while due runs cannot start, for example because too many runs are queued. */
const TICK_INTERVAL_MIN_MS = 500;
/** The maximum number of pipelines whose runs are started in one transaction. */
const DUE_BATCH_SIZE = 50;
const ALERT_INTERVAL_MS = 15_000;
const CLEANUP_INTERVAL_MS = 3_600_000;
const IDEMPOTENCY_RETENTION_HOURS = 24;
const SIGN_IN_RETENTION_HOURS = 24;
/** Events are stored, and can be redelivered, for this long. */
const EVENT_RETENTION_DAYS = 30;

export interface RetentionSettings {
  readonly batchDays: number;
  readonly runDays: number;
  /** Undefined: the audit log is retained without limit. */
  readonly auditLogDays: number | undefined;
}

/**
 * The periodic work of a scheduler: starts due runs and audits, checks freshness and quotas, and
 * deletes expired data. Several schedulers can run at the same time, because each operation of the
 * store is safe to repeat.
 */
export class ScheduleLoop {
  readonly #store: ControlStore;
  readonly #logger: Logger;
  readonly #metrics: SchedulerMetrics;
  readonly #retention: RetentionSettings;
  readonly #shutdownSignal: AbortSignal;
  /** Ends the pause between two ticks. */
  #wake = () => {};
  /** Whether the schedule of a pipeline has changed since the start of the last tick. */
  #hasChanged = false;
  #nextAlertCheckAt = Date.now();
  #nextCleanupAt = Date.now();

  constructor(options: {
    readonly store: ControlStore;
    readonly logger: Logger;
    readonly metrics: SchedulerMetrics;
    readonly retention: RetentionSettings;
    readonly shutdownSignal: AbortSignal;
  }) {
    this.#store = options.store;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#retention = options.retention;
    this.#shutdownSignal = options.shutdownSignal;
  }

  /** Runs until the scheduler shuts down. A failed tick is logged, and the next tick catches up. */
  async run(): Promise<void> {
    const { schedule } = this.#store;
    await schedule.listen(() => {
      this.#hasChanged = true;
      this.#wake();
    });
    this.#shutdownSignal.addEventListener('abort', () => this.#wake());
    while (!this.#shutdownSignal.aborted) {
      const startedAt = performance.now();
      this.#hasChanged = false;
      let pauseMs = TICK_INTERVAL_MIN_MS;
      try {
        pauseMs = await this.#tick();
      } catch (error) {
        this.#logger.warn({ err: error }, 'scheduler tick failed');
      }
      this.#metrics.tick.observe({}, (performance.now() - startedAt) / 1000);
      await this.#pause(pauseMs);
    }
  }

  /**
   * Waits until the time has passed, the schedule of a pipeline changes, or the process shuts down.
   */
  async #pause(ms: number): Promise<void> {
    if (this.#hasChanged || this.#shutdownSignal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** @returns the time until the next tick, in milliseconds. */
  async #tick(): Promise<number> {
    const pauseMs = await this.#startDueRuns();
    if (Date.now() >= this.#nextAlertCheckAt) {
      this.#nextAlertCheckAt = Date.now() + ALERT_INTERVAL_MS;
      await this.#checkAlerts();
    }
    if (Date.now() >= this.#nextCleanupAt) {
      this.#nextCleanupAt = Date.now() + CLEANUP_INTERVAL_MS;
      await this.#deleteExpiredData();
    }
    return pauseMs;
  }

  /** @returns the time until further runs can be due, in milliseconds. */
  async #startDueRuns(): Promise<number> {
    const { schedule } = this.#store;
    const { syncMs, auditMs } = await schedule.findDue();
    const dueMs = Math.ceil(Math.min(syncMs, auditMs));
    if (dueMs > 0) return Math.min(dueMs, TICK_INTERVAL_MAX_MS);
    // After a full batch, more pipelines may be due.
    for (
      let started = syncMs <= 0 ? DUE_BATCH_SIZE : 0;
      started === DUE_BATCH_SIZE && !this.#shutdownSignal.aborted;
    ) {
      started = await schedule.startDueRuns(DUE_BATCH_SIZE, listObjectsToExtract);
      this.#metrics.startedRuns.inc({ kind: 'sync' }, started);
    }
    if (auditMs <= 0) {
      const audits = await schedule.startDueAudits(DUE_BATCH_SIZE, listObjectsToAudit);
      this.#metrics.startedRuns.inc({ kind: 'audit' }, audits);
    }
    return TICK_INTERVAL_MIN_MS;
  }

  async #checkAlerts(): Promise<void> {
    const tables = await this.#store.schedule.checkFreshness();
    if (tables > 0) this.#logger.info({ tables }, 'freshness targets missed or restored');
    const pipelines = await this.#store.alerts.checkQuotas();
    if (pipelines > 0) this.#logger.info({ pipelines }, 'monthly quotas reached or restored');
    await this.#store.alerts.sendDigests();
  }

  async #deleteExpiredData(): Promise<void> {
    const { schedule, auditLog, idempotency, signIns, webhooks } = this.#store;
    const { batchDays, runDays, auditLogDays } = this.#retention;
    const days = await schedule.maintainBatchPartitions(batchDays);
    if (days > 0) this.#logger.info({ days }, 'expired batch partitions dropped');
    const batches = await schedule.pruneLoadedBatches(batchDays);
    if (batches > 0) this.#logger.info({ batches }, 'expired batches deleted');
    const runs = await schedule.pruneRuns(runDays);
    if (runs > 0) this.#logger.info({ runs }, 'expired runs deleted');
    await schedule.pruneLags(runDays);
    if (auditLogDays !== undefined) await auditLog.prune(auditLogDays);
    await idempotency.prune(IDEMPOTENCY_RETENTION_HOURS);
    await signIns.prune(SIGN_IN_RETENTION_HOURS);
    await webhooks.pruneEvents(EVENT_RETENTION_DAYS);
  }
}
