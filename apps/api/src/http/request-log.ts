import type { Metrics } from '@freshet/runtime';
import type { App } from '../app.ts';

/** Upper bounds of how long requests take, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

/** One line for each request: what was asked, by whom, what was answered, and how long it took. Never what a body holds. */
export function registerRequestLog(app: App, metrics: Metrics): void {
  const durations = metrics.histogram(
    'http_request_duration_seconds',
    'How long requests took.',
    ['method', 'route', 'status'],
    BUCKETS,
  );
  app.addHook('onResponse', async (request, reply) => {
    const { method, identity, ip, routeOptions } = request;
    // The route's pattern, not the path: of those there is no end.
    durations.observe(
      { method, route: routeOptions.url ?? 'unknown', status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
    request.log.info(
      {
        method,
        path: request.url.split('?')[0],
        operation: operationOf(routeOptions.schema),
        token: identity?.id,
        address: ip,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    );
  });
}

function operationOf(schema: unknown): string | undefined {
  return (schema as { operationId?: string } | undefined)?.operationId;
}
