import { isTracingEnabled, withSpan } from '@freshet/contracts';
import type { App } from '../context.ts';

/**
 * Creates a span for each request. If the request has a `traceparent` (W3C Trace Context), the span
 * is a child of the span in this header.
 */
export function registerTracing(app: App): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!isTracingEnabled()) return done();
    const { method, headers, routeOptions } = request;
    const route = routeOptions.url ?? 'unknown';
    const sent = headers['traceparent'];
    const attributes = { 'http.request.method': method, 'http.route': route, 'freshet.request_id': request.id };
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    reply.raw.once('close', resolve);
    // `done` continues the request inside the span. The span ends when the response has been sent
    // or the connection has been closed.
    void withSpan(
      `${method} ${route}`,
      { kind: 'SERVER', traceparents: typeof sent === 'string' ? [sent] : [], attributes },
      async (span) => {
        done();
        await closed;
        span.setAttribute('http.response.status_code', reply.statusCode);
        if (reply.statusCode >= 500) span.setAttribute('error.type', String(reply.statusCode));
      },
    );
  });
}
