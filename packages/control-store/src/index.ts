/**
 * Everything durable between the API and the workers: resources, runs, batches, child work, credits, secrets,
 * queues. Hides PostgreSQL, pg-boss and the transactions that keep them consistent; promises that each method
 * happens whole or not at all. Start reading at `schema.ts`, then `extraction.ts` and `loading.ts`.
 */

import {
  ambientSql,
  checkSchema,
  connect,
  databaseError,
  migrateControlDatabase,
  patiently,
} from './database/database.ts';
import { Alerts } from './notifications/alerts.ts';
import { Webhooks } from './notifications/webhooks.ts';
import { Credentials } from './resources/credentials.ts';
import { Destinations } from './resources/destinations.ts';
import { Pipelines } from './resources/pipelines.ts';
import { Erasures } from './runs/erasures.ts';
import { FailedUnits } from './runs/failed-units.ts';
import { Rebuilds } from './runs/rebuilds.ts';
import { Refreshes } from './runs/refreshes.ts';
import { RejectedRecords } from './runs/rejected-records.ts';
import { Runs } from './runs/runs.ts';
import { Schedule } from './runs/schedule.ts';
import { AuditLog } from './security/audit-log.ts';
import { Idempotency } from './security/idempotency.ts';
import { rotateKeys } from './security/rotate-keys.ts';
import { SecretBox } from './security/secret-box.ts';
import { Tokens } from './security/tokens.ts';
import { type Backlog, readBacklog } from './work/backlog.ts';
import { CreditBudgets } from './work/credit-budgets.ts';
import { DeadJobs } from './work/dead-jobs.ts';
import { Extraction } from './work/extraction.ts';
import { Loading } from './work/loading.ts';
import { Processes } from './work/processes.ts';
import { JobQueue } from './work/queue.ts';

export { migrateControlDatabase } from './database/database.ts';
export type { List, ListOptions } from './database/pagination.ts';
export {
  CREDENTIAL_TYPES,
  type CredentialType,
  type CronSchedule,
  DELIVERY_STATUSES,
  type DeliveryStatus,
  type ErasedFrom,
  type MonthlyQuota,
  type ObjectChoice,
  type RecordSpike,
  SSL_MODES,
  type SslMode,
  TOKEN_ROLES,
  type TokenRole,
} from './database/schema.ts';
export type { Attempt, AttemptOutcome, Delivery, NewWebhook, Webhook, WebhookInput } from './notifications/webhooks.ts';
export type { Credential } from './resources/credentials.ts';
export type { Destination, DestinationInput } from './resources/destinations.ts';
export type { Pipeline, PipelineFilter, PipelineInput, PipelineObject } from './resources/pipelines.ts';
export { findScheduleProblems } from './runs/cron.ts';
export type { Erasure, ErasureClaim, ErasureOutcome } from './runs/erasures.ts';
export type { FailedUnitFilter, FailedUnitInfo } from './runs/failed-units.ts';
export type { Rebuild } from './runs/rebuilds.ts';
export type { Wanted } from './runs/refreshes.ts';
export type { RejectedFilter, RejectedRecordInfo } from './runs/rejected-records.ts';
export type { ObjectRun, ObjectToRead, Run, StartedRun, Usage } from './runs/runs.ts';
export type { AuditEntry, AuditFilter } from './security/audit-log.ts';
export type { Answer, KeyedRequest } from './security/idempotency.ts';
export { SecretBox } from './security/secret-box.ts';
export {
  isToken,
  type NewToken,
  newToken,
  type Token,
  type TokenIdentity,
  type TokenInput,
} from './security/tokens.ts';
export type { Backlog } from './work/backlog.ts';
export type { DeadJob } from './work/dead-jobs.ts';
export type { Claim, ParentState, Step } from './work/extraction.ts';
export type { LoadClaim, LoadOutcome, PendingBatch } from './work/loading.ts';
export type { LivingProcess } from './work/processes.ts';

