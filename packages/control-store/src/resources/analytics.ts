import { type AppError, ERROR_POLICY, type TrackingRemoval } from '@freshet/contracts';
import { buildColumnList, type Sql, type Tx } from '../database/database.ts';
import { type AnalyticsWarning, analyticsRefreshes } from '../database/schema/index.ts';
import { emit } from '../notifications/events.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { Store } from '../store.ts';

/** The state of the analytics models of a pipeline. */
export type AnalyticsRefresh = typeof analyticsRefreshes.$inferSelect;

/** The data that a worker needs to refresh the models of a pipeline. */
export interface AnalyticsTask {
  readonly pipelineId: string;
  /** False: the pipeline has no models anymore, so the worker removes the change tracking. */
  readonly isOn: boolean;
  readonly destinationId: string;
  readonly schema: string;
  readonly tablePrefix: string;
  /** Null: the time zone of the account's default business calendar. */
  readonly timeZone: string | null;
  readonly startedAt: Date;
  /** The number of requests when the task started. */
  readonly requests: number;
}

/** The result of a refresh. */
export interface AnalyticsOutcome {
  readonly kind: NonNullable<AnalyticsRefresh['kind']>;
  readonly tickets: number;
  readonly warnings: readonly AnalyticsWarning[];
}

interface RefreshError {
  readonly code: string;
  readonly message: string;
}

/** The number of attempts of a refresh. Including the backoff, they take about nine minutes. */
const FAILURES_MAX = 10;
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 300_000;

/** The state of the analytics models, and the jobs that refresh them. */
export class Analytics extends Store {
  /** Finds the states of pipelines, by the id of the pipeline. */
  async findRefreshes(pipelineIds: readonly string[]): Promise<ReadonlyMap<string, AnalyticsRefresh>> {
    if (pipelineIds.length === 0) return new Map();
    const rows = await this.sql<AnalyticsRefresh[]>`
      select ${buildColumnList(this.sql, analyticsRefreshes)} from freshet.analytics_refreshes
      where pipeline_id = any(${[...pipelineIds]})`;
    return new Map(rows.map((row) => [row.pipeline_id, row]));
  }

  /** Starts a refresh, or repeats it after a crash. Null: the pipeline was deleted. */
  async start(pipelineId: string): Promise<AnalyticsTask | null> {
    const [task] = await this.sql<AnalyticsTask[]>`
      select p.id as "pipelineId", p.analytics as "isOn", p.destination_id as "destinationId",
        p.destination_schema as schema, p.table_prefix as "tablePrefix", p.analytics_time_zone as "timeZone",
        clock_timestamp() as "startedAt", coalesce(a.requests, 0) as requests
      from freshet.pipelines p left join freshet.analytics_refreshes a on a.pipeline_id = p.id
      where p.id = ${pipelineId}`;
    return task ?? null;
  }

  /**
   * Stores the result of a refresh. If another refresh was requested in the meantime, the status
   * stays `pending`.
   */
  async complete(task: AnalyticsTask, { kind, tickets, warnings }: AnalyticsOutcome): Promise<void> {
    const { sql } = this;
    await sql`
      update freshet.analytics_refreshes set refreshed_at = ${task.startedAt}, kind = ${kind}, tickets = ${tickets},
        warnings = ${sql.json(warnings as never)}, failures = 0, error_code = null, error_message = null,
        status = case when requests = ${task.requests} then 'succeeded' else 'pending' end
      where pipeline_id = ${task.pipelineId}`;
  }

  /** Deletes the state of a pipeline whose change tracking was removed. */
  async completeRemoval({ pipelineId, requests }: AnalyticsTask): Promise<void> {
    await this.sql`
      delete from freshet.analytics_refreshes where pipeline_id = ${pipelineId} and requests = ${requests}`;
  }

  /** Whether another pipeline maintains models of the tables of a deleted pipeline. */
  async hasModels({ destinationId, schema, tablePrefix }: TrackingRemoval): Promise<boolean> {
    const rows = await this.sql`
      select from freshet.pipelines
      where destination_id = ${destinationId} and destination_schema = ${schema} and table_prefix = ${tablePrefix}
        and analytics`;
    return rows.length > 0;
  }

  /** Repeats the removal of the change tracking of a deleted pipeline after `afterMs`. */
  async postponeRemoval(pipelineId: string, removal: TrackingRemoval, afterMs: number): Promise<void> {
    await this.sql.begin((tx) => requestTrackingRemoval({ tx, queue: this.queue }, pipelineId, removal, afterMs));
  }

  /** Repeats a refresh after `afterMs`, without counting a failed attempt. */
  async postpone(task: AnalyticsTask, afterMs: number, error: RefreshError): Promise<void> {
    await this.sql.begin(async (tx) => {
      const isLatest = await storeError(tx, task, error, 0);
      if (isLatest !== null) await enqueue({ tx, queue: this.queue }, task.pipelineId, afterMs);
    });
  }

