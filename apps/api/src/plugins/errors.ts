import { STATUS_CODES } from 'node:http';
import { ERROR_POLICY, toAppError } from '@freshet/contracts';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';

interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** An error as an answer: `application/problem+json`, as in RFC 9457. */
export interface Problem {
  readonly status: number;
  readonly body: string;
  /** What to wait before the next try, in seconds; null: nothing is known of that. */
  readonly retryAfter: number | null;
}

/** The only place where an error becomes an answer. */
export function problemOf(error: FastifyError, request: FastifyRequest): Problem {
  if (error.validation) {
    const errors = error.validation.map((v) => fieldError(v, error.validationContext ?? 'body'));
    return problem(request, 400, 'invalid_input', errors.map((e) => `${e.pointer}: ${e.detail}`).join('; '), errors);
  }
  // Fastify's own: a body that is no JSON, too large, or of another media type.
  if (error.code?.startsWith('FST_') && error.statusCode !== undefined && error.statusCode < 500) {
    return problem(request, error.statusCode, 'invalid_input', error.message);
  }
  const known = toAppError(error);
  if (known.code === 'bug' || known.code === 'secret_unreadable') {
    return problem(request, 500, known.code, 'Something went wrong on our side; the logs say what, under this request id.');
  }
  const { pointer } = known.context;
  const errors = typeof pointer === 'string' ? [{ pointer, detail: known.message }] : undefined;
  return { ...problem(request, ERROR_POLICY[known.code].http, known.code, known.message, errors), retryAfter: seconds(known.retryAfterMs) };
}

export function registerErrors(app: App): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, body, retryAfter } = problemOf(error, request);
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
      const { status, body } = problem(request, 405, 'method_not_allowed', `${path} takes ${allow}, and not ${request.method}.`);
      return sendProblem(reply.header('allow', allow), status, body);
    }
    const { status, body } = problem(request, 404, 'not_found', `There is no ${request.method} ${request.url.split('?')[0]}. The API is described at /docs.`);
    return sendProblem(reply, status, body);
  });
}

/** Whether a path is one that a route's pattern stands for. */
function matches(pattern: string, path: string): boolean {
  const parts = pattern.split('/');
  const given = path.split('/');
  const fits = (part: string, text: string) => (part.startsWith(':') ? new RegExp(/\((.+)\)$/.exec(part)?.[1] ?? '.').test(text) : part === text);
  return parts.length === given.length && parts.every((part, i) => fits(part, given[i] as string));
}

export function sendProblem(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type('application/problem+json').send(body);
}

function problem(request: FastifyRequest, status: number, code: string, detail: string, errors?: readonly FieldError[]): Problem {
  const said = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail, request_id: request.id, ...(errors ? { errors } : {}) };
  return { status, body: JSON.stringify(said), retryAfter: null };
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : Math.ceil(ms / 1000);
}

function fieldError(v: NonNullable<FastifyError['validation']>[number], context: string): FieldError {
  const where = context === 'body' ? '' : `/${context}`;
  const params = v.params as { missingProperty?: string; additionalProperty?: string; allowedValues?: unknown[] };
  if (params.missingProperty !== undefined) return { pointer: `${where}${v.instancePath}/${params.missingProperty}`, detail: 'is missing' };
  if (params.additionalProperty !== undefined) return { pointer: `${where}${v.instancePath}/${params.additionalProperty}`, detail: 'is not known here' };
  const allowed = params.allowedValues ? `: ${params.allowedValues.join(', ')}` : '';
  return { pointer: `${where}${v.instancePath}` || '/', detail: `${v.message ?? 'is not valid'}${allowed}` };
}
