import type { App } from '../app.ts';

/** One line for each request: what was asked, by whom, what was answered, and how long it took. Never what a body holds. */
export function registerRequestLog(app: App): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, identity, ip, routeOptions } = request;
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
