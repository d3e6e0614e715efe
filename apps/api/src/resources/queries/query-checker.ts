import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AppError } from '@freshet/contracts';
import { resolveEntryModule } from '@freshet/runtime';
import pLimit from 'p-limit';
import { type CheckedQuery, RejectedQuery } from './guard.ts';

export interface CheckRequest {
  readonly text: string;
  readonly schemas: readonly string[];
}

export type CheckReply =
  | { readonly query: CheckedQuery }
  | { readonly rejection: string }
  | { readonly failure: string };

/**
 * The maximum time for a check. Valid queries need milliseconds, but the machine may be busy with
 * the queries of other clients.
 */
const TIMEOUT_MS = 10_000;
const MEMORY_MB_MAX = 128;

/**
 * Checks queries in a separate thread, one after the other. A query that the parser needs long for
 * therefore delays only other queries, and at most for the time limit.
 */
export class QueryChecker {
  readonly #timeoutMs: number;
  readonly #queue = pLimit(1);
  /** Null: the thread has not been started, or was stopped after a timeout. */
  #worker: Worker | null = null;

  constructor(timeoutMs = TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /** Does the same as `checkQuery`. @throws RejectedQuery */
  async check(text: string, schemas: readonly string[]): Promise<CheckedQuery> {
    const reply = await this.#queue(() => this.#send({ text, schemas }));
    if ('query' in reply) return reply.query;
    if ('rejection' in reply) throw new RejectedQuery(reply.rejection);
    throw new AppError('bug', `The check of a query failed: ${reply.failure}`);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  async #send(request: CheckRequest): Promise<CheckReply> {
    this.#worker ??= await startWorker();
    const worker = this.#worker;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      worker.postMessage(request);
      const [reply] = (await once(worker, 'message', { signal: timeout })) as [CheckReply];
      return reply;
    } catch (error) {
      await this.close();
      if (!timeout.aborted) throw error;
      throw new RejectedQuery('The query takes too long to parse. Shorten the query.');
    }
  }
}

/** Starts the thread. Its first message states that it is ready. */
async function startWorker(): Promise<Worker> {
  const worker = new Worker(resolveEntryModule('./checker-worker', import.meta.url), {
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB_MAX },
  });
  await once(worker, 'message');
  // The thread must not prevent the exit of the process.
  worker.unref();
  return worker;
}
