import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlStore } from '@freshet/control-store';
import { listObjectsToAudit, listObjectsToExtract } from '@freshet/freshdesk-extractor';
import type { Logger } from '@freshet/runtime';
import type { SchedulerMetrics } from './metrics.ts';

/**
 * The interval between two checks for due pipelines. A scheduled run can start this much later than
 * it is due.
 */
const TICK_INTERVAL_MS = 500;
/** The maximum number of pipelines whose runs are started in one transaction. */
const DUE_BATCH_SIZE = 50;
const ALERT_INTERVAL_MS = 15_000;
const CLEANUP_INTERVAL_MS = 3_600_000;
const IDEMPOTENCY_RETENTION_HOURS = 24;
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
    while (!this.#shutdownSignal.aborted) {
      const startedAt = performance.now();
      await this.#tick().catch((error: unknown) => this.#logger.warn({ err: error }, 'scheduler tick failed'));
      this.#metrics.tick.observe({}, (performance.now() - startedAt) / 1000);
      await sleep(TICK_INTERVAL_MS, undefined, { signal: this.#shutdownSignal }).catch(() => {
        // The shutdown interrupts the sleep.
      });
    }
  }

  async #tick(): Promise<void> {
    await this.#startDueRuns();
    if (Date.now() >= this.#nextAlertCheckAt) {
      this.#nextAlertCheckAt = Date.now() + ALERT_INTERVAL_MS;
      await this.#checkAlerts();
    }
    if (Date.now() >= this.#nextCleanupAt) {
      this.#nextCleanupAt = Date.now() + CLEANUP_INTERVAL_MS;
      await this.#deleteExpiredData();
    }
  }

  async #startDueRuns(): Promise<void> {
    const { schedule } = this.#store;
    const due = await schedule.findDue();
    // After a full batch, more pipelines may be due.
    for (let started = due.sync ? DUE_BATCH_SIZE : 0; started === DUE_BATCH_SIZE && !this.#shutdownSignal.aborted; ) {
      started = await schedule.startDueRuns(DUE_BATCH_SIZE, listObjectsToExtract);
      this.#metrics.startedRuns.inc({ kind: 'sync' }, started);
    }
    if (!due.audit) return;
    const audits = await schedule.startDueAudits(DUE_BATCH_SIZE, listObjectsToAudit);
    this.#metrics.startedRuns.inc({ kind: 'audit' }, audits);
  }

  async #checkAlerts(): Promise<void> {
    const tables = await this.#store.schedule.checkFreshness();
    if (tables > 0) this.#logger.info({ tables }, 'freshness targets missed or restored');
    const pipelines = await this.#store.alerts.checkQuotas();
    if (pipelines > 0) this.#logger.info({ pipelines }, 'monthly quotas reached or restored');
    await this.#store.alerts.sendDigests();
  }

  async #deleteExpiredData(): Promise<void> {
    const { schedule, auditLog, idempotency, webhooks } = this.#store;
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
    await webhooks.pruneEvents(EVENT_RETENTION_DAYS);
  }
}
