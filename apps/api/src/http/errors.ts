import { STATUS_CODES } from 'node:http';
import { AppError, ERROR_POLICY, toAppError } from '@freshet/contracts';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../context.ts';
import { getErrorReferenceUrl } from './error-reference.ts';
import { createInvalidInputError, type FieldProblem } from './field-problems.ts';
import { findShapeProblems, omitInvalid } from './validation.ts';

/** An error as a response: `application/problem+json`, as in RFC 9457. */
export interface Problem {
  readonly status: number;
  readonly body: string;
  /** The value of `Retry-After`, in seconds. Null: the response has no such header. */
  readonly retryAfter: number | null;
}

interface ProblemFields {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldProblem[] | undefined;
  readonly retryAfterMs?: number | null;
}

/** Converts a thrown error to a response. No other code converts errors to responses. */
export function toProblem(error: FastifyError, request: FastifyRequest): Problem {
  // Errors of Fastify: the body is not JSON, is too large, or has an unsupported media type.
  if (error.code?.startsWith('FST_') && error.statusCode !== undefined && error.statusCode < 500) {
    return buildProblem(request, { status: error.statusCode, code: 'invalid_input', detail: error.message });
  }
  const { code, message, context, retryAfterMs } = toAppError(error);
  if (code === 'bug' || code === 'secret_unreadable') {
    const detail = 'An internal error occurred. To find the cause, search the log of the API for the request_id.';
    return buildProblem(request, { status: 500, code, detail });
  }
  const { pointer, errors: fieldErrors } = context;
  const errors = Array.isArray(fieldErrors)
    ? (fieldErrors as FieldProblem[])
    : typeof pointer === 'string'
      ? [{ pointer, detail: message }]
      : undefined;
  return buildProblem(request, { status: ERROR_POLICY[code].http, code, detail: message, errors, retryAfterMs });
}

/** Registers the error handler, and the responses for unknown paths (404) and methods (405). */
export function registerErrors(app: App): void {
  app.setErrorHandler(async (thrown: FastifyError, request, reply) => {
    const error =
      thrown.validation === undefined
        ? thrown
        : await collectProblems(thrown, request).catch((failed: FastifyError) => failed);
    const { status, body, retryAfter } = toProblem(error as FastifyError, request);
    if (status >= 500) request.log.error({ err: error }, 'request failed');
    if (retryAfter !== null) reply.header('retry-after', retryAfter);
    return sendProblem(reply, status, body);
  });
  const methodsByPattern = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByPattern.get(url) ?? new Set();
    methodsByPattern.set(url, new Set([...methods, ...[method].flat()]));
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] as string;
    const allowed = [...methodsByPattern].flatMap(([pattern, methods]) =>
      matchesPattern(pattern, path) ? [...methods] : [],
    );
    if (allowed.length > 0) {
      const allow = [...new Set(allowed)].sort().join(', ');
      const detail = `${path} does not support ${request.method}. Supported methods: ${allow}.`;
      const { status, body } = buildProblem(request, { status: 405, code: 'method_not_allowed', detail });
      return sendProblem(reply.header('allow', allow), status, body);
    }
    const detail = `${request.method} ${path} does not exist. See /docs for the operations of this API.`;
    const { status, body } = buildProblem(request, { status: 404, code: 'not_found', detail });
    return sendProblem(reply, status, body);
  });
}

/** Whether a path matches the pattern of a route. */
function matchesPattern(pattern: string, path: string): boolean {
  const patternSegments = pattern.split('/');
  const segments = path.split('/');
  const matchesSegment = (expected: string, segment: string) =>
    expected.startsWith(':') ? new RegExp(/\((.+)\)$/.exec(expected)?.[1] ?? '.').test(segment) : expected === segment;
  return (
    patternSegments.length === segments.length &&
    patternSegments.every((expected, i) => matchesSegment(expected, segments[i] as string))
  );
}

export function sendProblem(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type('application/problem+json').send(body);
}

function buildProblem(
  request: FastifyRequest,
  { status, code, detail, errors, retryAfterMs = null }: ProblemFields,
): Problem {
  const fields = {
    type: getErrorReferenceUrl(code),
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    request_id: request.id,
    ...(errors ? { errors } : {}),
  };
  return {
    status,
    body: JSON.stringify(fields),
    retryAfter: retryAfterMs === null ? null : Math.ceil(retryAfterMs / 1000),
  };
}

/**
 * Collects all problems of a request that was rejected by its schema. To find the problems that the
 * schema cannot express, also runs the checks of the route on the valid fields.
 */
async function collectProblems(error: FastifyError, request: FastifyRequest): Promise<AppError> {
  const shapeProblems = findShapeProblems(request, error.validationContext ?? 'body', error.validation ?? []);
  const { findProblems } = request.routeOptions.config;
  const isBody =
    error.validationContext === 'body' &&
    typeof request.body === 'object' &&
    request.body !== null &&
    !Array.isArray(request.body);
  const otherProblems =
    isBody && findProblems !== undefined
      ? await findProblems(request, omitInvalid(request.body, shapeProblems) as never).catch(ignoreMissingResource)
      : [];
  return createInvalidInputError([...shapeProblems, ...otherProblems], (problem) =>
    shapeProblems.includes(problem) ? `${problem.pointer}: ${problem.detail}` : problem.detail,
  );
}

/**
 * Ignores the errors for a missing resource and an outdated `If-Match`. These errors are reported
 * only if the request itself is valid.
 */
function ignoreMissingResource(error: unknown): FieldProblem[] {
  if (error instanceof AppError && (error.code === 'not_found' || error.code === 'precondition_failed')) return [];
  throw error;
}
