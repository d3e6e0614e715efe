import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { noContent, operation, parseListQuery, problemResponses, response } from '../../http/operation.ts';
import { ListQuery } from '../../http/schemas.ts';
import { toDeadJobJson } from './json.ts';
import { DeadJobList } from './schemas.ts';

const tags = ['system'];
const DeadJobParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The id of the dead job.' }),
});

export function registerDeadJobRoutes(app: App, deps: Deps): void {
  registerListDeadJobs(app, deps);
  registerRetryDeadJob(app, deps);
  registerDiscardDeadJob(app, deps);
}

function registerListDeadJobs(app: App, { store }: Deps): void {
  app.get(
    '/v1/dead-jobs',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listDeadJobs',
          tags,
          summary: 'List dead jobs',
          description: 'Lists the jobs in the dead-letter queue and their errors, newest first.',
        }),
        querystring: Type.Object({
          ...ListQuery,
          queue: Type.Optional(Type.String({ maxLength: 64, description: 'Return only jobs of this queue.' })),
          pipeline_id: Type.Optional(
            Type.String({ format: 'uuid', description: 'Return only jobs of this pipeline.' }),
          ),
        }),
        response: { 200: response('A page of the list.', DeadJobList) },
      },
    },
    async ({ query }) => {
      const { data, nextCursor } = await store.deadJobs.list(parseListQuery(query), query);
      return { data: data.map(toDeadJobJson), next_cursor: nextCursor };
    },
  );
}

function registerRetryDeadJob(app: App, { store }: Deps): void {
  app.post(
    '/v1/dead-jobs/:id/redrive',
    {
      config: { permission: 'redrive' },
      schema: {
        ...operation({
          operationId: 'retryDeadJob',
          tags,
          summary: 'Retry a dead job',
          description:
            'Enqueues the job again, and reopens the object run or erasure that failed because of the job. The request is rejected with 409 if another run of the same kind is active, or if the object run or erasure has not failed.',
        }),
        params: DeadJobParams,
        response: { 204: noContent, ...problemResponses(404) },
      },
    },
    async ({ params }, reply) => {
      await store.deadJobs.retry(params.id);
      return reply.code(204).send(undefined as never);
    },
  );
}

function registerDiscardDeadJob(app: App, { store }: Deps): void {
  app.delete(
    '/v1/dead-jobs/:id',
    {
      config: { permission: 'redrive' },
      schema: {
        ...operation({
          operationId: 'discardDeadJob',
          tags,
          summary: 'Discard a dead job',
          description: 'Deletes the job. The status of its object run, delivery or erasure remains `failed`.',
        }),
        params: DeadJobParams,
        response: { 204: noContent, ...problemResponses(404) },
      },
    },
    async ({ params }, reply) => {
      await store.deadJobs.discard(params.id);
      return reply.code(204).send(undefined as never);
    },
  );
}
