import { randomBytes } from 'node:crypto';
import { type Console, loadConsole } from '@freshet/console';
import { AppError } from '@freshet/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../context.ts';

/** The names of the files contain a hash of their contents, so a file never changes. */
const IMMUTABLE = 'public, max-age=31536000, immutable';

/**
 * Registers the console at `/console/`, and redirects `/` to it. The files of the console are
 * public, and contain no secrets. Users sign in with an API token.
 */
export function registerConsoleRoutes(app: App): void {
  let loading: Promise<Console> | null = null;
  const load = () => {
    // A failed attempt is repeated by the next request.
    loading ??= loadConsole().catch((error: unknown) => {
      loading = null;
      throw error;
    });
    return loading;
  };
  const schema = { hide: true };
  // The query can contain a sign-in code.
  const redirect = async (request: FastifyRequest, reply: FastifyReply) =>
    reply
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-store')
      .redirect(`/console/${request.url.slice(request.url.split('?')[0]?.length)}`);
  app.get('/', { schema }, redirect);
  app.get('/console', { schema }, redirect);
  app.get<{ Params: { '*': string } }>('/console/*', { schema }, async (request, reply) => {
    const { files, getPage } = await load();
    const path = request.params['*'];
    const file = files.get(path);
    if (file === undefined) {
      if (path.startsWith('assets/'))
        throw new AppError(
          'not_found',
          `The console has no file "${path}". Reload the page to get the current version.`,
        );
      const { body, contentSecurityPolicy } = getPage(randomBytes(16).toString('base64'));
      return sendPage(reply, body, contentSecurityPolicy);
    }
    const acceptsGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    reply.type(file.type).header('cache-control', IMMUTABLE).header('vary', 'accept-encoding');
    return acceptsGzip ? reply.header('content-encoding', 'gzip').send(file.gzip) : reply.send(file.body);
  });
}

/** Sends the page. The page itself contains no data, and the path is evaluated in the browser. */
function sendPage(reply: FastifyReply, body: string, contentSecurityPolicy: string): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', contentSecurityPolicy)
    .header('referrer-policy', 'no-referrer')
    .header('x-frame-options', 'DENY')
    .header('cache-control', 'no-cache')
    .send(body);
}
