import { AppError } from '@freshet/contracts';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, operation } from '../../http/operation.ts';
import { UsageList } from './schemas.ts';

const DAYS_MAX = 366;
const DAY_MS = 86_400_000;

export function usageRoutes(app: App, { store }: Deps): void {
  app.get(
    '/v1/usage',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listUsage',
          tags: ['usage'],
          summary: 'Records, bytes, credits and lag by day',
          description: 'Of each pipeline and object. By default of the last 30 days.',
        }),
        querystring: Type.Object({
          from: Type.Optional(Type.String({ format: 'date', description: 'The first day, in UTC.' })),
          until: Type.Optional(Type.String({ format: 'date', description: 'The last day, in UTC; by default today.' })),
          pipeline_id: Type.Optional(Type.String({ format: 'uuid', description: 'Only of this pipeline.' })),
        }),
        response: { 200: answer('By day, pipeline and object.', UsageList) },
      },
    },
    async (request) => {
      const until = request.query.until ?? new Date().toISOString().slice(0, 10);
      const from = request.query.from ?? new Date(Date.parse(until) - 29 * DAY_MS).toISOString().slice(0, 10);
      const days = (Date.parse(until) - Date.parse(from)) / DAY_MS + 1;
      if (days < 1 || days > DAYS_MAX) {
        throw new AppError('invalid_input', `from: must be until or before it, and at most ${DAYS_MAX} days before.`, {
          context: { pointer: '/querystring/from' },
        });
      }
      return { data: await store.runs.usage(from, until, request.query.pipeline_id ?? null) };
    },
  );
}
