import { errorCodes, type FastifyRequest, type RouteOptions } from 'fastify';
import type { App } from '../app.ts';
import { invalidInput } from './field-problems.ts';
import { findNamed } from './schemas.ts';

/**
 * Parses bodies. An empty or blank body is no body, whatever its content type says: clients send `Content-Type: application/json`
 * with every `POST`. A route whose body has no required field then gets an empty object; others refuse the request.
 */
export function registerBodies(app: App): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (isBlank(body)) done(null, undefined);
    else void parseJson(request, body, done);
  });
  app.addContentTypeParser<string>('*', { parseAs: 'string' }, (request, body, done) => {
    if (isBlank(body)) done(null, undefined);
    else done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(request.headers['content-type']));
  });
  app.addHook('onRoute', (route) => {
    const schema = (route.schema as { body?: object } | undefined)?.body;
    if (schema === undefined) return;
    const complete = isBodyOptional(schema) ? completeBody : refuseMissingBody;
    route.preValidation = [complete, ...hooksOf(route)];
  });
}

/** Whether a request of this shape may have no body: nothing in it is required. */
export function isBodyOptional(schema: object): boolean {
  const { required = [], minProperties = 0 } = findNamed(schema) as {
    required?: readonly string[];
    minProperties?: number;
  };
  return required.length === 0 && minProperties === 0;
}

async function completeBody(request: FastifyRequest): Promise<void> {
  if (request.body === undefined) request.body = {};
}

async function refuseMissingBody(request: FastifyRequest): Promise<void> {
  if (request.body !== undefined) return;
  throw invalidInput([
    { pointer: '/', detail: 'The request has no body. Send a JSON object, with the content type application/json.' },
  ]);
}

function hooksOf({ preValidation = [] }: RouteOptions): never[] {
  return [preValidation].flat() as never[];
}

/** Only whitespace of JSON, or a byte order mark. */
function isBlank(body: string): boolean {
  return /^\uFEFF?[ \t\r\n]*$/.test(body);
}