  /**
   * Stores a failed attempt, and enqueues the next attempt with exponential backoff. After the last
   * attempt, or after an error that a retry cannot fix, the refresh fails, and `analytics.failed`
   * is emitted. Does nothing if another refresh was requested in the meantime.
   * @returns whether the refresh has failed.
   */
  async recordFailure(task: AnalyticsTask, error: AppError): Promise<boolean> {
    return await this.sql.begin(async (tx) => {
      const failures = await storeError(tx, task, error, 1);
      if (failures === null) return false;
      const isFinal = failures >= FAILURES_MAX || ERROR_POLICY[error.code].job === 'fail';
      if (isFinal) await failAnalyticsRefresh({ tx, queue: this.queue }, task.pipelineId, error);
      else {
        const afterMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (failures - 1));
        await enqueue({ tx, queue: this.queue }, task.pipelineId, afterMs);
      }
      return isFinal;
    });
  }
}

/**
 * Finds the tables of a pipeline whose changes triggers may record, and locks the pipeline. Null:
 * the pipeline never had models, or the triggers were removed.
 */
export async function findTrackedTables(sql: Sql, pipelineId: string): Promise<TrackingRemoval | null> {
  const [tables] = await sql<Omit<TrackingRemoval, 'requestedAt'>[]>`
    select p.destination_id as "destinationId", p.destination_schema as schema, p.table_prefix as "tablePrefix"
    from freshet.pipelines p join freshet.analytics_refreshes a on a.pipeline_id = p.id
    where p.id = ${pipelineId} for update of p`;
  return tables === undefined ? null : { ...tables, requestedAt: new Date().toISOString() };
}

/**
 * Enqueues the removal of the change tracking of a deleted pipeline, in the caller's transaction.
 * The job waits for an active refresh of the pipeline.
 */
export async function requestTrackingRemoval(
  { tx, queue }: JobTransaction,
  pipelineId: string,
  removal: TrackingRemoval,
  startAfterMs = 0,
): Promise<void> {
  const options = { key: pipelineId, replacesWaiting: true, startAfterMs };
  await queue.enqueue(tx, 'refresh_analytics', { pipelineId, removal }, options);
}

/**
 * Requests a refresh of the models of a pipeline, in the caller's transaction. Does nothing if the
 * pipeline has no models.
 */
export async function requestAnalyticsRefresh({ tx, queue }: JobTransaction, pipelineId: string): Promise<void> {
  const [pipeline] = await tx`select id from freshet.pipelines where id = ${pipelineId} and analytics`;
  if (pipeline) await request({ tx, queue }, pipelineId);
}

/**
 * Enqueues the work that a change of the analytics settings requires, in the caller's transaction:
 * a refresh or, if the models were switched off, the removal of the change tracking.
 */
export async function applyAnalyticsSettings(
  { tx, queue }: JobTransaction,
  { id, analytics }: { readonly id: string; readonly analytics: boolean },
): Promise<void> {
  if (analytics) return request({ tx, queue }, id);
  const [state] = await tx`
    update freshet.analytics_refreshes set requests = requests + 1, status = 'pending', failures = 0
    where pipeline_id = ${id} returning pipeline_id`;
  if (state) await enqueue({ tx, queue }, id);
}

/** Enqueues a refresh again, in the caller's transaction. */
export async function retryAnalyticsRefresh({ tx, queue }: JobTransaction, pipelineId: string): Promise<void> {
  await tx`
    update freshet.analytics_refreshes set requests = requests + 1, status = 'pending', failures = 0
    where pipeline_id = ${pipelineId}`;
  await enqueue({ tx, queue }, pipelineId);
}

/** Fails the requested refresh of a pipeline, and emits `analytics.failed`. */
export async function failAnalyticsRefresh(
  { tx, queue }: JobTransaction,
  pipelineId: string,
  { code, message }: RefreshError,
): Promise<void> {
  const [failed] = await tx`
    update freshet.analytics_refreshes set status = 'failed', error_code = ${code}, error_message = ${message}
    where pipeline_id = ${pipelineId} and status = 'pending' returning pipeline_id`;
  if (failed) await emit({ tx, queue }, 'analytics.failed', { pipeline_id: pipelineId, error: { code, message } });
}

async function request({ tx, queue }: JobTransaction, pipelineId: string): Promise<void> {
  await tx`
    insert into freshet.analytics_refreshes (pipeline_id, status, requests) values (${pipelineId}, 'pending', 1)
    on conflict (pipeline_id) do update set
      status = 'pending', requests = analytics_refreshes.requests + 1, failures = 0`;
  await enqueue({ tx, queue }, pipelineId);
}

/**
 * Enqueues the job of a pipeline instead of the waiting job. At most one job is active at a time.
 */
async function enqueue({ tx, queue }: JobTransaction, pipelineId: string, startAfterMs = 0): Promise<void> {
  const options = { key: pipelineId, replacesWaiting: true, startAfterMs };
  await queue.enqueue(tx, 'refresh_analytics', { pipelineId }, options);
}

/**
 * Stores the error of an attempt.
 * @returns the number of failed attempts. Null: another refresh was requested in the meantime, or
 * the state was deleted.
 */
async function storeError(
  tx: Tx,
  { pipelineId, requests }: AnalyticsTask,
  { code, message }: RefreshError,
  failures: number,
): Promise<number | null> {
  const [row] = await tx<{ failures: number }[]>`
    update freshet.analytics_refreshes set error_code = ${code}, error_message = ${message},
      failures = failures + ${failures}
    where pipeline_id = ${pipelineId} and requests = ${requests} returning failures`;
  return row?.failures ?? null;
}
