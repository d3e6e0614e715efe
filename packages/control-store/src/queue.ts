import { CREDIT_CLASSES, type CreditClass, type Jobs, QUEUES, type QueueName, toAppError } from '@freshet/contracts';
import { type Db, PgBoss } from 'pg-boss';
import type { Tx } from './database.ts';

export interface SendOptions {
  /** One job of a key is active at a time, whatever the number of workers. */
  readonly key: string;
  readonly startAfterMs?: number;
  /** Sent again within so many seconds, by anybody, it is not sent. */
  readonly onceInSeconds?: number;
  /** Of jobs that are due, the more urgent go first. */
  readonly creditClass?: CreditClass;
}

export interface WorkOptions {
  /** Jobs that this process works on at once. */
  readonly concurrency: number;
}

export interface QueueOptions {
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
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
    });
    this.#boss.on('error', options.onError);
  }

  async start(): Promise<void> {
    await this.#boss.start();
    for (const name of QUEUES) {
      await this.#boss.createQueue(name, {
        policy: 'singleton',
        notify: true,
        // A handler decides itself what an error means and never fails: retries are for workers that died.
        retryLimit: 1000,
        retryDelay: 0,
        heartbeatSeconds: HEARTBEAT_SECONDS,
        expireInSeconds: 3600,
        deleteAfterSeconds: 3600,
      });
    }
  }

  async stop(timeoutMs: number): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: timeoutMs });
  }

  async send<Q extends QueueName>(tx: Tx, queue: Q, data: Jobs[Q], options: SendOptions): Promise<void> {
    await this.#boss.send(queue, data, {
      singletonKey: options.key,
      priority: -CREDIT_CLASSES.indexOf(options.creditClass ?? 'by_hand'),
      ...(options.onceInSeconds ? { singletonSeconds: options.onceInSeconds } : {}),
      ...(options.startAfterMs ? { startAfter: new Date(Date.now() + options.startAfterMs) } : {}),
      db: inTransaction(tx),
    });
  }

  /** @param handle must not throw for what it can foresee: a thrown error counts as a crash and is tried again. */
  async work<Q extends QueueName>(queue: Q, options: WorkOptions, handle: (data: Jobs[Q], signal: AbortSignal) => Promise<void>): Promise<void> {
    for (let n = 0; n < options.concurrency; n++) {
      let worker: string | null = null;
      worker = await this.#boss.work<Jobs[Q]>(queue, { batchSize: 1, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 }, async (jobs) => {
        for (const job of jobs) {
          try {
            await handle(job.data, job.signal);
          } catch (error) {
            throw toAppError(error);
          }
        }
        // Who has just had a job looks for the next at once: many short jobs would wait for each other's half seconds.
        if (worker !== null) this.#boss.notifyWorker(worker);
      });
    }
  }
}

/** pg-boss' statements in our transaction, so that a job exists exactly if what it is about does. */
function inTransaction(tx: Tx): Db {
  return {
    executeSql: async (text, values) => ({ rows: [...(values?.length ? await tx.unsafe(text, values as never[]) : await tx.unsafe(text))] }),
  };
}
