import { AppError } from '@freshet/contracts';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, response } from '../../http/operation.ts';
import { UsageList } from './schemas.ts';

const DAYS_MAX = 366;
const DAY_MS = 86_400_000;

export function registerUsageRoutes(app: App, { store }: Deps): void {
  app.get(
    '/v1/usage',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listUsage',
          tags: ['usage'],
          summary: 'List usage',
          description:
            'Lists records, bytes, credits and lag for each day, pipeline and object. The interval can have at most 366 days. By default, the interval is the last 30 days.',
        }),
        querystring: Type.Object({
          from: Type.Optional(
            Type.String({ format: 'date', description: 'The first day (UTC). Default: 29 days before `until`.' }),
          ),
          until: Type.Optional(Type.String({ format: 'date', description: 'The last day (UTC). Default: today.' })),
          pipeline_id: Type.Optional(
            Type.String({ format: 'uuid', description: 'Return only usage of this pipeline.' }),
          ),
        }),
        response: { 200: response('The usage.', UsageList) },
      },
    },
    async (request) => {
      const until = request.query.until ?? new Date().toISOString().slice(0, 10);
      const from = request.query.from ?? new Date(Date.parse(until) - 29 * DAY_MS).toISOString().slice(0, 10);
      const days = (Date.parse(until) - Date.parse(from)) / DAY_MS + 1;
      if (days < 1 || days > DAYS_MAX) {
        throw new AppError(
          'invalid_input',
          `from: the first day must not be after the last day (until), and the interval must not exceed ${DAYS_MAX} days.`,
          {
            context: { pointer: '/querystring/from' },
          },
        );
      }
      return { data: await store.runs.getUsage(from, until, request.query.pipeline_id ?? null) };
    },
  );
}
