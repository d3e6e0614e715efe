import { AppError } from '@freshet/contracts';
import { type ControlStore, isToken, type TokenIdentity } from '@freshet/control-store';
import type { App } from '../app.ts';
import { may, type Permission } from './permissions.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a route needs of whoever calls it. Without it a route is open to everybody. */
    readonly permission?: Permission;
  }
  interface FastifyRequest {
    /** Who calls; null where a route is open to everybody. */
    identity: TokenIdentity | null;
  }
}

/** Bearer tokens. A token with a wrong checksum is refused without asking the database. */
export function registerAuth(app: App, store: ControlStore): void {
  app.decorateRequest('identity', null);
  app.addHook('onRequest', async (request) => {
    const { permission } = request.routeOptions.config;
    if (permission === undefined) return;
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const identity = token !== undefined && isToken(token) ? await store.tokens.identify(token) : null;
    if (identity === null) {
      throw new AppError(
        'unauthenticated',
        token === undefined
          ? 'A token is needed: send the header "Authorization: Bearer frt_…".'
          : 'The token is not known here, or has expired.',
      );
    }
    request.identity = identity;
    if (!may(identity, permission)) {
      const why =
        identity.scopes === null
          ? `The role ${identity.role} may not`
          : `The role ${identity.role} with the scopes ${identity.scopes.join(', ')} may not`;
      throw new AppError('permission_denied', `${why} do this: it needs the permission ${permission}.`);
    }
  });
}
