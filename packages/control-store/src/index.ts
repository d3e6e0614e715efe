/**
 * The durable state between the API and the workers: resources, runs, batches, work queues, credits
 * and secrets. The package encapsulates PostgreSQL, pg-boss and the transactions that keep the
 * state consistent. A method commits all of its changes or none of them, unless it works in chunks,
 * as retention, erasures and key rotation do.
 *
 * Start with the tables in `database/schema/`, then read `extraction/commit-step.ts` and
 * `loading/mark-loaded.ts`.
 *
 * Layers, from low to high, where each layer imports only lower layers: `database` →
 * `security/secret-box.ts`, `queue` → `store.ts` → `notifications`, `security` → `resources` →
 * `runs` → `extraction`, `loading`, `scheduling`, `operations`. `credits` needs only `database`.
 */

import { CreditBudgets } from './credits/credit-budgets.ts';
import { connect, createAmbientSql, retryUntilAvailable, toDatabaseError } from './database/database.ts';
import { checkMigrations, migrateControlDatabase } from './database/migrations.ts';
import { ExtractionStore } from './extraction/extraction-store.ts';
import { LoadStore } from './loading/load-store.ts';
import { Webhooks } from './notifications/webhooks.ts';
import { type Backlog, getBacklog } from './operations/backlog.ts';
import { DeadJobs } from './operations/dead-jobs.ts';
import { Processes } from './operations/processes.ts';
import { JobQueue } from './queue/job-queue.ts';
import { Analytics } from './resources/analytics.ts';
import { Credentials } from './resources/credentials.ts';
import { Destinations } from './resources/destinations.ts';
import { Pipelines } from './resources/pipelines.ts';
import { Erasures } from './runs/erasures.ts';
import { FailedUnits } from './runs/failed-units.ts';
import { Rebuilds } from './runs/rebuilds.ts';
import { Refreshes } from './runs/refreshes.ts';
import { RejectedRecords } from './runs/rejected-records.ts';
import { Runs } from './runs/runs.ts';
import { Alerts } from './scheduling/alerts.ts';
import { Schedule } from './scheduling/schedule.ts';
import { AuditLog } from './security/audit-log.ts';
import { Idempotency } from './security/idempotency.ts';
import { rotateKeys } from './security/rotate-keys.ts';
import { SecretBox } from './security/secret-box.ts';
import { SignIns } from './security/sign-ins.ts';
import { Tokens } from './security/tokens.ts';

export { type ControlDatabaseState, inspectControlDatabase } from './database/inspection.ts';
export { migrateControlDatabase } from './database/migrations.ts';
export type { List, ListOptions } from './database/pagination.ts';
export {
  type AnalyticsWarning,
  CREDENTIAL_TYPES,
  type CredentialType,
  type CronSchedule,
  DELIVERY_STATUSES,
  type DeliveryStatus,
  type ErasedObject,
  type MonthlyQuota,
  type ObjectSettings,
  type RecordSpike,
  SSL_MODES,
  type SslMode,
  TOKEN_ROLES,
  type TokenRole,
} from './database/schema/index.ts';
export type { ParentState } from './extraction/extraction-store.ts';
export type { ObjectRunLease } from './extraction/lease.ts';
export type { Step } from './extraction/step.ts';
export type { LoadOutcome } from './loading/load-outcome.ts';
export type { PendingBatch } from './loading/load-store.ts';
export type { TableLease } from './loading/table-lease.ts';
export type { AttemptOutcome, Delivery, DeliveryAttempt } from './notifications/webhook-deliveries.ts';
export type { NewWebhook, Webhook, WebhookInput } from './notifications/webhooks.ts';
export type { Backlog } from './operations/backlog.ts';
export type { DeadJob } from './operations/dead-jobs.ts';
export type { ProcessInfo } from './operations/processes.ts';
export type { AnalyticsOutcome, AnalyticsRefresh, AnalyticsTask } from './resources/analytics.ts';
export type { Credential } from './resources/credentials.ts';
export { findScheduleProblems } from './resources/cron.ts';
export type { Destination, DestinationInput } from './resources/destinations.ts';
export type { Pipeline, PipelineFilter, PipelineInput, PipelineObject } from './resources/pipelines.ts';
export type { Erasure, ErasureOutcome, ErasureTask } from './runs/erasures.ts';
export type { FailedUnitFilter, FailedUnitInfo } from './runs/failed-units.ts';
export type { DailyUsage, PipelineActivity, PipelineSummary, RunSummary } from './runs/pipeline-activity.ts';
export type { Rebuild } from './runs/rebuilds.ts';
export type { RefreshRequest } from './runs/refreshes.ts';
export type { RejectedRecordFilter, RejectedRecordInfo } from './runs/rejected-records.ts';
export type { ObjectRun, Run } from './runs/run-rows.ts';
export type { ObjectToExtract, StartedRun } from './runs/start-run.ts';
export type { Usage, UsageByDay, UsageByPipeline, UsagePeriod } from './runs/usage.ts';
export type { AuditEntry, AuditFilter } from './security/audit-log.ts';
export type { KeyedRequest, StoredResponse } from './security/idempotency.ts';
export { createTokenAsOperator } from './security/operator-tokens.ts';
export { SecretBox } from './security/secret-box.ts';
export type { ExpiringSecret, NewSession } from './security/sign-ins.ts';
export { generateToken, isTokenFormat } from './security/token-format.ts';
export type { NewToken, Token, TokenIdentity, TokenInput } from './security/tokens.ts';

