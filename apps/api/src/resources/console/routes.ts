import { loadConsole } from '@freshet/console';
import type { App } from '../../context.ts';

/**
 * Registers the operator console at `/console/`. The files of the console are public, and contain
 * no secrets. Users sign in with an API token.
 */
export function registerConsoleRoutes(app: App): void {
  const { files, contentSecurityPolicy } = loadConsole();
  app.get('/console', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/console/'));
  for (const [path, { type, body }] of files) {
    app.get(`/console/${path}`, { schema: { hide: true } }, async (_request, reply) =>
      reply
        .type(type)
        .header('content-security-policy', contentSecurityPolicy)
        .header('referrer-policy', 'no-referrer')
        .header('x-frame-options', 'DENY')
        .header('cache-control', 'no-cache')
        .send(body),
    );
  }
}
