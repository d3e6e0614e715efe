import { STATUS_CODES } from 'node:http';
import { AppError, ERROR_POLICY, toAppError } from '@freshet/contracts';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import { type FieldProblem, invalidInput } from './field-problems.ts';
import { findShapeProblems, withoutInvalid } from './validation.ts';

/** An error as an answer: `application/problem+json`, as in RFC 9457. */
export interface Problem {
  readonly status: number;
  readonly body: string;
  /** What to wait before the next try, in seconds; null: nothing is known of that. */
  readonly retryAfter: number | null;
}

/** The only place where an error becomes an answer. */
export function problemOf(error: FastifyError, request: FastifyRequest): Problem {
  // Fastify's own: a body that is no JSON, too large, or of another media type.
  if (error.code?.startsWith('FST_') && error.statusCode !== undefined && error.statusCode < 500) {
    return problem(request, error.statusCode, 'invalid_input', error.message);
  }
  const known = toAppError(error);
  if (known.code === 'bug' || known.code === 'secret_unreadable') {
    return problem(
      request,
      500,
      known.code,
      'Something went wrong on our side; the logs say what, under this request id.',
    );
  }
  const { pointer, errors: several } = known.context;
  const errors = Array.isArray(several)
    ? (several as FieldProblem[])
    : typeof pointer === 'string'
      ? [{ pointer, detail: known.message }]
      : undefined;
  return {
    ...problem(request, ERROR_POLICY[known.code].http, known.code, known.message, errors),
    retryAfter: seconds(known.retryAfterMs),
  };
}

export function registerErrors(app: App): void {
  app.setErrorHandler(async (thrown: FastifyError, request, reply) => {
    const error =
      thrown.validation === undefined
        ? thrown
        : await collectProblems(thrown, request).catch((failed: FastifyError) => failed);
    const { status, body, retryAfter } = problemOf(error as FastifyError, request);
    if (status >= 500) request.log.error({ err: error }, 'request failed');
    if (retryAfter !== null) reply.header('retry-after', retryAfter);
    return sendProblem(reply, status, body);
  });
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    methods.set(url, new Set([...known, ...[method].flat()]));
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] as string;
    const allowed = [...methods].flatMap(([pattern, some]) => (matches(pattern, path) ? [...some] : []));
    if (allowed.length > 0) {
      const allow = [...new Set(allowed)].sort().join(', ');
      const { status, body } = problem(
        request,
        405,
        'method_not_allowed',
        `${path} takes ${allow}, and not ${request.method}.`,
      );
      return sendProblem(reply.header('allow', allow), status, body);
    }
    const { status, body } = problem(
      request,
      404,
      'not_found',
      `There is no ${request.method} ${request.url.split('?')[0]}. The API is described at /docs.`,
    );
    return sendProblem(reply, status, body);
  });
}

/** Whether a path is one that a route's pattern stands for. */
function matches(pattern: string, path: string): boolean {
  const parts = pattern.split('/');
  const given = path.split('/');
  const fits = (part: string, text: string) =>
    part.startsWith(':') ? new RegExp(/\((.+)\)$/.exec(part)?.[1] ?? '.').test(text) : part === text;
  return parts.length === given.length && parts.every((part, i) => fits(part, given[i] as string));
}

export function sendProblem(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type('application/problem+json').send(body);
}

function problem(
  request: FastifyRequest,
  status: number,
  code: string,
  detail: string,
  errors?: readonly FieldProblem[],
): Problem {
  const said = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    request_id: request.id,
    ...(errors ? { errors } : {}),
  };
  return { status, body: JSON.stringify(said), retryAfter: null };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : Math.ceil(ms / 1000);
}

/** A request that its schema refuses, with everything that is wrong with it: the checks of the route run on the part that is valid. */
async function collectProblems(error: FastifyError, request: FastifyRequest): Promise<AppError> {
  const shape = findShapeProblems(request, error.validationContext ?? 'body', error.validation ?? []);
  const { findProblems } = request.routeOptions.config;
  const isBody =
    error.validationContext === 'body' &&
    typeof request.body === 'object' &&
    request.body !== null &&
    !Array.isArray(request.body);
  const others =
    isBody && findProblems !== undefined
      ? await findProblems(request, withoutInvalid(request.body, shape) as never).catch(noneIfMissing)
      : [];
  return invalidInput([...shape, ...others], (problem) =>
    shape.includes(problem) ? `${problem.pointer}: ${problem.detail}` : problem.detail,
  );
}

/** A resource that does not exist, or has changed, is not reported before the request is valid. */
function noneIfMissing(error: unknown): FieldProblem[] {
  if (error instanceof AppError && (error.code === 'not_found' || error.code === 'precondition_failed')) return [];
  throw error;
}
