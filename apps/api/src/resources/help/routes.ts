import { createHash } from 'node:crypto';
import { AppError } from '@freshet/contracts';
import type { FastifyReply } from 'fastify';
import type { App, Help } from '../../context.ts';
import { type HelpSite, openSite } from './site.ts';

const STYLE =
  'body { font: 16px/1.5 system-ui, sans-serif; color-scheme: light dark; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const PLACEHOLDER_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
/** The interval at which the placeholder page reloads during a build. */
const RELOAD_SECONDS = 3;

/**
 * Registers the documentation site at `/help/`. The site is public, and contains no secrets. If it
 * has not been built, a placeholder page explains how to build it, or starts the build.
 */
export function registerHelpRoutes(app: App, help: Help): void {
  let site: HelpSite | null = null;
  app.get('/help', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/help/'));
  app.get<{ Params: { '*': string } }>('/help/*', { schema: { hide: true } }, async (request, reply) => {
    // The site may be built while the API runs.
    site ??= openSite(help.folder);
    setHeaders(reply, site?.contentSecurityPolicy ?? PLACEHOLDER_POLICY);
    if (site === null) return sendPlaceholder(reply, help);
    const path = request.params['*'];
    const file = site.findFile(path);
    if (file === null && site.findFile(`${path}/`) !== null) return reply.redirect(`/help/${path}/`);
    const notFound = file === null ? site.findFile('404') : null;
    if (file === null && notFound === null) throw new AppError('not_found', `/help/${path} does not exist.`);
    const { type, body, etag, isImmutable } = (file ?? notFound) as NonNullable<typeof file>;
    reply
      .code(file === null ? 404 : 200)
      .type(type)
      .header('etag', etag)
      .header('cache-control', isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache');
    if (file !== null && request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.send(body);
  });
}

function setHeaders(reply: FastifyReply, contentSecurityPolicy: string): void {
  reply
    .header('content-security-policy', contentSecurityPolicy)
    .header('referrer-policy', 'no-referrer')
    .header('x-frame-options', 'DENY');
}

function sendPlaceholder(reply: FastifyReply, help: Help): FastifyReply {
  const state = help.build?.() ?? 'manual';
  const text = {
    building: 'The documentation is being built. This takes less than a minute. The page reloads automatically.',
    failed:
      'Building the documentation failed. The log of the API contains the cause. To repeat the build, run <code>npm run docs:build</code> in the folder of the repository, and reload this page.',
    manual: `This deployment has no documentation site. Run <code>npm run docs:build</code> in the folder of the repository, and set <code>FRESHET_HELP_DIR</code> to the folder that the command prints.`,
  }[state];
  const reload = state === 'building' ? `<meta http-equiv="refresh" content="${RELOAD_SECONDS}">` : '';
  return reply
    .code(503)
    .type('text/html; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${reload}<title>Freshet help</title><style>${STYLE}</style></head><body><main><h1>Freshet help</h1><p>${text}</p><p><a href="/docs/">API reference</a> · <a href="/docs/errors">Error codes</a> · <a href="/console/">Console</a></p></main></body></html>\n`,
    );
}
