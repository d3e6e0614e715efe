import type { FastifyReply, FastifySchema } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { Problem, ref } from './schemas.ts';

/** What every operation says of itself. */
export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
}

type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 502 | 503;

const SAID: Readonly<Record<ProblemStatus, string>> = {
  400: 'The request is not valid; `errors` names the fields.',
  401: 'No valid token.',
  403: 'The token’s role or scopes do not allow this.',
  404: 'No such resource.',
  409: 'It conflicts with what is there, or the first request with this `Idempotency-Key` is still worked on.',
  412: 'The resource has changed since `If-Match`.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  422: 'Freshdesk or the warehouse refused, or the `Idempotency-Key` was used for another request.',
  429: 'The token has no requests left in this minute, or the account no credits; `Retry-After` says for how long.',
  500: 'Something went wrong on our side.',
  502: 'Freshdesk or the warehouse could not be reached.',
  503: 'Not ready.',
};

/** Problem answers of an operation, keeping their statuses in the type. */
export function problems<const S extends ProblemStatus>(
  ...statuses: S[]
): { [K in S]: { description: string; content: Record<string, { schema: TSchema }> } } {
  return Object.fromEntries(
    statuses.map((s) => [
      s,
      { description: SAID[s], content: { 'application/problem+json': { schema: ref(Problem) } } },
    ]),
  ) as never;
}

/** An answer of a named shape. */
export function answer<T extends TSchema>(description: string, schema: T) {
  return { description, content: { 'application/json': { schema: ref(schema) } } };
}

/** The answer to a deletion: no body. */
export const gone = Type.Unsafe<undefined>({ description: 'It is gone.', type: 'null' });

export function operation(op: Operation): FastifySchema {
  return { operationId: op.operationId, tags: [...op.tags], summary: op.summary, description: op.description };
}

/** A resource's version as an entity tag. */
export function withEtag(reply: FastifyReply, version: number): FastifyReply {
  return reply.header('etag', `"${version}"`);
}

/** The version that `If-Match` names; null when it names none (`*` or absent). A tag that is not ours matches nothing. */
export function expectedVersion(headers: { readonly 'if-match'?: string | undefined }): number | null {
  const tag = headers['if-match'];
  if (tag === undefined || tag === '*') return null;
  return Number(/^"(\d+)"$/.exec(tag)?.[1] ?? '-1');
}

export interface ListRequest {
  readonly limit?: number;
  readonly cursor?: string;
}

export function listOptions(query: ListRequest): { limit: number; cursor: string | null } {
  return { limit: query.limit ?? 50, cursor: query.cursor ?? null };
}
