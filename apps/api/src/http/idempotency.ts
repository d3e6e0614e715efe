import { createHash } from 'node:crypto';
import { ERROR_POLICY, toAppError } from '@freshet/contracts';
import type { ControlStore, KeyedRequest, StoredResponse } from '@freshet/control-store';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem, toProblem } from './errors.ts';

/** Headers that are stored and replayed together with the response. */
const STORED_HEADERS = ['location', 'etag'] as const;

/**
 * The result of an unsafe request: the payload of this execution, a stored response to replay, or
 * an error to report.
 */
export type Outcome = { readonly payload: unknown } | { readonly replay: StoredResponse } | { readonly error: unknown };

/** A request with an `Idempotency-Key`, and the requested work. */
interface Execution {
  readonly store: ControlStore;
  readonly keyedRequest: KeyedRequest;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Executes the request and returns its payload. */
  readonly execute: () => Promise<unknown>;
}

/**
 * Executes the request and stores its response in the same transaction, or returns the stored
 * response of an earlier request with the same key. A response that may differ on a retry (5xx and
 * 429) is not stored.
 */
export function runOnce({ store, keyedRequest, request, reply, execute }: Execution): Promise<Outcome> {
  return store.transaction(async () => {
    const replay = await store.idempotency.reserve(keyedRequest);
    if (replay !== null) return { replay };
    // The request executes in a nested transaction. If it fails, only its effects are rolled back,
    // and its response is still stored in the outer transaction.
    const { response, outcome } = await captureResponse(request, reply, () => store.transaction(execute));
    await store.idempotency.storeResponse(keyedRequest, response);
    return outcome;
  });
}

/**
 * Like `runOnce`, but for read-only requests. Such a request can take long, so no database
 * connection is held while it executes.
 */
export async function runReadOnlyOnce({ store, keyedRequest, request, reply, execute }: Execution): Promise<Outcome> {
  const stored = await store.idempotency.findResponse(keyedRequest);
  if (stored !== null) return { replay: stored };
  const { response, outcome } = await captureResponse(request, reply, execute);
  return store.transaction(async () => {
    const replay = await store.idempotency.reserve(keyedRequest);
    if (replay !== null) return { replay };
    await store.idempotency.storeResponse(keyedRequest, response);
    return outcome;
  });
}

/**
 * Returns the token id, the `Idempotency-Key` and a hash of the content of a request. Null: the
 * request has no key, or its route requires no token.
 */
export function getKeyedRequest(request: FastifyRequest): KeyedRequest | null {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || request.identity === null) return null;
  const { sessionId } = request.identity;
  const content = JSON.stringify([
    request.method,
    request.url,
    request.headers['if-match'] ?? null,
    request.body ?? null,
    // A session must not get the stored responses of its token or of other sessions.
    ...(sessionId === null ? [] : [sessionId]),
  ]);
  return { tokenId: request.identity.id, key, fingerprint: createHash('sha256').update(content).digest('hex') };
}

/** Sends a stored response again, marked with `Idempotent-Replayed: true`. */
export function replayResponse(reply: FastifyReply, { status, headers, body }: StoredResponse): FastifyReply {
  reply.code(status).headers({ ...headers, 'idempotent-replayed': 'true' });
  if (status >= 400 && body !== null) return sendProblem(reply, status, body);
  return reply.send(body === null ? undefined : JSON.parse(body));
}

/**
 * Executes the request and builds the response to store.
 * @throws the error of the request, if its response may differ on a retry.
 */
async function captureResponse(
  request: FastifyRequest,
  reply: FastifyReply,
  execute: () => Promise<unknown>,
): Promise<{ readonly response: StoredResponse; readonly outcome: Outcome }> {
  try {
    const payload = await execute();
    const headers = Object.fromEntries(
      STORED_HEADERS.flatMap((name) => (reply.hasHeader(name) ? [[name, String(reply.getHeader(name))]] : [])),
    );
    return {
      response: { status: reply.statusCode, headers, body: payload === undefined ? null : JSON.stringify(payload) },
      outcome: { payload },
    };
  } catch (error) {
    const { http } = ERROR_POLICY[toAppError(error).code];
    const isFinal = http < 500 && http !== 429;
    if (!isFinal) throw error;
    const { status, body } = toProblem(error as FastifyError, request);
    return { response: { status, headers: {}, body }, outcome: { error } };
  }
}