export interface ControlStoreOptions {
  /**
   * The kind of this process, such as `api` or `load-worker`. Absent: `freshet`, for a command that
   * exits when its work is done.
   */
  readonly name?: string;
  readonly databaseUrl: string;
  /** The encryption keys: `<id>:<base64 of 32 bytes>`, comma-separated, newest first. */
  readonly secretKeys: string;
  /** Whether this process supervises the queues. Absent: true. */
  readonly supervise?: boolean;
  /**
   * The maximum number of connections to the control database. Lookups, the queue and the credit
   * budgets use additional connections.
   */
  readonly connections?: number;
  /**
   * Whether PostgreSQL uses generic plans: it plans each prepared statement only once per
   * connection, regardless of the parameters. Suitable for workers: their statements select rows by
   * keys, and planning such a statement takes longer than its execution. Absent: false.
   */
  readonly hasGenericPlans?: boolean;
  /** Receives background errors, such as a lost connection that is being restored. */
  readonly onError: (error: Error) => void;
}

export interface ControlStore {
  readonly credentials: Credentials;
  readonly destinations: Destinations;
  readonly pipelines: Pipelines;
  readonly analytics: Analytics;
  readonly runs: Runs;
  readonly extraction: ExtractionStore;
  readonly loading: LoadStore;
  readonly rejectedRecords: RejectedRecords;
  readonly failedUnits: FailedUnits;
  readonly rebuilds: Rebuilds;
  readonly refreshes: Refreshes;
  readonly erasures: Erasures;
  readonly budgets: CreditBudgets;
  readonly schedule: Schedule;
  readonly alerts: Alerts;
  readonly tokens: Tokens;
  readonly signIns: SignIns;
  readonly idempotency: Idempotency;
  readonly auditLog: AuditLog;
  readonly webhooks: Webhooks;
  readonly deadJobs: DeadJobs;
  readonly processes: Processes;
  readonly queue: JobQueue;
  /** Runs `work` in one transaction, which includes every method of the store that `work` calls. */
  readonly transaction: <T>(work: () => Promise<T>) => Promise<T>;
  /**
   * Re-encrypts every stored secret with the newest key.
   * @returns the number of re-encrypted secrets.
   */
  rotateKeys(): Promise<number>;
  /** Gets the pending work of the deployment. */
  getBacklog(): Promise<Backlog>;
  /** Checks that the database is available and has the schema that this release requires. */
  ping(): Promise<void>;
  /** Waits for active jobs, at most until the timeout, and closes all connections. */
  close(timeoutMs?: number): Promise<void>;
}

const CONNECTIONS_DEFAULT = 5;
const LOOKUP_CONNECTIONS = 1;
const BUDGET_CONNECTIONS = 2;
const CLIENT_CLOSE_SECONDS = 5;
const CLOSE_TIMEOUT_MS = 30_000;

/**
 * Migrates the database if required, starts the queues, and opens the store. Waits up to a minute
 * for the database to become available.
 */
export function openControlStore(options: ControlStoreOptions): Promise<ControlStore> {
  return retryUntilAvailable(() => open(options));
}

async function open(options: ControlStoreOptions): Promise<ControlStore> {
  const box = new SecretBox(options.secretKeys);
  await migrateControlDatabase(options.databaseUrl);
  const { pool, lookups, budgetSql, closeClients } = createClients(options);
  const { transaction, ...clients } = createAmbientSql(pool, lookups);
  const queue = new JobQueue(options.databaseUrl, {
    supervise: options.supervise ?? true,
    onError: options.onError,
  });
  const context = { ...clients, queue, box };
  const processes = new Processes(context, options.onError);
  try {
    await queue.start();
    await processes.register(options.name ?? 'freshet');
  } catch (error) {
    await queue.stop(0).catch(() => {
      // Ignore a failure to stop the queue. The error that prevented its start is thrown below.
    });
    await closeClients();
    throw toDatabaseError(error);
  }
  const runs = new Runs(context);
  return {
    credentials: new Credentials(context),
    destinations: new Destinations(context),
    pipelines: new Pipelines(context),
    analytics: new Analytics(context),
    runs,
    extraction: new ExtractionStore(context),
    loading: new LoadStore(context),
    rejectedRecords: new RejectedRecords(context),
    failedUnits: new FailedUnits(context),
    rebuilds: new Rebuilds(context),
    refreshes: new Refreshes(context),
    erasures: new Erasures(context),
    budgets: new CreditBudgets(budgetSql),
    schedule: new Schedule(context),
    alerts: new Alerts(context, runs),
    tokens: new Tokens(context),
    signIns: new SignIns(context),
    idempotency: new Idempotency(context),
    auditLog: new AuditLog(context),
    webhooks: new Webhooks(context),
    deadJobs: new DeadJobs(context),
    processes,
    queue,
    getBacklog: () => getBacklog(clients.sql),
    transaction,
    rotateKeys: () => rotateKeys(clients.sql, box),
    ping: () => checkMigrations(clients.sql),
    close: async (timeoutMs = CLOSE_TIMEOUT_MS) => {
      await queue.stop(timeoutMs);
      await processes.unregister(CLIENT_CLOSE_SECONDS * 1000);
      await closeClients();
    },
  };
}

/** Creates the clients, which connect on first use. */
function createClients({
  databaseUrl,
  connections = CONNECTIONS_DEFAULT,
  hasGenericPlans = false,
}: ControlStoreOptions) {
  const pool = connect(databaseUrl, connections, hasGenericPlans ? { plan_cache_mode: 'force_generic_plan' } : {});
  const lookups = connect(databaseUrl, LOOKUP_CONNECTIONS);
  const budgetSql = connect(databaseUrl, BUDGET_CONNECTIONS, { synchronous_commit: 'off' });
  const closeClients = () =>
    Promise.all([pool, lookups, budgetSql].map((client) => client.end({ timeout: CLIENT_CLOSE_SECONDS })));
  return { pool, lookups, budgetSql, closeClients };
}
