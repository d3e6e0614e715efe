import { errorCodes, type FastifyRequest, type RouteOptions } from 'fastify';
import type { App } from '../context.ts';
import { createInvalidInputError } from './field-problems.ts';
import { resolveSchema } from './schemas.ts';

/**
 * The maximum nesting depth of objects and arrays in a body. The recursive functions that process
 * bodies would overflow the stack at several thousand levels.
 */
const DEPTH_MAX = 64;

/**
 * Parses JSON bodies. An empty or blank body counts as no body, regardless of its content type,
 * because many clients send `Content-Type: application/json` with every `POST`. If a request has no
 * body, a route without required fields receives an empty JSON object, and a route with required
 * fields rejects the request.
 */
export function registerBodies(app: App): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (isBlank(body)) done(null, undefined);
    else void parseJson(request, body, (error, value) => done(error ?? checkDepth(value), value));
  });
  app.addContentTypeParser<string>('*', { parseAs: 'string' }, (request, body, done) => {
    if (isBlank(body)) done(null, undefined);
    else done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(request.headers['content-type']));
  });
  app.addHook('onRoute', (route) => {
    const schema = (route.schema as { body?: object } | undefined)?.body;
    if (schema === undefined) return;
    const complete = isBodyOptional(schema) ? defaultToEmptyBody : rejectMissingBody;
    route.preValidation = [complete, ...listPreValidationHooks(route)];
  });
}

/** Whether the body may be omitted, because its schema requires no property. */
export function isBodyOptional(schema: object): boolean {
  const { required = [], minProperties = 0 } = resolveSchema(schema) as {
    required?: readonly string[];
    minProperties?: number;
  };
  return required.length === 0 && minProperties === 0;
}

async function defaultToEmptyBody(request: FastifyRequest): Promise<void> {
  if (request.body === undefined) request.body = {};
}

async function rejectMissingBody(request: FastifyRequest): Promise<void> {
  if (request.body !== undefined) return;
  throw createInvalidInputError([
    { pointer: '/', detail: 'The request has no body. Send a JSON object with the content type application/json.' },
  ]);
}

function listPreValidationHooks({ preValidation = [] }: RouteOptions): never[] {
  return [preValidation].flat() as never[];
}

/** @returns the error for a value with too many levels. Null: the value is valid. */
function checkDepth(value: unknown): Error | null {
  let level = [value];
  for (let depth = 0; depth <= DEPTH_MAX; depth++) {
    level = level.flatMap((parent) => (typeof parent === 'object' && parent !== null ? Object.values(parent) : []));
    if (level.length === 0) return null;
  }
  const detail = `The body has too many levels of nested objects and arrays. At most ${DEPTH_MAX} levels are allowed.`;
  return createInvalidInputError([{ pointer: '/', detail }]);
}

/** Whether a body consists of JSON whitespace only, with an optional byte order mark. */
function isBlank(body: string): boolean {
  return /^\uFEFF?[ \t\r\n]*$/.test(body);
}
