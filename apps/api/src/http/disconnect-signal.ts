import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyReply } from 'fastify';

/** The signal of a request that this process sends to its own routes. */
const injectedSignal = new AsyncLocalStorage<AbortSignal>();

/**
 * Sends a request to the routes of this process. If the signal is aborted, the signals of
 * `createDisconnectSignal` are aborted. Fastify's `inject` does not close the request when its
 * signal is aborted after the body has been read.
 */
export async function injectWithSignal<T>(signal: AbortSignal, inject: () => PromiseLike<T>): Promise<T> {
  const result = await injectedSignal.run(signal, async () => await inject());
  signal.throwIfAborted();
  return result;
}

const retainedRequests = new Set<Request>();

/**
 * Prevents the garbage collection of a request. When a `Request` is garbage-collected, its signal
 * stops following the signal that was passed to the constructor, even if its own signal is still in
 * use.
 * @returns a function that releases the request.
 */
export function retainRequest(request: Request): () => void {
  retainedRequests.add(request);
  return () => retainedRequests.delete(request);
}

/** Returns a signal that is aborted when the client closes the connection before the response. */
export function createDisconnectSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  const injected = injectedSignal.getStore();
  return injected === undefined ? controller.signal : AbortSignal.any([controller.signal, injected]);
}
