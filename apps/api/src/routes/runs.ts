import type { ObjectRun as StoredObjectRun, Run as StoredRun } from '@freshet/control-store';
import { objectsToRead } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import type { App, Deps } from '../app.ts';
import { IdParams, ListQuery, Run, RunList, RunStatus } from '../schemas.ts';
import { answer, listOptions, operation, problems } from './route.ts';

const tags = ['runs'];

export function runRoutes(app: App, { store }: Deps): void {
  app.post(
    '/v1/pipelines/:id/runs',
    {
      config: { permission: 'write' },
      schema: {
        ...operation({
          operationId: 'startRun',
          tags,
          summary: 'Run now',
          description: 'Starts a run, or answers with the one that is under way. A paused pipeline is run as well, and reads when it is resumed.',
        }),
        params: IdParams,
        response: { 202: answer('The run.', Run), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async (request, reply) => {
      const pipeline = await store.pipelines.get(request.params.id);
      const { id } = await store.runs.start(pipeline.id, 'manual', objectsToRead(pipeline.objects));
      return reply
        .code(202)
        .header('location', `/v1/runs/${id}`)
        .send(toJson(await store.runs.get(id)));
    },
  );

  app.get(
    '/v1/runs',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({ operationId: 'listRuns', tags, summary: 'List runs', description: 'Newest first.' }),
        querystring: Type.Object({
          ...ListQuery,
          pipeline_id: Type.Optional(Type.String({ format: 'uuid', description: 'Only runs of this pipeline.' })),
          status: Type.Optional(Type.Unsafe<StoredRun['status']>({ ...RunStatus, $id: undefined, description: 'Only runs in this state.' })),
        }),
        response: { 200: answer('One page.', RunList), ...problems(400, 401, 403, 500) },
      },
    },
    async (request) => {
      const { pipeline_id, status } = request.query;
      const { data, nextCursor } = await store.runs.list(listOptions(request.query), { pipelineId: pipeline_id ?? null, status: status ?? null });
      return { data: data.map(toJson), next_cursor: nextCursor };
    },
  );

  app.get(
    '/v1/runs/:id',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({ operationId: 'getRun', tags, summary: 'Read a run', description: 'With what each object has come to so far.' }),
        params: IdParams,
        response: { 200: answer('The run.', Run), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async (request) => toJson(await store.runs.get(request.params.id)),
  );

  app.post(
    '/v1/runs/:id/cancel',
    {
      config: { permission: 'write' },
      schema: {
        ...operation({
          operationId: 'cancelRun',
          tags,
          summary: 'Cancel a run',
          description: 'Nothing more is read. What is stored is loaded. A run that is over stays as it is.',
        }),
        params: IdParams,
        response: { 200: answer('The run.', Run), ...problems(400, 401, 403, 404, 500) },
      },
    },
    async (request) => toJson(await store.runs.cancel(request.params.id)),
  );
}

function toJson(run: StoredRun) {
  return {
    id: run.id,
    pipeline_id: run.pipeline_id,
    status: run.status,
    trigger: run.trigger,
    created_at: run.created_at.toISOString(),
    started_at: run.started_at?.toISOString() ?? null,
    finished_at: run.finished_at?.toISOString() ?? null,
    objects: run.objects.map(objectToJson),
  };
}

function objectToJson(o: StoredObjectRun) {
  return {
    object: o.object,
    status: o.status,
    mode: o.mode,
    records_extracted: o.records_extracted,
    records_loaded: o.records_inserted + o.records_updated,
    records_unchanged: o.records_unchanged,
    records_deleted: o.records_deleted,
    records_rejected: o.records_rejected,
    credits_used: o.credits_used,
    bytes_staged: o.bytes_staged,
    // How much a list still holds is not told by the API, so it is known only at the end.
    progress: o.finished_at === null ? null : o.status === 'succeeded' ? 1 : null,
    not_before: o.not_before?.toISOString() ?? null,
    complete_as_of: o.complete_as_of?.toISOString() ?? null,
    complete_back_to: o.complete_back_to?.toISOString() ?? null,
    error: o.error_code === null ? null : { code: o.error_code, message: o.error_message ?? '' },
  };
}
