import type { DailyUsage, PipelineActivity, Run, RunSummary } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, parseListQuery, response } from '../../http/operation.ts';
import { ListQuery } from '../../http/schemas.ts';
import { estimateRun } from '../runs/progress.ts';
import { PipelineActivityList, PipelineSummary } from './activity-schemas.ts';
import { addStates, toPipelineJson } from './json.ts';
import { PipelineStatus } from './schemas.ts';

const tags = ['pipelines'];
const USAGE_DAYS = 30;

/** Registers the operations that return the state of many pipelines in one request. */
export function registerPipelineActivityRoutes(app: App, deps: Deps): void {
  registerListActivity(app, deps);
  registerGetSummary(app, deps);
}

function registerListActivity(app: App, { store }: Deps): void {
  app.get(
    '/v1/pipelines/activity',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listPipelineActivity',
          tags,
          summary: 'List pipelines with their activity',
          description:
            'Lists pipelines, newest first, each with its newest runs, its freshness and its usage of the last 30 days.',
        }),
        querystring: Type.Object({
          ...ListQuery,
          search: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 255,
              description: 'Return only pipelines whose name or account contains this text. Case is ignored.',
            }),
          ),
          status: Type.Optional(
            Type.Unsafe<'active' | 'paused'>({
              ...PipelineStatus,
              $id: undefined,
              description: 'Return only pipelines with this status.',
            }),
          ),
        }),
        response: { 200: response('A page of the list.', PipelineActivityList) },
      },
    },
    async ({ query }) => {
      const { search, status } = query;
      const { data, nextCursor } = await store.pipelines.list(parseListQuery(query), { search, status });
      const [pipelines, activities] = await Promise.all([
        addStates(store, data),
        store.runs.findActivity(
          data.map(({ id }) => id),
          USAGE_DAYS,
        ),
      ]);
      const openRuns = await store.runs.find(activities.flatMap(({ open_run }) => open_run?.id ?? []));
      const progress = new Map(openRuns.map((run) => [run.id, getProgress(run)]));
      const byPipeline = new Map(activities.map((activity) => [activity.pipeline_id, activity]));
      return {
        data: pipelines.map((pipeline) => ({
          // The generated type of optional fields is stricter than the stored type.
          pipeline: toPipelineJson(pipeline) as never,
          ...toActivityJson(byPipeline.get(pipeline.id) as PipelineActivity, progress),
        })),
        next_cursor: nextCursor,
      };
    },
  );
}

function registerGetSummary(app: App, { store }: Deps): void {
  app.get(
    '/v1/pipelines/summary',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getPipelineSummary',
          tags,
          summary: 'Get a summary of all pipelines',
          description:
            'Returns the number of pipelines that need attention, the freshness of the pipelines, and their usage today.',
        }),
        response: { 200: response('The summary.', PipelineSummary) },
      },
    },
    async () => {
      const summary = await store.runs.summarizePipelines();
      return {
        ...summary,
        freshest_as_of: summary.freshest_as_of?.toISOString() ?? null,
        stalest_as_of: summary.stalest_as_of?.toISOString() ?? null,
      };
    },
  );
}

function getProgress(run: Run): number | null {
  return estimateRun(run, new Date()).progress;
}

function toActivityJson(
  { last_run, open_run, last_status, fresh_as_of, usage }: PipelineActivity,
  progress: ReadonlyMap<string, number | null>,
) {
  const toSummaryJson = (run: RunSummary | null) =>
    run === null
      ? null
      : {
          ...run,
          created_at: run.created_at.toISOString(),
          finished_at: run.finished_at?.toISOString() ?? null,
          progress: run.finished_at === null ? (progress.get(run.id) ?? null) : 1,
        };
  return {
    last_run: toSummaryJson(last_run),
    open_run: toSummaryJson(open_run),
    last_status,
    fresh_as_of: fresh_as_of?.toISOString() ?? null,
    usage: usage.map((day: DailyUsage) => ({ ...day })),
  };
}
