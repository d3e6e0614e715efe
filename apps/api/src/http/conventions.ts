import type { ControlStore } from '@freshet/control-store';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { App } from '../context.ts';
import { appendAuditEntry } from './audit.ts';
import { type FieldProblem, requireNoProblems } from './field-problems.ts';
import { getKeyedRequest, type Outcome, replayResponse, runOnce, runReadOnlyOnce } from './idempotency.ts';
import { problemResponses } from './operation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Whether a `POST` route changes no state. Requests to such a route are not audited, and
     * execute without a transaction.
     */
    readonly isReadOnly?: boolean;
    /**
     * Whether a read-only `POST` route executes each request, because a stored response would be a
     * copy of personal data. The route does not declare the header `Idempotency-Key`.
     */
    readonly ignoresIdempotencyKey?: boolean;
    /**
     * Finds problems of the request that the schema of the route cannot express. `body` does not
     * contain the fields that the schema rejected.
     * @throws AppError `not_found` if the resource does not exist.
     */
    readonly findProblems?: (request: FastifyRequest, body: never) => Promise<readonly FieldProblem[]>;
    /**
     * Adds an entry to the audit log for each successful request to a `GET` route, because the
     * response contains personal data. Returns the description of the response in the entry, which
     * must not contain data of the response.
     */
    readonly describeRead?: (payload: never) => object;
    /**
     * Finds the response to a request that has nothing to change, such as the active run for a
     * request to start a run. The request then needs no transaction. Null: the route executes the
     * request.
     */
    readonly findExisting?: (request: FastifyRequest, reply: FastifyReply) => Promise<object | null>;
    /** Gets the resource as it is before the change, for the audit log. */
    readonly getPreviousState?: (request: FastifyRequest) => Promise<object>;
    /**
     * The times at which the operation was deprecated and will be removed. Responses contain these
     * times as headers (RFC 9745, RFC 8594). The OpenAPI document marks the operation as
     * deprecated.
     */
    readonly deprecated?: { readonly since: Date; readonly sunset: Date };
    /**
     * Runs after the transaction has committed, for example to wait for a run. Returns the payload
     * of the response.
     */
    readonly afterCommit?: (request: FastifyRequest, payload: unknown) => Promise<unknown>;
  }
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const IDEMPOTENCY_KEY = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description:
    'A unique string that the client generates for each operation, such as a UUID. If a request is repeated with the same key and content within 24 hours, the API returns the first response and does not execute the request again. Responses with status 429 or 5xx are an exception: after such a response, the repeated request is executed.',
};

/**
 * Applies the common conventions to all routes that require a token. The schemas of the routes get
 * the common problem responses. An unsafe request executes in one transaction, unless its route is
 * read-only or the request has nothing to change. The transaction also stores the audit log entry
 * and, if the request has an `Idempotency-Key`, the response.
 */
export function registerConventions(app: App, store: ControlStore): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.permission === undefined) return;
    const isSafe = [route.method].flat().every((method) => SAFE_METHODS.has(method));
    addCommonSchemas(route, isSafe);
    if (!isSafe) wrapUnsafeHandler(route, store);
    else if (route.config.describeRead !== undefined) auditReads(route, store, route.config.describeRead);
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    const { deprecated } = request.routeOptions.config;
    if (deprecated !== undefined)
      reply
        .header('deprecation', `@${Math.floor(deprecated.since.getTime() / 1000)}`)
        .header('sunset', deprecated.sunset.toUTCString());
    done();
  });
}

function addCommonSchemas(route: RouteOptions, isSafe: boolean): void {
  route.schema ??= {};
  const schema = route.schema as {
    body?: unknown;
    querystring?: object;
    headers?: { properties?: object };
    response?: object;
  };
  // If unknown parameters were ignored, a misspelled filter would return unfiltered results.
  if (schema.querystring !== undefined) schema.querystring = { ...schema.querystring, additionalProperties: false };
  const common = {
    ...problemResponses(400, 401, 403, 429, 500),
    ...(schema.body === undefined ? {} : problemResponses(413, 415)),
    ...(isSafe ? {} : problemResponses(409, 422)),
  };
  schema.response = { ...common, ...schema.response };
  if (route.config?.deprecated !== undefined) Object.assign(schema, { deprecated: true });
  if (isSafe || route.config?.ignoresIdempotencyKey) return;
  schema.headers = {
    type: 'object',
    ...schema.headers,
    properties: { ...schema.headers?.properties, 'idempotency-key': IDEMPOTENCY_KEY },
  } as never;
}

function auditReads(route: RouteOptions, store: ControlStore, describeRead: (payload: never) => object): void {
  const { handler } = route;
  route.handler = async function (request, reply) {
    const payload: unknown = await handler.call(this, request, reply);
    await appendAuditEntry(store, request, reply, { before: null, payload: describeRead(payload as never) });
    return payload;
  };
}

function wrapUnsafeHandler(route: RouteOptions, store: ControlStore): void {
  const { handler } = route;
  const { isReadOnly = false, ignoresIdempotencyKey, afterCommit } = route.config ?? {};
  const { findProblems, findExisting, getPreviousState } = route.config ?? {};
  const execute = async (
    app: ThisParameterType<typeof handler>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> => {
    if (findProblems !== undefined) requireNoProblems(await findProblems(request, request.body as never));
    const before = isReadOnly || getPreviousState === undefined ? null : await getPreviousState(request);
    const payload: unknown = await handler.call(app, request, reply);
    if (!isReadOnly) await appendAuditEntry(store, request, reply, { before, payload });
    return payload;
  };
  const respondWithExisting = async (request: FastifyRequest, reply: FastifyReply): Promise<object | null> => {
    const payload = (await findExisting?.(request, reply)) ?? null;
    if (payload !== null) await appendAuditEntry(store, request, reply, { before: null, payload });
    return payload;
  };
  route.handler = async function (request, reply) {
    const keyedRequest = ignoresIdempotencyKey ? null : getKeyedRequest(request);
    const executeRequest = () => execute(this, request, reply);
    let outcome: Outcome;
    if (keyedRequest !== null) {
      const run = isReadOnly ? runReadOnlyOnce : runOnce;
      const executeOnce = async () => (await respondWithExisting(request, reply)) ?? (await executeRequest());
      outcome = await run({ store, keyedRequest, request, reply, execute: executeOnce });
    } else if (isReadOnly) outcome = { payload: await executeRequest() };
    else {
      const payload = (await respondWithExisting(request, reply)) ?? (await store.transaction(executeRequest));
      outcome = { payload };
    }
    if ('error' in outcome) throw outcome.error;
    if ('replay' in outcome) return replayResponse(reply, outcome.replay);
    return reply.send(afterCommit === undefined ? outcome.payload : await afterCommit(request, outcome.payload));
  };
}
