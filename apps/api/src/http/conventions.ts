import { createHash } from 'node:crypto';
import { AppError, ERROR_POLICY, toAppError } from '@freshet/contracts';
import type { Answer, ControlStore, KeyedRequest } from '@freshet/control-store';
import type { FastifyError, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { App } from '../app.ts';
import { problemOf, sendProblem } from './errors.ts';
import { type FieldProblem, rejectProblems } from './field-problems.ts';
import { problems } from './operation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route that changes nothing though its method could: it leaves no trace in the audit log. */
    readonly changesNothing?: boolean;
    /**
     * Finds problems of the request that its schema cannot express. `body` lacks the fields that the schema refused.
     * @throws AppError `not_found` if the resource does not exist.
     */
    readonly findProblems?: (request: FastifyRequest, body: never) => Promise<readonly FieldProblem[]>;
    /** What the resource is before the change, for the audit log. */
    readonly before?: (request: FastifyRequest) => Promise<object>;
    /** It is to go: since when that is known, and when it goes. Told by its headers (RFC 9745, RFC 8594) and by the document. */
    readonly deprecated?: { readonly since: Date; readonly sunset: Date };
    /** What is still to do for the answer when its effects are committed: to wait, say. */
    readonly afterwards?: (request: FastifyRequest, payload: unknown) => Promise<unknown>;
  }
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Headers of a first answer that belong to it. */
const KEPT_HEADERS = ['location', 'etag'] as const;
/** Fields of answers that are shown once, and to nobody else. */
const SHOWN_ONCE = ['token', 'secret', 'record'];

/**
 * What holds for every route that needs a token, so that no route has to think of it: the answers that any of them may give
 * are in its schema, and what an unsafe one does happens in one transaction with its entry in the audit log and, if the
 * request names an `Idempotency-Key`, with the answer that the key will give again.
 */
export function registerConventions(app: App, store: ControlStore): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.permission === undefined) return;
    const isSafe = [route.method].flat().every((method) => SAFE.has(method));
    describe(route, isSafe);
    if (!isSafe) changing(route, store);
  });
  app.addHook('onSend', async (request, reply) => {
    const { deprecated } = request.routeOptions.config;
    if (deprecated === undefined) return;
    reply
      .header('deprecation', `@${Math.floor(deprecated.since.getTime() / 1000)}`)
      .header('sunset', deprecated.sunset.toUTCString());
  });
}

function describe(route: RouteOptions, isSafe: boolean): void {
  route.schema ??= {};
  const schema = route.schema as {
    body?: unknown;
    querystring?: object;
    headers?: { properties?: object };
    response?: object;
  };
  // A filter that is misspelt would give everything.
  if (schema.querystring !== undefined) schema.querystring = { ...schema.querystring, additionalProperties: false };
  const common = {
    ...problems(400, 401, 403, 429, 500),
    ...(schema.body === undefined ? {} : problems(413, 415)),
    ...(isSafe ? {} : problems(409, 422)),
  };
  schema.response = { ...common, ...schema.response };
  if (route.config?.deprecated !== undefined) Object.assign(schema, { deprecated: true });
  if (isSafe) return;
  const key = {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    description:
      'A text of your own choice, new for each thing that you ask for. Sent again within 24 hours, with the same body, it gives the first answer again and does nothing a second time.',
  };
  schema.headers = {
    type: 'object',
    ...schema.headers,
    properties: { ...schema.headers?.properties, 'idempotency-key': key },
  } as never;
}

