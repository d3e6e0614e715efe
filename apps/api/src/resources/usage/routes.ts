import { AppError } from '@freshet/contracts';
import type { UsagePeriod } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, parseListQuery, response } from '../../http/operation.ts';
import { ListQuery } from '../../http/schemas.ts';
import { UsageByDayList, UsageByPipelineList, UsageList } from './schemas.ts';

const DAYS_MAX = 366;
const DAYS_DEFAULT = 30;
const DAY_MS = 86_400_000;
const INTERVAL = `The interval can have at most ${DAYS_MAX} days. By default, the interval is the last ${DAYS_DEFAULT} days.`;
const tags = ['usage'];

const periodQuery = {
  from: Type.Optional(
    Type.String({ format: 'date', description: 'The first day (UTC). Default: 29 days before `until`.' }),
  ),
  until: Type.Optional(Type.String({ format: 'date', description: 'The last day (UTC). Default: today.' })),
};
const pipelineQuery = {
  pipeline_id: Type.Optional(Type.String({ format: 'uuid', description: 'Return only usage of this pipeline.' })),
};

export function registerUsageRoutes(app: App, deps: Deps): void {
  registerListUsage(app, deps);
  registerListUsageByDay(app, deps);
  registerListUsageByPipeline(app, deps);
}

function registerListUsage(app: App, { store }: Deps): void {
  app.get(
    '/v1/usage',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listUsage',
          tags,
          summary: 'List usage',
          description: `Lists records, bytes, credits and lag for each day, pipeline and object. ${INTERVAL}`,
        }),
        querystring: Type.Object({ ...periodQuery, ...pipelineQuery }),
        response: { 200: response('The usage.', UsageList) },
      },
    },
    async ({ query }) => ({ data: await store.runs.getUsage(parsePeriod(query), query.pipeline_id ?? null) }),
  );
}

function registerListUsageByDay(app: App, { store }: Deps): void {
  app.get(
    '/v1/usage/days',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listUsageByDay',
          tags,
          summary: 'List usage by day',
          description: `Lists the sums of records, bytes and credits, and the maximum lag of all tables, for each day. ${INTERVAL}`,
        }),
        querystring: Type.Object({ ...periodQuery, ...pipelineQuery }),
        response: { 200: response('The usage.', UsageByDayList) },
      },
    },
    async ({ query }) => ({ data: await store.runs.getUsageByDay(parsePeriod(query), query.pipeline_id ?? null) }),
  );
}

function registerListUsageByPipeline(app: App, { store }: Deps): void {
  app.get(
    '/v1/usage/pipelines',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listUsageByPipeline',
          tags,
          summary: 'List usage by pipeline',
          description: `Lists the sums of records, bytes and credits for each pipeline with usage. The pipeline that used the most credits is first. A pipeline whose credits increase while the pages are fetched can be missing from the later pages, so end the interval before the present day if the pages must be complete. ${INTERVAL}`,
        }),
        querystring: Type.Object({ ...ListQuery, ...periodQuery }),
        response: { 200: response('A page of the list.', UsageByPipelineList) },
      },
    },
    async ({ query }) => {
      const { data, nextCursor } = await store.runs.listUsageByPipeline(parsePeriod(query), parseListQuery(query));
      return { data: [...data], next_cursor: nextCursor };
    },
  );
}

function parsePeriod(query: { readonly from?: string; readonly until?: string }): UsagePeriod {
  const until = query.until ?? new Date().toISOString().slice(0, 10);
  const from = query.from ?? new Date(Date.parse(until) - (DAYS_DEFAULT - 1) * DAY_MS).toISOString().slice(0, 10);
  const days = (Date.parse(until) - Date.parse(from)) / DAY_MS + 1;
  if (days < 1 || days > DAYS_MAX)
    throw new AppError(
      'invalid_input',
      `from: the first day must not be after the last day (until), and the interval must not exceed ${DAYS_MAX} days.`,
      { context: { pointer: '/querystring/from' } },
    );
  return { from, until };
}
