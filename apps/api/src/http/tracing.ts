import { traced } from '@freshet/contracts';
import type { App } from '../app.ts';

/** A span for each request, within whatever its caller says that it belongs to (W3C Trace Context). What it asks for elsewhere belongs to it. */
export function registerTracing(app: App): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers, routeOptions } = request;
    const route = routeOptions.url ?? 'unknown';
    const sent = headers['traceparent'];
    const attributes = { 'http.request.method': method, 'http.route': route, 'freshet.request_id': request.id };
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    reply.raw.once('close', resolve);
    // Its end is when the answer is sent, or nobody waits for it any more; whatever happens until then happens in it.
    void traced(
      `${method} ${route}`,
      { kind: 'SERVER', causes: typeof sent === 'string' ? [sent] : [], attributes },
      async (span) => {
        done();
        await answered;
        span.setAttribute('http.response.status_code', reply.statusCode);
        if (reply.statusCode >= 500) span.setAttribute('error.type', String(reply.statusCode));
      },
    );
  });
}
