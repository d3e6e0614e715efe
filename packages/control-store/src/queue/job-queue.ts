import { type JobPayloads, QUEUES, type QueueName, toAppError } from '@freshet/contracts';
import { type Db, type JobWithMetadata, PgBoss } from 'pg-boss';
import { retryUntilAvailable, type Tx } from '../database/database.ts';
import { DueJobs } from './due-jobs.ts';
import { PreparingClient, prepare } from './preparing-client.ts';
import { type QueueState, Supervision } from './supervision.ts';

export interface EnqueueOptions {
  /** At most one job of the queue with this key is active at a time, across all workers. */
  readonly key: string;
  readonly startAfterMs?: number;
  /** Whether to delete the waiting jobs with the same key. */
  readonly replacesWaiting?: boolean;
  /**
   * Time is divided into fixed intervals of this many seconds. The job is skipped if such a job
   * with the same key was already enqueued in the current interval.
   */
  readonly deduplicateSeconds?: number;
  /** Due jobs with a higher priority run first. Absent: 0, the priority of the class `by_hand`. */
  readonly priority?: number;
}

/** A transaction, and the queue in which the transaction enqueues jobs. */
export interface JobTransaction {
  readonly tx: Tx;
  readonly queue: JobQueue;
}

export interface WorkOptions {
  /** The number of jobs that this process handles concurrently. */
  readonly concurrency: number;
}

/** A job that failed, or crashed its worker, on every attempt. */
export interface DeadLetter {
  readonly queue: QueueName;
  readonly data: JobPayloads[QueueName];
  readonly attempts: number;
  readonly reason: string;
}

export interface QueueOptions {
  /**
   * Whether this process supervises the queues, that is, requeues expired jobs and the jobs of dead
   * workers. At least one process must supervise the queues.
   */
  readonly supervise: boolean;
  readonly onError: (error: Error) => void;
}

/**
 * A worker without a heartbeat for this many seconds counts as dead. The supervisor then requeues
 * the job of the worker, well within a minute (I8).
 */
const HEARTBEAT_SECONDS = 15;
const SUPERVISION_CHECK_SECONDS = 5;
/** The interval at which old jobs are deleted and statistics updated. */
const SUPERVISION_PASS_SECONDS = 60;
/**
 * The number of retries after the first attempt. Handlers classify errors themselves and rarely
 * throw, so most retries follow the death of a worker or an outage of the database. With backoff,
 * all retries together take about three minutes.
 */
const RETRIES = 10;
const RETRY_SECONDS = 1;
const RETRY_SECONDS_MAX = 30;
const JOB_TIMEOUT_SECONDS = 3600;
const FINISHED_RETENTION_SECONDS = 3600;
/** The dead-letter queue. */
const DEAD_LETTER_QUEUE = 'dead';
const DEAD_LETTER_RETENTION_SECONDS = 30 * 86_400;
const DEAD_LETTER_RETRIES = 1000;
/** The settings of every queue except the dead-letter queue. */
const QUEUE_SETTINGS = {
  notify: true,
  retryLimit: RETRIES,
  retryDelay: RETRY_SECONDS,
  retryBackoff: true,
  retryDelayMax: RETRY_SECONDS_MAX,
  deadLetter: DEAD_LETTER_QUEUE,
  heartbeatSeconds: HEARTBEAT_SECONDS,
  expireInSeconds: JOB_TIMEOUT_SECONDS,
  deleteAfterSeconds: FINISHED_RETENTION_SECONDS,
};
const POLLING_SECONDS = 0.5;
/**
 * The interval at which a worker polls while it is notified about new jobs. `DueJobs` wakes it for
 * delayed jobs, and for jobs whose notification was lost.
 */
const NOTIFIED_POLLING_SECONDS = 120;
/** The interval at which the connection that receives the notifications is checked. */
const NOTIFICATION_CHECK_MS = 30_000;
const CONNECTIONS = 4;
/**
 * Options that pg-boss passes to its connection pool. With the default idle timeout of 10 seconds,
 * the polls of an idle process would open new connections each time.
 */
const POOL_OPTIONS = { idleTimeoutMillis: 600_000, Client: PreparingClient };

/**
 * The job queues between API, scheduler and workers. Hides pg-boss. A job is enqueued in the same
 * transaction as the change that requires the job.
 */
export class JobQueue {
  readonly #boss: PgBoss;
  readonly #workerIds = new Map<string, string[]>();
  readonly #dueJobs: DueJobs;
  readonly #supervision: Supervision | null;
  #isStopped = false;