function changing(route: RouteOptions, store: ControlStore): void {
  const { handler } = route;
  const { changesNothing = false, before, afterwards, findProblems } = route.config ?? {};
  const act = async (
    app: ThisParameterType<typeof handler>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> => {
    if (findProblems !== undefined) rejectProblems(await findProblems(request, request.body as never));
    const was = changesNothing || before === undefined ? null : await before(request);
    const payload: unknown = await handler.call(app, request, reply);
    if (!changesNothing) await audit(store, request, reply, was, payload);
    return payload;
  };
  route.handler = async function (request, reply) {
    const keyed = keyedRequest(request);
    let done: Outcome;
    if (keyed === null)
      done = {
        payload: await (changesNothing
          ? act(this, request, reply)
          : store.transaction(() => act(this, request, reply))),
      };
    else if (changesNothing) done = await asked(store, keyed, request, reply, () => act(this, request, reply));
    else done = await once(store, keyed, request, reply, () => act(this, request, reply));
    if ('error' in done) throw done.error;
    if ('again' in done) return answerAgain(reply, done.again);
    return reply.send(afterwards === undefined ? done.payload : await afterwards(request, done.payload));
  };
}

type Outcome = { readonly payload: unknown } | { readonly again: Answer } | { readonly error: unknown };

/** Does it and keeps the answer; or gives the answer that is kept. What is not over yet is not kept: it may go well the next time. */
function once(
  store: ControlStore,
  keyed: KeyedRequest,
  request: FastifyRequest,
  reply: FastifyReply,
  act: () => Promise<unknown>,
): Promise<Outcome> {
  return store.transaction(async () => {
    const again = await store.idempotency.begin(keyed);
    if (again !== null) return { again };
    // Within the other one: what it has done is undone where it fails, and its answer kept all the same.
    const { answer, outcome } = await answered(request, reply, () => store.transaction(act));
    await store.idempotency.keep(keyed, answer);
    return outcome;
  });
}

/** The same for what changes nothing, and may take long: no connection is held for as long as it does. */
async function asked(
  store: ControlStore,
  keyed: KeyedRequest,
  request: FastifyRequest,
  reply: FastifyReply,
  act: () => Promise<unknown>,
): Promise<Outcome> {
  const known = await store.idempotency.find(keyed);
  if (known !== null) return { again: known };
  const { answer, outcome } = await answered(request, reply, act);
  return store.transaction(async () => {
    const again = await store.idempotency.begin(keyed);
    if (again !== null) return { again };
    await store.idempotency.keep(keyed, answer);
    return outcome;
  });
}

/** What was done, and the answer that is kept of it. @throws what may go well the next time. */
async function answered(
  request: FastifyRequest,
  reply: FastifyReply,
  act: () => Promise<unknown>,
): Promise<{ readonly answer: Answer; readonly outcome: Outcome }> {
  try {
    const payload = await act();
    const headers = Object.fromEntries(
      KEPT_HEADERS.flatMap((name) => (reply.hasHeader(name) ? [[name, String(reply.getHeader(name))]] : [])),
    );
    return {
      answer: { status: reply.statusCode, headers, body: payload === undefined ? null : JSON.stringify(payload) },
      outcome: { payload },
    };
  } catch (error) {
    const { code } = toAppError(error);
    const isFinal = ERROR_POLICY[code].http < 500 && ERROR_POLICY[code].http !== 429;
    if (!isFinal) throw error;
    const { status, body } = problemOf(error as FastifyError, request);
    return { answer: { status, headers: {}, body }, outcome: { error } };
  }
}

function keyedRequest(request: FastifyRequest): KeyedRequest | null {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || request.identity === null) return null;
  const asked = JSON.stringify([
    request.method,
    request.url,
    request.headers['if-match'] ?? null,
    request.body ?? null,
  ]);
  return { tokenId: request.identity.id, key, fingerprint: createHash('sha256').update(asked).digest('hex') };
}

function answerAgain(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  reply.code(status).headers({ ...headers, 'idempotent-replayed': 'true' });
  if (status >= 400 && body !== null) return sendProblem(reply, status, body);
  return reply.send(body === null ? undefined : JSON.parse(body));
}

async function audit(
  store: ControlStore,
  request: FastifyRequest,
  reply: FastifyReply,
  before: object | null,
  payload: unknown,
): Promise<void> {
  const { identity } = request;
  if (identity === null) throw new AppError('bug', 'A change without an identity.');
  await store.auditLog.append({
    actor_id: identity.id,
    actor_name: identity.name,
    actor_role: identity.role,
    address: request.ip,
    request_id: request.id,
    action: String((request.routeOptions.schema as { operationId?: string } | undefined)?.operationId),
    resource: resourceOf(request, reply),
    before: withoutSecrets(before),
    after: withoutSecrets(payload),
  });
}

/** The path of what was changed: up to the last of its parameters, or, for what was just made, where it is now. */
function resourceOf(request: FastifyRequest, reply: FastifyReply): string {
  const pattern = (request.routeOptions.url ?? '').split('/');
  const last = pattern.findLastIndex((part) => part.startsWith(':'));
  const path =
    last >= 0
      ? (request.url.split('?')[0] as string)
          .split('/')
          .slice(0, last + 1)
          .join('/')
      : String(reply.getHeader('location') ?? request.url);
  return path.replace(/^\/v1\//, '');
}

function withoutSecrets(value: unknown): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !SHOWN_ONCE.includes(name)));
}
