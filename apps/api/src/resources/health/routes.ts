import { isReady } from '@freshet/runtime';
import type { App, Deps } from '../../app.ts';
import { answer, operation, problems } from '../../http/operation.ts';
import { Health } from '../system/schemas.ts';

export function healthRoutes(app: App, { store, isDraining }: Deps): void {
  app.get(
    '/livez',
    {
      schema: {
        ...operation({
          operationId: 'getLiveness',
          tags: ['health'],
          summary: 'Is the process alive',
          description: 'Depends on nothing else.',
        }),
        security: [],
        response: { 200: answer('It is.', Health), ...problems(400) },
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
          summary: 'Can it take requests',
          description:
            'The database answers, its tables are those that this release needs, and the process is not about to end.',
        }),
        security: [],
        response: { 200: answer('It can.', Health), 503: answer('It cannot.', Health), ...problems(400) },
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
