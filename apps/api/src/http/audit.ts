import { AppError } from '@freshet/contracts';
import type { ControlStore } from '@freshet/control-store';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Fields of responses that must not be stored in the audit log. */
const SECRET_FIELDS = ['token', 'secret', 'record', 'code'];

interface Change {
  /**
   * The resource before the change. Null: the resource did not exist, or the route has no
   * `getPreviousState`.
   */
  readonly before: object | null;
  /** The payload of the response. */
  readonly payload: unknown;
}

/**
 * Appends an entry for an executed request to the audit log, in the transaction of the request.
 */
export async function appendAuditEntry(
  store: ControlStore,
  request: FastifyRequest,
  reply: FastifyReply,
  { before, payload }: Change,
): Promise<void> {
  const { identity } = request;
  if (identity === null) throw new AppError('bug', 'An audited route must require a token.');
  await store.auditLog.append({
    actor_id: identity.id,
    actor_name: identity.name,
    actor_role: identity.role,
    address: request.ip,
    request_id: request.id,
    action: String((request.routeOptions.schema as { operationId?: string } | undefined)?.operationId),
    resource: getResourcePath(request, reply),
    before: omitSecrets(before),
    after: omitSecrets(payload),
  });
}

/**
 * Returns the path of the changed resource, without `/v1/`. If the request path has a parameter,
 * this is the request path up to and including its last parameter. Otherwise, it is the `Location`
 * of the created resource.
 */
function getResourcePath(request: FastifyRequest, reply: FastifyReply): string {
  const pattern = (request.routeOptions.url ?? '').split('/');
  const lastParameter = pattern.findLastIndex((segment) => segment.startsWith(':'));
  const path =
    lastParameter >= 0
      ? (request.url.split('?')[0] as string)
          .split('/')
          .slice(0, lastParameter + 1)
          .join('/')
      : String(reply.getHeader('location') ?? request.url);
  return path.replace(/^\/v1\//, '');
}

function omitSecrets(value: unknown): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !SECRET_FIELDS.includes(name)));
}
