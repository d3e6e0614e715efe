import { STATUS_CODES } from 'node:http';
import { type AppError, ERROR_POLICY, toAppError } from '@freshet/contracts';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';

interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** The only place where an error becomes an answer: `application/problem+json`, as in RFC 9457. */
export function registerErrors(app: App): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.validation) {
      const errors = error.validation.map((v) => fieldError(v, error.validationContext ?? 'body'));
      return send(reply, request, 400, 'invalid_input', errors.map((e) => `${e.pointer}: ${e.detail}`).join('; '), errors);
    }
    // Fastify's own: a body that is no JSON, too large, or of another media type.
    if (error.code?.startsWith('FST_') && error.statusCode !== undefined && error.statusCode < 500) {
      return send(reply, request, error.statusCode, 'invalid_input', error.message);
    }
    const known = toAppError(error);
    if (known.code === 'bug' || known.code === 'secret_unreadable') {
      request.log.error({ err: error }, 'request failed');
      return send(reply, request, 500, known.code, 'Something went wrong on our side; the logs say what, under this request id.');
    }
    return send(reply, request, ERROR_POLICY[known.code].http, known.code, known.message, pointerOf(known));
  });
  app.setNotFoundHandler((request, reply) =>
    send(reply, request, 404, 'not_found', `There is no ${request.method} ${request.url.split('?')[0]}. The API is described at /docs.`),
  );
}

function pointerOf(error: AppError): readonly FieldError[] | undefined {
  const { pointer } = error.context;
  return typeof pointer === 'string' ? [{ pointer, detail: error.message }] : undefined;
}

function send(reply: FastifyReply, request: FastifyRequest, status: number, code: string, detail: string, errors?: readonly FieldError[]): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: 'about:blank',
        title: STATUS_CODES[status] ?? 'Error',
        status,
        code,
        detail,
        request_id: request.id,
        ...(errors ? { errors } : {}),
      }),
    );
}

function fieldError(v: NonNullable<FastifyError['validation']>[number], context: string): FieldError {
  const where = context === 'body' ? '' : `/${context}`;
  const params = v.params as { missingProperty?: string; additionalProperty?: string; allowedValues?: unknown[] };
  if (params.missingProperty !== undefined) return { pointer: `${where}${v.instancePath}/${params.missingProperty}`, detail: 'is missing' };
  if (params.additionalProperty !== undefined) return { pointer: `${where}${v.instancePath}/${params.additionalProperty}`, detail: 'is not known here' };
  const allowed = params.allowedValues ? `: ${params.allowedValues.join(', ')}` : '';
  return { pointer: `${where}${v.instancePath}` || '/', detail: `${v.message ?? 'is not valid'}${allowed}` };
}
