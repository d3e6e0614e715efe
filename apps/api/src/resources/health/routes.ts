import { isReady } from '@freshet/runtime';
import type { App, Deps } from '../../context.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { Health } from './schemas.ts';

export function registerHealthRoutes(app: App, { store, isDraining }: Deps): void {
  app.get(
    '/livez',
    {
      schema: {
        ...operation({
          operationId: 'getLiveness',
          tags: ['health'],
          summary: 'Liveness probe',
          description: 'Returns 200 as soon as the process serves requests. The probe does not depend on the database.',
        }),
        security: [],
        response: { 200: response('The process is alive.', Health), ...problemResponses(400) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        ...operation({
          operationId: 'getReadiness',
          tags: ['health'],
          summary: 'Readiness probe',
          description:
            'Returns 200 if the database responds, its schema matches this release, and the process is not shutting down. Otherwise, returns 503.',
        }),
        security: [],
        response: {
          200: response('The process is ready.', Health),
          503: response('The process is not ready.', Health),
          ...problemResponses(400),
        },
      },
    },
    async (_request, reply) => {
      const ok = await isReady(() => store.ping(), isDraining);
      return ok ? { status: 'ok' as const } : reply.code(503).send({ status: 'unavailable' as const });
    },
  );
  app.get('/v1/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(app.swagger())),
  );
}
