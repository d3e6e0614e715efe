/**
 * The thread that checks queries. Its first message states that it is ready. Each message that it
 * receives is a query, and each further message is the result of a query.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { checkQuery, RejectedQuery } from './guard.ts';
import type { CheckReply, CheckRequest } from './query-checker.ts';

const port = parentPort as MessagePort;

port.on('message', ({ text, schemas }: CheckRequest) => void check(text, schemas));
port.postMessage('ready');

async function check(text: string, schemas: readonly string[]): Promise<void> {
  port.postMessage(await getReply(text, schemas));
}

async function getReply(text: string, schemas: readonly string[]): Promise<CheckReply> {
  try {
    return { query: await checkQuery(text, schemas) };
  } catch (error) {
    if (error instanceof RejectedQuery) return { rejection: error.message };
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
