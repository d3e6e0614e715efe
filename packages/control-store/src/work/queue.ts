import { type Jobs, QUEUES, type QueueName, toAppError } from '@freshet/contracts';
import { type Db, type JobWithMetadata, PgBoss } from 'pg-boss';
import { patiently, type Tx } from '../database/database.ts';

export interface SendOptions {
  /** One job of a key is active at a time, whatever the number of workers. */
  readonly key: string;
  readonly startAfterMs?: number;
  /** It stands for all of its key that wait: they are taken back. */
  readonly alone?: boolean;
  /** Sent again within so many seconds, by anybody, it is not sent. */
  readonly onceInSeconds?: number;
  /** Of jobs that are due, those of a higher rank go first; absent: the rank of what is done by hand. */
  readonly rank?: number;
}

export interface WorkOptions {
  /** Jobs that this process works on at once. */
  readonly concurrency: number;
}

/** A job that has failed, or ended its workers, as often as it may. */
export interface Died {
  readonly queue: QueueName;
  readonly data: Jobs[QueueName];
  readonly attempts: number;
  readonly reason: string;
}

export interface QueueOptions {
  /** What kind of process this is, as it is shown among those that are alive. */
  readonly name: string;
  /** Whether this process looks after the queues (expired jobs, dead workers). At least one must. */
  readonly supervise: boolean;
  readonly onError: (error: Error) => void;
}

/**
 * A dead worker's job is taken over after its heartbeat has been missing this long, plus one pass of the
 * supervisor: well under a minute.
 */
const HEARTBEAT_SECONDS = 15;
const SUPERVISE_SECONDS = 5;
/**
 * Tries after the first. A handler decides itself what an error means and does not fail, so these are for workers that died, and for a
 * database that went away under them: with the waiting times, about three minutes of it.
 */
const RETRIES = 10;
const RETRY_SECONDS = 1;
const RETRY_SECONDS_MAX = 30;
/** Where jobs go that have used up their tries. */
const DEAD = 'dead';
const DEAD_RETENTION_SECONDS = 30 * 86_400;

/** The jobs between API, scheduler and workers: pg-boss, with every job sent in the transaction that calls for it. */
export class JobQueue {
  readonly #boss: PgBoss;

  constructor(url: string, options: QueueOptions) {
    this.#boss = new PgBoss({
      connectionString: url,
      application_name: 'freshet-queue',
      max: 4,
      useListenNotify: true,
      supervise: options.supervise,
      schedule: false,
      instanceName: options.name,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
      // What a job does is traced by whoever does it, and belongs to its run, however many jobs that takes.
      openTelemetry: { enabled: false },
    });
    this.#boss.on('error', options.onError);
  }

  async start(): Promise<void> {
    await this.#boss.start();
    await this.#boss.createQueue(DEAD, {
      policy: 'standard',
      retentionSeconds: DEAD_RETENTION_SECONDS,
      heartbeatSeconds: HEARTBEAT_SECONDS,
      retryLimit: 1000,
    });
    for (const name of QUEUES) {
      const options = {
        notify: true,
        retryLimit: RETRIES,
        retryDelay: RETRY_SECONDS,
        retryBackoff: true,
        retryDelayMax: RETRY_SECONDS_MAX,
        deadLetter: DEAD,
        heartbeatSeconds: HEARTBEAT_SECONDS,
        expireInSeconds: 3600,
        deleteAfterSeconds: 3600,
      };
      await this.#boss.createQueue(name, { policy: 'singleton', ...options });
      // One that an earlier release has made gets what this one wants.
      await this.#boss.updateQueue(name, options);
    }
  }

  async stop(timeoutMs: number): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: timeoutMs });
  }

  async send<Q extends QueueName>(tx: Tx, queue: Q, data: Jobs[Q], options: SendOptions): Promise<void> {
    // One that a worker is just taking up is not touched.
    if (options.alone)
      await tx`delete from pgboss.job where name = ${queue} and singleton_key = ${options.key} and state = 'created'`;
    await this.#boss.send(queue, data, {
      singletonKey: options.key,
      priority: options.rank ?? 0,
      ...(options.onceInSeconds ? { singletonSeconds: options.onceInSeconds } : {}),
      ...(options.startAfterMs ? { startAfter: new Date(Date.now() + options.startAfterMs) } : {}),
      db: inTransaction(tx),
    });
  }

  /** Takes up jobs that have used up their tries. */
  async workDead(handle: (died: Died) => Promise<void>): Promise<void> {
    await patiently(() =>
      this.#boss.work(
        DEAD,
        { batchSize: 1, pollingIntervalSeconds: 2, includeMetadata: true },
        async ([job]: JobWithMetadata<Jobs[QueueName]>[]) => {
          if (job === undefined) return;
          const { sourceName, sourceRetryCount, sourceOutput, data } = job;
          await handle({
            queue: sourceName as QueueName,
            data,
            attempts: (sourceRetryCount ?? 0) + 1,
            reason: reasonIn(sourceOutput),
          });
        },
      ),
    );
  }

  /** @param handle must not throw for what it can foresee: a thrown error counts as a crash and is tried again. */
  async work<Q extends QueueName>(
    queue: Q,
    options: WorkOptions,
    handle: (data: Jobs[Q], signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    for (let n = 0; n < options.concurrency; n++) {
      let worker: string | null = null;
      worker = await patiently(() =>
        this.#boss.work<Jobs[Q]>(
          queue,
          { batchSize: 1, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 },
          async (jobs) => {
            for (const job of jobs) {
              try {
                await handle(job.data, job.signal);
              } catch (error) {
                throw toAppError(error);
              }
            }
            // Who has just had a job looks for the next at once: many short jobs would wait for each other's half seconds.
            if (worker !== null) this.#boss.notifyWorker(worker);
          },
        ),
      );
    }
  }
}

/** In a job's output, what its last error said; of one whose worker is gone there is none. */
function reasonIn(output: object | null): string {
  const message = (output as { message?: unknown } | null)?.message;
  return typeof message === 'string' && message !== '' ? message : 'its worker ended, or was cut off, each time.';
}

/** pg-boss' statements in our transaction, so that a job exists exactly if what it is about does. */
function inTransaction(tx: Tx): Db {
  return {
    executeSql: async (text, values) => ({
      rows: [...(values?.length ? await tx.unsafe(text, values as never[]) : await tx.unsafe(text))],
    }),
  };
}