  constructor(url: string, options: QueueOptions) {
    this.#boss = new PgBoss({
      connectionString: url,
      application_name: 'freshet-queue',
      max: CONNECTIONS,
      ...POOL_OPTIONS,
      useListenNotify: true,
      notifyHeartbeatIntervalMs: NOTIFICATION_CHECK_MS,
      // `Supervision` supervises the queues instead: pg-boss would execute most statements of each
      // pass in every process.
      supervise: false,
      schedule: false,
      // `Processes` lists the processes instead.
      registerInstance: false,
      monitorIntervalSeconds: SUPERVISION_CHECK_SECONDS,
      // Workers create the spans themselves, so that the spans of all jobs of a run belong to one
      // trace.
      openTelemetry: { enabled: false },
    });
    this.#boss.on('error', (error) => {
      // pg-boss does not wait until its connections are closed. A server that terminates one of
      // them in the meantime, for example because it stops too, causes an error without a
      // consequence.
      if (!this.#isStopped) options.onError(error);
    });
    this.#dueJobs = new DueJobs({
      findDelays: (queues) => findDelays(this.#boss.getDb(), queues),
      wake: (queue) => this.#wake(queue),
      onError: options.onError,
    });
    this.#supervision = options.supervise
      ? new Supervision({
          checkIntervalMs: SUPERVISION_CHECK_SECONDS * 1000,
          passIntervalMs: SUPERVISION_PASS_SECONDS * 1000,
          getState: () => getQueueState(this.#boss.getDb()),
          supervise: () => this.#boss.supervise(),
          onError: options.onError,
        })
      : null;
  }

  /** Creates or updates the queues, and starts supervision if `supervise` is set. */
  async start(): Promise<void> {
    await this.#boss.start();
    const existing = new Map((await this.#boss.getQueues()).map((queue) => [queue.name, queue]));
    if (!existing.has(DEAD_LETTER_QUEUE)) {
      await this.#boss.createQueue(DEAD_LETTER_QUEUE, {
        policy: 'standard',
        retentionSeconds: DEAD_LETTER_RETENTION_SECONDS,
        heartbeatSeconds: HEARTBEAT_SECONDS,
        retryLimit: DEAD_LETTER_RETRIES,
      });
    }
    const settings = Object.entries(QUEUE_SETTINGS);
    for (const name of QUEUES) {
      const queue = existing.get(name) as Record<string, unknown> | undefined;
      if (queue === undefined) await this.#boss.createQueue(name, { policy: 'singleton', ...QUEUE_SETTINGS });
      // A different release may have created the queue with different settings.
      else if (settings.some(([key, value]) => queue[key] !== value))
        await this.#boss.updateQueue(name, QUEUE_SETTINGS);
    }
    this.#supervision?.start();
  }

  /** Waits for active jobs, at most until the timeout, and closes the connections. */
  async stop(timeoutMs: number): Promise<void> {
    this.#dueJobs.stop();
    this.#supervision?.stop();
    await this.#boss.stop({ graceful: true, timeout: timeoutMs });
    this.#isStopped = true;
  }

  /** Enqueues a job in the caller's transaction. */
  async enqueue<Q extends QueueName>(tx: Tx, queue: Q, data: JobPayloads[Q], options: EnqueueOptions): Promise<void> {
    // Delete only waiting jobs. A job that a worker fetches at the same time is already active.
    if (options.replacesWaiting) {
      await tx`
        delete from pgboss.job where name = ${queue} and singleton_key = ${options.key} and state = 'created'`;
    }
    await this.#boss.send(queue, data, {
      singletonKey: options.key,
      priority: options.priority ?? 0,
      ...(options.deduplicateSeconds ? { singletonSeconds: options.deduplicateSeconds } : {}),
      ...(options.startAfterMs ? { startAfter: new Date(Date.now() + options.startAfterMs) } : {}),
      db: toTransactionalDb(tx),
    });
    if (options.startAfterMs) this.#dueJobs.expect(queue, options.startAfterMs);
  }

  /**
   * Enqueues several jobs in the caller's transaction, with one statement.
   * @param jobs the payload, the key and the priority of each job.
   */
  async enqueueAll<Q extends QueueName>(
    tx: Tx,
    queue: Q,
    jobs: readonly (Required<Pick<EnqueueOptions, 'key' | 'priority'>> & { readonly data: JobPayloads[Q] })[],
  ): Promise<void> {
    if (jobs.length === 0) return;
    const rows = jobs.map(({ data, key, priority }) => ({ data, singletonKey: key, priority }));
    await this.#boss.insert(queue, rows, { db: toTransactionalDb(tx) });
  }

  /** Handles the jobs that failed on every attempt. */
  async workDeadLetters(handle: (letter: DeadLetter) => Promise<void>): Promise<void> {
    const workerId = await retryUntilAvailable(() =>
      this.#boss.work(
        DEAD_LETTER_QUEUE,
        { batchSize: 1, pollingIntervalSeconds: NOTIFIED_POLLING_SECONDS, includeMetadata: true },
        async ([job]: JobWithMetadata<JobPayloads[QueueName]>[]) => {
          if (job === undefined) return;
          const { sourceName, sourceRetryCount, sourceOutput, data } = job;
          await handle({
            queue: sourceName as QueueName,
            data,
            attempts: (sourceRetryCount ?? 0) + 1,
            reason: parseFailureReason(sourceOutput),
          });
        },
      ),
    );
    this.#addWorker(DEAD_LETTER_QUEUE, workerId);
  }

  /**
   * Handles the jobs of a queue.
   * @param handle must not throw for expected errors: a thrown error counts as a crash, and the job
   * is retried.
   */
  async work<Q extends QueueName>(
    queue: Q,
    options: WorkOptions,
    handle: (data: JobPayloads[Q], signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const polling = {
      batchSize: 1,
      pollingIntervalSeconds: POLLING_SECONDS,
      notifyPollingIntervalSeconds: NOTIFIED_POLLING_SECONDS,
    };
    for (let n = 0; n < options.concurrency; n++) {
      let workerId: string | null = null;
      workerId = await retryUntilAvailable(() =>
        this.#boss.work<JobPayloads[Q]>(queue, polling, async (jobs) => {
          for (const job of jobs) {
            try {
              await handle(job.data, job.signal);
            } catch (error) {
              throw toAppError(error);
            }
          }
          // Poll again at once. Otherwise, each of many short jobs would wait for the polling
          // interval.
          if (workerId !== null) this.#boss.notifyWorker(workerId);
        }),
      );
      this.#addWorker(queue, workerId);
    }
  }

  #addWorker(queue: string, workerId: string): void {
    this.#workerIds.set(queue, [...(this.#workerIds.get(queue) ?? []), workerId]);
    this.#dueJobs.add(queue);
  }

  #wake(queue: string): void {
    for (const workerId of this.#workerIds.get(queue) ?? []) this.#boss.notifyWorker(workerId);
  }
}

