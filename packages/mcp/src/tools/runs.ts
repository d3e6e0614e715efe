import type { Freshet, Run } from '@freshet/client';
import type { McpServer, ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { explainRun, explanation } from '../explain-run.ts';
import { findPipeline, pipelineArgument } from '../pipeline-argument.ts';
import { READ_ONLY, registerTool, ToolError } from '../tool.ts';

const WAIT_SECONDS_MAX = 300;
/** The interval between progress notifications, in seconds. */
const PROGRESS_SECONDS = 5;
const FAILED_UNITS_MAX = 20;

const runArgument = z.uuid().describe('Id of the run.');
const runState = z.object({
  run_id: z.string(),
  pipeline_id: z.string(),
  kind: z.string(),
  status: z.string(),
  progress: z.number().nullable().describe('Completed share, from 0 to 1.'),
  estimated_finished_at: z.string().nullable(),
  finished_at: z.string().nullable(),
});

export function registerRunTools(server: McpServer, client: Freshet): void {
  registerExplainRun(server, client);
  registerEstimateSync(server, client);
  registerStartRun(server, client);
  registerWaitForRun(server, client);
}

function registerExplainRun(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'explain_run',
    title: 'Explain a run',
    description:
      'Explains the outcome of a run: its counts, the failed objects with their causes, the failed units, and the necessary actions. Without run_id, explains the last run of the pipeline.',
    input: z.object({ run_id: runArgument.optional(), pipeline: pipelineArgument }),
    output: explanation,
    annotations: READ_ONLY,
    containsRecords: true,
    call: async ({ run_id: id, pipeline }) => {
      const run = id === undefined ? await getLastRun(client, pipeline) : await getRun(client, id);
      const units = await client.get('/v1/pipelines/{id}/failed-units', {
        params: { path: { id: run.pipeline_id }, query: { limit: FAILED_UNITS_MAX } },
      });
      return explainRun(run, units.data, units.next_cursor !== null);
    },
  });
}

function registerEstimateSync(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'estimate_sync',
    title: 'Estimate the next sync',
    description:
      'Estimates the records, the credits (requests of the Freshdesk rate limit) and the minutes of the next sync. The estimate sends a few requests to Freshdesk.',
    input: z.object({ pipeline: pipelineArgument }),
    output: z.object({
      pipeline: z.string(),
      records: z.number(),
      credits: z.number(),
      minutes: z.number(),
      credits_used_by_estimate: z.number(),
      objects: z.array(
        z.object({
          object: z.string(),
          records: z.number(),
          credits: z.number(),
          minutes: z.number(),
          basis: z.string(),
        }),
      ),
    }),
    annotations: { ...READ_ONLY, openWorldHint: true },
    call: async ({ pipeline: value }) => {
      const { id, name } = await findPipeline(client, value);
      const { spent, records, credits, minutes, objects } = await client.post('/v1/pipelines/{id}/estimate', {
        params: { path: { id } },
        body: {},
      });
      return {
        pipeline: name,
        records,
        credits,
        minutes,
        credits_used_by_estimate: spent,
        objects: objects.map((o) => ({
          object: o.object,
          records: o.records,
          credits: o.credits,
          minutes: o.minutes,
          basis: o.basis,
        })),
      };
    },
  });
}

function registerStartRun(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'start_run',
    title: 'Start a run',
    description:
      'Starts a sync or an audit of a pipeline, and returns immediately. If a run is already active, returns that run. A run uses credits of the Freshdesk account. Call estimate_sync first.',
    input: z.object({
      pipeline: pipelineArgument,
      kind: z
        .enum(['sync', 'audit'])
        .default('sync')
        .describe('sync: extract changes. audit: read all records, and compare them with the warehouse.'),
    }),
    output: runState,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    call: async ({ pipeline, kind }) => {
      const { id } = await findPipeline(client, pipeline);
      return toRunState(await client.post('/v1/pipelines/{id}/runs', { params: { path: { id } }, body: { kind } }));
    },
  });
}

function registerWaitForRun(server: McpServer, client: Freshet): void {
  registerTool(server, {
    name: 'wait_for_run',
    title: 'Wait for a run',
    description:
      'Waits until a run finishes or the time limit elapses, and returns the state of the run. If finished_at is null, call the tool again.',
    input: z.object({
      run_id: runArgument,
      timeout_seconds: z.int().min(1).max(WAIT_SECONDS_MAX).default(50).describe('Maximum waiting time in seconds.'),
    }),
    output: runState,
    annotations: READ_ONLY,
    call: async ({ run_id: id, timeout_seconds: timeout }, context) => {
      const deadline = performance.now() + timeout * 1000;
      for (;;) {
        const remaining = Math.ceil((deadline - performance.now()) / 1000);
        const wait = Math.max(0, Math.min(remaining, PROGRESS_SECONDS));
        const run = await getRun(client, id, { wait, signal: context.mcpReq.signal });
        if (run.finished_at !== null || remaining <= PROGRESS_SECONDS) return toRunState(run);
        await notifyProgress(context, run);
      }
    },
  });
}

async function notifyProgress({ mcpReq }: ServerContext, { progress, status }: Run): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  const params = { progressToken, progress: progress ?? 0, total: 1, message: `The run is ${status}.` };
  await mcpReq.notify({ method: 'notifications/progress', params });
}

async function getRun(
  client: Freshet,
  id: string,
  { wait, signal }: { readonly wait?: number; readonly signal?: AbortSignal } = {},
): Promise<Run> {
  return await client.get('/v1/runs/{id}', {
    params: { path: { id }, query: wait === undefined ? {} : { wait } },
    ...(signal === undefined ? {} : { signal }),
  });
}

async function getLastRun(client: Freshet, value: string | undefined): Promise<Run> {
  const { id, name } = await findPipeline(client, value);
  const { data } = await client.get('/v1/runs', { params: { query: { pipeline_id: id, limit: 1 } } });
  const [run] = data;
  if (run === undefined)
    throw new ToolError(`pipeline: the pipeline ${JSON.stringify(name)} has no run yet. Call start_run.`);
  return run;
}

function toRunState({ id, pipeline_id, kind, status, progress, estimated_finished_at, finished_at }: Run) {
  return { run_id: id, pipeline_id, kind, status, progress, estimated_finished_at, finished_at };
}
