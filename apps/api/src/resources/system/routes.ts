import type { DeadJob as StoredDeadJob } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, gone, listOptions, operation, problems } from '../../http/operation.ts';
import { ListQuery } from '../../http/schemas.ts';
import { DeadJobList, System } from './schemas.ts';

const tags = ['system'];
const DeadJobParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The id of the job that was set aside.' }),
});

/** How the deployment itself is: for operators, and for the console. */
export function systemRoutes(app: App, { store, metrics }: Deps): void {
  app.get(
    '/v1/system',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getSystem',
          tags,
          summary: 'How the deployment is',
          description: 'Which processes are alive, and how much work waits.',
        }),
        response: { 200: answer('As it is now.', System) },
      },
    },
    async () => {
      const [processes, backlog] = await Promise.all([store.processes.list(), store.backlog()]);
      return {
        processes: processes.map((p) => ({
          ...p,
          started_at: p.started_at.toISOString(),
          seen_at: p.seen_at.toISOString(),
        })),
        queues: backlog.queues.map(({ oldestSeconds, ...q }) => ({ ...q, oldest_seconds: oldestSeconds })),
        unloaded_bytes: backlog.unloadedBytes,
        unloaded_batches: backlog.unloadedBatches,
        rejected_records: backlog.rejectedRecords,
        failed_units: backlog.failedUnits,
        dead_jobs: backlog.deadJobs,
        open_runs: backlog.openRuns,
      };
    },
  );

  app.get(
    '/v1/dead-jobs',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listDeadJobs',
          tags,
          summary: 'List jobs that were set aside',
          description: 'Newest first, with why.',
        }),
        querystring: Type.Object({
          ...ListQuery,
          queue: Type.Optional(Type.String({ maxLength: 64, description: 'Only of this queue.' })),
          pipeline_id: Type.Optional(Type.String({ format: 'uuid', description: 'Only of this pipeline.' })),
        }),
        response: { 200: answer('One page.', DeadJobList) },
      },
    },
    async ({ query }) => {
      const { data, nextCursor } = await store.deadJobs.list(listOptions(query), query);
      return { data: data.map(deadJobJson), next_cursor: nextCursor };
    },
  );

  app.post(
    '/v1/dead-jobs/:id/redrive',
    {
      config: { permission: 'redrive' },
      schema: {
        ...operation({
          operationId: 'redriveDeadJob',
          tags,
          summary: 'Send a job again',
          description: 'What it had ended is opened again, unless another run has taken its place.',
        }),
        params: DeadJobParams,
        response: { 204: gone, ...problems(404) },
      },
    },
    async ({ params }, reply) => {
      await store.deadJobs.redrive(params.id);
      return reply.code(204).send(undefined as never);
    },
  );

  app.delete(
    '/v1/dead-jobs/:id',
    {
      config: { permission: 'redrive' },
      schema: {
        ...operation({
          operationId: 'discardDeadJob',
          tags,
          summary: 'Discard a job',
          description: 'What waited for it has failed, and stays so.',
        }),
        params: DeadJobParams,
        response: { 204: gone, ...problems(404) },
      },
    },
    async ({ params }, reply) => {
      await store.deadJobs.discard(params.id);
      return reply.code(204).send(undefined as never);
    },
  );

  app.get(
    '/metrics',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getMetrics',
          tags,
          summary: 'This process’ numbers',
          description:
            'In the format of Prometheus. Every process has its own, at `FRESHET_MONITOR_PORT`; schedulers tell how much work waits as well.',
        }),
        response: {
          200: {
            description: 'The numbers.',
            content: { 'text/plain': { schema: Type.String({ description: 'Lines of the text format.' }) } },
          },
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}

function deadJobJson(job: StoredDeadJob) {
  return { ...job, died_at: job.died_at.toISOString() };
}
