import type { Metrics } from '@freshet/runtime';
import type { App } from '../context.ts';

/** The upper bounds of the histogram buckets. */
const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

/**
 * Logs one line per request, with the id of the token, the status and the duration. Durations are
 * also exported as a histogram. Bodies are never logged.
 */
export function registerRequestLog(app: App, metrics: Metrics): void {
  const durations = metrics.histogram(
    'http_request_duration_seconds',
    'Duration of HTTP requests.',
    ['method', 'route', 'status'],
    DURATION_BUCKETS_SECONDS,
  );
  app.addHook('onResponse', (request, reply, done) => {
    const { method, identity, ip, routeOptions } = request;
    // The label is the pattern of the route, because paths have an unbounded cardinality.
    durations.observe(
      { method, route: routeOptions.url ?? 'unknown', status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
    request.log.info(
      {
        method,
        path: request.url.split('?')[0],
        operation: getOperationId(routeOptions.schema),
        token: identity?.id,
        address: ip,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    );
    done();
  });
}

function getOperationId(schema: unknown): string | undefined {
  return (schema as { operationId?: string } | undefined)?.operationId;
}