/** Gets the state of all queues. The conditions for lost jobs are those of pg-boss. */
async function getQueueState(db: Db): Promise<QueueState> {
  const { rows } = await db.executeSql(QUEUE_STATE);
  return (rows as QueueState[])[0] ?? { elapsedMs: Number.POSITIVE_INFINITY, hasLostJobs: false };
}

const QUEUE_STATE = prepare(
  `select
    extract(epoch from now() - min(coalesce(monitor_claim_on, monitor_on, 'epoch')))::float8 * 1000 as "elapsedMs",
    coalesce(bool_or(exists (
      select from pgboss.job j where j.name = q.name and state = 'active'
        and (heartbeat_on + heartbeat_seconds * interval '1s' < now()
          or started_on + expire_seconds * interval '1s' < now())
    )), false) as "hasLostJobs"
  from pgboss.queue q`,
);

/**
 * Returns, for each queue, the number of milliseconds until its next waiting job is due. Omits
 * queues without a waiting job. Reads one index entry for each queue and state.
 */
async function findDelays(db: Db, queues: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.executeSql(DELAYS, [queues]);
  return new Map(
    (rows as { name: string; delay_ms: number | null }[]).flatMap(({ name, delay_ms }) =>
      delay_ms === null ? [] : [[name, delay_ms] as const],
    ),
  );
}

const DELAYS = prepare(
  `select name, extract(epoch from least(
      (select min(start_after) from pgboss.job j where j.name = q.name and state = 'created' and blocked = false),
      (select min(start_after) from pgboss.job j where j.name = q.name and state = 'retry' and blocked = false)
    ) - now())::float8 * 1000 as delay_ms
  from unnest($1::text[]) as q (name)`,
);

/**
 * Parses the last error message from the output of a job. A job whose worker died has no output.
 */
function parseFailureReason(output: object | null): string {
  const message = (output as { message?: unknown } | null)?.message;
  return typeof message === 'string' && message !== ''
    ? message
    : 'The worker died or lost its connection during each attempt.';
}

/**
 * Adapts a transaction for pg-boss, so that a job is committed together with the changes of the
 * transaction.
 */
function toTransactionalDb(tx: Tx): Db {
  return {
    executeSql: async (text, values) => ({
      rows: [...(values?.length ? await tx.unsafe(text, values as never[], { prepare: true }) : await tx.unsafe(text))],
    }),
  };
}
