import { type JobPayloads, QUEUES, type QueueName, toAppError } from '@freshet/contracts';
import { type Db, type JobWithMetadata, PgBoss } from 'pg-boss';
import { retryUntilAvailable, type Tx } from '../database/database.ts';

export interface EnqueueOptions {
  /** One job of a key is active at a time, across all workers. */
  readonly key: string;
  readonly startAfterMs?: number;
  /** Deletes the waiting jobs of the same key. */
  readonly replacesWaiting?: boolean;
  /** Does nothing if a job of the same key was enqueued within so many seconds. */
  readonly deduplicateSeconds?: number;
  /** Due jobs with a higher number run first. Absent: 0, the priority of `by_hand`. */
  readonly priority?: number;
}

/** A transaction, and the queue that receives the jobs that the transaction enqueues. */
export interface JobTransaction {
  readonly tx: Tx;
  readonly queue: JobQueue;
}

export interface WorkOptions {
  /** The number of jobs that this process works on at once. */
  readonly concurrency: number;
}

/** A job that failed, or stopped its worker, on each of its attempts. */
export interface DeadLetter {
  readonly queue: QueueName;
  readonly data: JobPayloads[QueueName];
  readonly attempts: number;
  readonly reason: string;
}

export interface QueueOptions {
  /** The kind of this process, which is listed with its heartbeat. */
  readonly name: string;
  /**
   * Whether this process supervises the queues: expired jobs and dead workers. At least one process
   * must.
   */
  readonly supervise: boolean;
  readonly onError: (error: Error) => void;
}

/**
 * The job of a dead worker is requeued after so many seconds without a heartbeat, plus one pass of
 * the supervisor: well within a minute (I8).
 */
const HEARTBEAT_SECONDS = 15;
const SUPERVISE_SECONDS = 5;
/**
 * Retries after the first attempt. Handlers classify errors themselves and rarely throw, so these
 * retries are for dead workers and for an unavailable database. With backoff, they take about three
 * minutes.
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
const POLLING_SECONDS = 0.5;
const DEAD_LETTER_POLLING_SECONDS = 2;
const CONNECTIONS = 4;

/**
 * The job queues between API, scheduler and workers. Hides pg-boss. A job is enqueued in the
 * transaction that requires it.
 */
export class JobQueue {
  readonly #boss: PgBoss;

  constructor(url: string, options: QueueOptions) {
    this.#boss = new PgBoss({
      connectionString: url,
      application_name: 'freshet-queue',
      max: CONNECTIONS,
      useListenNotify: true,
      supervise: options.supervise,
      schedule: false,
      instanceName: options.name,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
      // Workers create the spans: those of all jobs of a run belong to the trace of the run.
      openTelemetry: { enabled: false },
    });
    this.#boss.on('error', options.onError);
  }

  /** Creates or updates the queues, and starts supervision. */
  async start(): Promise<void> {
    await this.#boss.start();
    await this.#boss.createQueue(DEAD_LETTER_QUEUE, {
      policy: 'standard',
      retentionSeconds: DEAD_LETTER_RETENTION_SECONDS,
      heartbeatSeconds: HEARTBEAT_SECONDS,
      retryLimit: DEAD_LETTER_RETRIES,
    });
    for (const name of QUEUES) {
      const options = {
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
      await this.#boss.createQueue(name, { policy: 'singleton', ...options });
      // `createQueue` does not change a queue that another release created.
      await this.#boss.updateQueue(name, options);
    }
  }

  /** Waits for active jobs until the timeout, and closes the connections. */
  async stop(timeoutMs: number): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: timeoutMs });
  }

  /** Enqueues a job in the caller's transaction. */
  async enqueue<Q extends QueueName>(tx: Tx, queue: Q, data: JobPayloads[Q], options: EnqueueOptions): Promise<void> {
    // Only waiting jobs: a job that a worker is fetching at this moment is active.
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
  }

  /** Handles the jobs that have used up their attempts. */
  async workDeadLetters(handle: (letter: DeadLetter) => Promise<void>): Promise<void> {
    await retryUntilAvailable(() =>
      this.#boss.work(
        DEAD_LETTER_QUEUE,
        { batchSize: 1, pollingIntervalSeconds: DEAD_LETTER_POLLING_SECONDS, includeMetadata: true },
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
      notifyPollingIntervalSeconds: POLLING_SECONDS,
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
          // Poll again at once: otherwise each of many short jobs would wait for the polling
          // interval.
          if (workerId !== null) this.#boss.notifyWorker(workerId);
        }),
      );
    }
  }
}

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
 * Adapts a transaction for pg-boss, so that a job commits together with the rows that it concerns.
 */
function toTransactionalDb(tx: Tx): Db {
  return {
    executeSql: async (text, values) => ({
      rows: [...(values?.length ? await tx.unsafe(text, values as never[]) : await tx.unsafe(text))],
    }),
  };
}
