import type { App } from '../../context.ts';
import { ERROR_REFERENCE_PATH, toHtml } from '../../http/error-reference.ts';

/**
 * Registers the page to which the `type` of problem responses links. The page is public, like the
 * API reference.
 */
export function registerErrorReferenceRoutes(app: App): void {
  const { body, contentSecurityPolicy } = toHtml();
  app.get(ERROR_REFERENCE_PATH, { schema: { hide: true } }, async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', contentSecurityPolicy)
      .header('referrer-policy', 'no-referrer')
      .header('x-frame-options', 'DENY')
      .header('cache-control', 'public, max-age=3600')
      .send(body),
  );
}
