import { AppError } from '@freshet/contracts';
import type { ControlStore, TokenIdentity } from '@freshet/control-store';
import type { FastifyRequest } from 'fastify';
import type { App } from '../context.ts';
import { hasPermission, type Permission } from './permissions.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The permission that the route requires. Absent: the route is public. */
    readonly permission?: Permission;
  }
  interface FastifyRequest {
    /** The token of the request, or of its session. Null: the route is public. */
    identity: TokenIdentity | null;
  }
}

/** Returns the value of the header `Authorization: Bearer`. Undefined: there is no such header. */
export function getBearerToken({ headers }: FastifyRequest): string | undefined {
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/**
 * Authenticates requests with bearer tokens or sessions, and checks the permissions of the tokens.
 * A value with a wrong checksum is rejected without a database query.
 */
export function registerAuth(app: App, store: ControlStore): void {
  app.decorateRequest('identity', null);
  app.addHook('onRequest', async (request) => {
    const { permission } = request.routeOptions.config;
    if (permission === undefined) return;
    const token = getBearerToken(request);
    const identity = token === undefined ? null : await store.tokens.authenticate(token);
    if (identity === null) {
      throw new AppError(
        'unauthenticated',
        token === undefined
          ? 'The request has no API token. Send the header "Authorization: Bearer frt_…".'
          : token.startsWith('frs_')
            ? 'The session is unknown or has ended. Sign in again.'
            : 'The API token is unknown or has expired. Use a different token.',
      );
    }
    request.identity = identity;
    if (!hasPermission(identity, permission)) {
      const scopes = identity.scopes === null ? '' : ` with the scopes ${identity.scopes.join(', ')}`;
      throw new AppError(
        'permission_denied',
        `The role ${identity.role}${scopes} does not include the permission ${permission}, which this operation requires.`,
      );
    }
  });
}
