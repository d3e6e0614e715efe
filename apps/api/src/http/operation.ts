import type { FastifyReply, FastifySchema } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { Problem, ref } from './schemas.ts';

/** The description of an operation in the OpenAPI document. */
export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
}

type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 502 | 503;

const PROBLEM_DESCRIPTIONS: Readonly<Record<ProblemStatus, string>> = {
  400: 'The request is invalid. `errors` lists the invalid fields.',
  401: 'The request has no valid API token.',
  403: 'The role or the scopes of the token do not include the required permission.',
  404: 'The resource does not exist.',
  409: 'The request conflicts with the state of a resource, or the first request with this `Idempotency-Key` is still being processed.',
  412: 'The version in `If-Match` is not the current version of the resource.',
  413: 'The body is larger than 1 MiB.',
  415: 'The body is not JSON.',
  422: 'Freshdesk or the warehouse rejected the request, or the `Idempotency-Key` was already used for a different request.',
  429: 'The token has exceeded its limit of requests per minute, or the credits of the Freshdesk account are used up. Wait for the time in the `Retry-After` header, then repeat the request.',
  500: 'An internal error occurred. To find the cause, search the logs for the `request_id`.',
  502: 'Freshdesk or the warehouse cannot be reached, or returned an invalid response.',
  503: 'The service is temporarily unavailable.',
};

/** The problem responses of an operation. Their status codes are part of the type. */
export function problemResponses<const S extends ProblemStatus>(
  ...statuses: S[]
): { [K in S]: { description: string; content: Record<string, { schema: TSchema }> } } {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: PROBLEM_DESCRIPTIONS[status], content: { 'application/problem+json': { schema: ref(Problem) } } },
    ]),
  ) as never;
}

/** A response whose body has a named schema. */
export function response<T extends TSchema>(description: string, schema: T) {
  return { description, content: { 'application/json': { schema: ref(schema) } } };
}

/** A successful response without a body. */
export const noContent = Type.Unsafe<undefined>({ description: 'The operation succeeded.', type: 'null' });

export function operation({ operationId, tags, summary, description }: Operation): FastifySchema {
  return { operationId, tags: [...tags], summary, description };
}

/** Sets the version of a resource as the response's entity tag. */
export function setEtag(reply: FastifyReply, version: number): FastifyReply {
  return reply.header('etag', `"${version}"`);
}

/**
 * Returns the version in `If-Match`. Null: any version (`*`, or no header). For a tag in an unknown
 * format, returns -1, which is not the version of any resource.
 */
export function parseIfMatch(headers: { readonly 'if-match'?: string | undefined }): number | null {
  const tag = headers['if-match'];
  if (tag === undefined || tag === '*') return null;
  return Number(/^"(\d+)"$/.exec(tag)?.[1] ?? '-1');
}

export interface ListParameters {
  readonly limit?: number;
  readonly cursor?: string;
}

export function parseListQuery(query: ListParameters): { limit: number; cursor: string | null } {
  return { limit: query.limit ?? 50, cursor: query.cursor ?? null };
}
