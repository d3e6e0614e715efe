import type { Freshet, Schemas } from '@freshet/client';
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Pipeline } from '../pipeline-argument.ts';
import { READ_ONLY, registerTool } from '../tool.ts';

const PIPELINES_MAX = 50;

const time = z.string().nullable();
const summary = z.object({
  id: z.string(),
  name: z.string(),
  subdomain: z.string(),
  status: z.string(),
  schema: z.string(),
  analytics_schema: z.string().nullable(),
  analytics_refreshed_at: time,
  next_run_at: time,
  last_run: z.object({ id: z.string(), kind: z.string(), status: z.string(), finished_at: time }).nullable(),
  fresh_as_of: time.describe('All tables contain every change up to this time. Null: not all tables are complete.'),
  oldest_table: z.string().nullable(),
  stale_objects: z.array(
    z.object({ object: z.string(), stale_since: z.string(), max_staleness_minutes: z.number().nullable() }),
  ),
  incomplete_objects: z.array(z.string()).describe('Objects that no run has completed.'),
  unavailable_objects: z.array(z.string()).describe('Objects that the API key or the plan cannot read.'),
});

export function registerPipelineTools(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'list_pipelines',
    title: 'List pipelines',
    description:
      'Lists the pipelines with their status, last run and freshness: the time up to which their tables are complete, and the objects that exceed their maximum staleness.',
    input: z.object({}),
    output: z.object({ pipelines: z.array(summary), has_more: z.boolean() }),
    annotations: READ_ONLY,
    call: async () => {
      const { data, next_cursor } = await client.get('/v1/pipelines', { params: { query: { limit: PIPELINES_MAX } } });
      const pipelines: z.infer<typeof summary>[] = [];
      for (const pipeline of data) pipelines.push(await summarize(client, pipeline));
      return { pipelines, has_more: next_cursor !== null };
    },
  });
}

async function summarize(client: Freshet, pipeline: Pipeline): Promise<z.infer<typeof summary>> {
  const [objects, runs] = await Promise.all([
    client.get('/v1/pipelines/{id}/objects', { params: { path: { id: pipeline.id } } }),
    client.get('/v1/runs', { params: { query: { pipeline_id: pipeline.id, limit: 1 } } }),
  ]);
  const [run] = runs.data;
  const refresh = pipeline.analytics_refresh;
  return {
    id: pipeline.id,
    name: pipeline.name,
    subdomain: pipeline.source.subdomain,
    status: pipeline.status,
    schema: pipeline.destination_schema,
    analytics_schema: refresh?.schema ?? null,
    analytics_refreshed_at: refresh?.refreshed_at ?? null,
    next_run_at: pipeline.next_run_at,
    last_run:
      run === undefined ? null : { id: run.id, kind: run.kind, status: run.status, finished_at: run.finished_at },
    ...getFreshness(objects.data),
  };
}

function getFreshness(objects: readonly Schemas['PipelineObject'][]) {
  const included = objects.filter((object) => object.included);
  const isUnavailable = ({ availability }: Schemas['PipelineObject']) =>
    availability === 'forbidden' || availability === 'not_in_plan';
  const available = included.filter((object) => !isUnavailable(object));
  const incomplete = available.filter(({ complete_as_of: time }) => time === null);
  const [oldest] = available.toSorted((a, b) => ((a.complete_as_of ?? '') < (b.complete_as_of ?? '') ? -1 : 1));
  return {
    fresh_as_of: incomplete.length > 0 ? null : (oldest?.complete_as_of ?? null),
    oldest_table: oldest?.table ?? null,
    stale_objects: included.flatMap(({ object, stale_since, max_staleness_minutes }) =>
      stale_since === null ? [] : [{ object, stale_since, max_staleness_minutes }],
    ),
    incomplete_objects: incomplete.map(({ object }) => object),
    unavailable_objects: included.filter(isUnavailable).map(({ object }) => object),
  };
}
