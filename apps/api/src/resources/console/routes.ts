import { loadConsole } from '@freshet/console';
import type { App } from '../../app.ts';

/** The operators' console, at `/console/`. Its files hold no secret: whoever opens it signs in with a token, as any client does. */
export function consoleRoutes(app: App): void {
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