export interface ControlStoreOptions {
  /** What kind of process this is: `api`, `load-worker`, …; absent: none of those that keep running. */
  readonly name?: string;
  readonly databaseUrl: string;
  /** `<id>:<base64 of 32 bytes>`, comma-separated, newest first. */
  readonly secretKeys: string;
  /** Whether this process also looks after the queues. */
  readonly supervise?: boolean;
  /** Connections to the control database, beside the queue's. */
  readonly connections?: number;
  /** Told of trouble in the background, such as a lost connection that is being made again. */
  readonly onError: (error: Error) => void;
}

export interface ControlStore {
  readonly credentials: Credentials;
  readonly destinations: Destinations;
  readonly pipelines: Pipelines;
  readonly runs: Runs;
  readonly extraction: Extraction;
  readonly loading: Loading;
  readonly rejectedRecords: RejectedRecords;
  readonly failedUnits: FailedUnits;
  readonly rebuilds: Rebuilds;
  readonly refreshes: Refreshes;
  readonly erasures: Erasures;
  readonly budgets: CreditBudgets;
  readonly schedule: Schedule;
  readonly alerts: Alerts;
  readonly tokens: Tokens;
  readonly idempotency: Idempotency;
  readonly auditLog: AuditLog;
  readonly webhooks: Webhooks;
  readonly deadJobs: DeadJobs;
  readonly processes: Processes;
  readonly queue: JobQueue;
  /** Whatever the store's methods do within `work` happens as a whole, or not at all. */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
  /** Puts every sealed text under the newest key; returns how many. */
  rotateKeys(): Promise<number>;
  /** How much work waits. */
  backlog(): Promise<Backlog>;
  /** Resolves if the database answers, and has the tables that this release needs. */
  ping(): Promise<void>;
  /** Lets handlers finish, at most so long, then closes every connection. */
  close(timeoutMs?: number): Promise<void>;
}

/** Migrates the database if it needs it, starts the queues, and opens the store. */
export function openControlStore(options: ControlStoreOptions): Promise<ControlStore> {
  return patiently(() => open(options));
}

async function open(options: ControlStoreOptions): Promise<ControlStore> {
  const box = new SecretBox(options.secretKeys);
  await migrateControlDatabase(options.databaseUrl);
  const connections = options.connections ?? 5;
  const pool = connect(options.databaseUrl, connections);
  const budgetSql = connect(options.databaseUrl, 2, { synchronous_commit: 'off' });
  const { sql, db, transaction } = ambientSql(pool);
  const queue = new JobQueue(options.databaseUrl, {
    name: options.name ?? 'freshet',
    supervise: options.supervise ?? true,
    onError: options.onError,
  });
  const closeClients = () => Promise.all([pool.end({ timeout: 5 }), budgetSql.end({ timeout: 5 })]);
  try {
    await queue.start();
  } catch (error) {
    await queue.stop(0).catch(() => {
      // It has not come up: there is nothing to stop but what it has begun.
    });
    await closeClients();
    throw databaseError(error);
  }
  const runs = new Runs(sql, queue);
  return {
    credentials: new Credentials(db, sql, box),
    destinations: new Destinations(db, sql),
    pipelines: new Pipelines(db, sql),
    runs,
    extraction: new Extraction(sql, queue, box),
    loading: new Loading(sql, queue, box),
    rejectedRecords: new RejectedRecords(sql, queue, box),
    failedUnits: new FailedUnits(sql, queue),
    rebuilds: new Rebuilds(sql, queue),
    refreshes: new Refreshes(sql, queue),
    erasures: new Erasures(sql, queue, box),
    budgets: new CreditBudgets(budgetSql),
    schedule: new Schedule(sql, runs, queue),
    alerts: new Alerts(sql, runs, queue),
    tokens: new Tokens(db, sql),
    idempotency: new Idempotency(sql, box),
    auditLog: new AuditLog(db, sql),
    webhooks: new Webhooks(db, sql, queue, box),
    deadJobs: new DeadJobs(sql, queue),
    processes: new Processes(sql),
    queue,
    backlog: () => readBacklog(sql),
    transaction,
    rotateKeys: () => rotateKeys(sql, box),
    ping: async () => {
      await checkSchema(sql);
    },
    close: async (timeoutMs = 30_000) => {
      await queue.stop(timeoutMs);
      await closeClients();
    },
  };
}
