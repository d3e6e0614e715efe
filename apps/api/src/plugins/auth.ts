import { AppError } from '@freshet/contracts';
import { type ControlStore, isToken, type TokenRole } from '@freshet/control-store';
import type { App } from '../app.ts';

/** What a route needs of whoever calls it. */
type Permission = 'read' | 'write';

/** Who may do what. */
const PERMISSIONS: Readonly<Record<TokenRole, readonly Permission[]>> = {
  team_admin: ['read', 'write'],
  team_collaborator: ['read', 'write'],
  pipeline_admin: ['read', 'write'],
  observer: ['read'],
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Without it a route is open to everybody. */
    readonly permission?: Permission;
  }
}

/** Bearer tokens. A token with a wrong checksum is refused without asking the database. */
export function registerAuth(app: App, store: ControlStore): void {
  app.addHook('onRequest', async (request) => {
    const { permission } = request.routeOptions.config;
    if (permission === undefined) return;
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const identity = token !== undefined && isToken(token) ? await store.tokens.identify(token) : null;
    if (identity === null) {
      throw new AppError(
        'unauthenticated',
        token === undefined ? 'A token is needed: send the header "Authorization: Bearer frt_…".' : 'The token is not known here.',
      );
    }
    if (!PERMISSIONS[identity.role].includes(permission)) throw new AppError('permission_denied', `The role ${identity.role} may not do this.`);
  });
}
