import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, response } from '../../http/operation.ts';
import { SystemStatus } from './schemas.ts';

const tags = ['system'];
/** Registers the routes of the deployment's status and of this process's metrics. */
export function registerSystemRoutes(app: App, { store, metrics }: Deps): void {
  app.get(
    '/v1/system',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getSystemStatus',
          tags,
          summary: 'Get system status',
          description: 'Returns the processes, the queues and the backlogs of the deployment.',
        }),
        response: { 200: response('The status.', SystemStatus) },
      },
    },
    async () => {
      const [processes, backlog] = await Promise.all([store.processes.list(), store.getBacklog()]);
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
    '/metrics',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getMetrics',
          tags,
          summary: 'Prometheus metrics',
          description:
            'Returns the metrics of this API process in the Prometheus text format. All other processes serve their metrics on the port in `FRESHET_MONITOR_PORT`. The metrics of schedulers include the backlogs.',
        }),
        response: {
          200: {
            description: 'The metrics.',
            content: {
              'text/plain': { schema: Type.String({ description: 'Metrics in the Prometheus text format.' }) },
            },
          },
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}
