import type { ObjectRun as StoredObjectRun, Run as StoredRun } from '@freshet/control-store';
import { objectsToAudit, objectsToRead } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, listOptions, operation, problems } from '../../http/operation.ts';
import { IdParams, ListQuery, ref } from '../../http/schemas.ts';
import { whenOver } from './events.ts';
import { estimateRun, objectProgress } from './progress.ts';
import { Run, RunInput, RunKind, RunList, RunStatus } from './schemas.ts';

const tags = ['runs'];

const Wait = Type.Object({
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60,
      description: 'Seconds to wait for the run to be over; it is answered as it is then.',
      examples: [30],
    }),
  ),
});

export function runRoutes(app: App, { store }: Deps): void {
  app.post(
    '/v1/pipelines/:id/runs',
    {
      config: {
        permission: 'run',
        afterwards: async ({ query }, payload) => {
          const { wait } = query as { wait?: number };
          return wait === undefined ? payload : runJson(await whenOver(store, (payload as { id: string }).id, wait));
        },
      },
      schema: {
        ...operation({
          operationId: 'startRun',
          tags,
          summary: 'Run now',
          description:
            'Starts a run, or answers with the one of its kind that is under way. An audit goes on beside the syncs, with the credits that they leave. A paused pipeline is run as well, and reads when it is resumed.',
        }),
        params: IdParams,
        querystring: Wait,
        body: ref(RunInput),
        response: { 202: answer('The run.', Run), ...problems(404) },
      },
    },
    async (request, reply) => {
      const pipeline = await store.pipelines.get(request.params.id);
      const kind = request.body.kind ?? 'sync';
      const objects = kind === 'audit' ? objectsToAudit(pipeline.objects) : objectsToRead(pipeline.objects);
      const { id } = await store.runs.start(pipeline.id, 'manual', objects, kind);
      reply.code(202).header('location', `/v1/runs/${id}`);
      return runJson(await store.runs.get(id));
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
          kind: Type.Optional(
            Type.Unsafe<StoredRun['kind']>({ ...RunKind, $id: undefined, description: 'Only runs of this kind.' }),
          ),
          status: Type.Optional(
            Type.Unsafe<StoredRun['status']>({ ...RunStatus, $id: undefined, description: 'Only runs in this state.' }),
          ),
        }),
        response: { 200: answer('One page.', RunList) },
      },
    },
    async (request) => {
      const { pipeline_id, kind, status } = request.query;
      const { data, nextCursor } = await store.runs.list(listOptions(request.query), {
        pipelineId: pipeline_id ?? null,
        kind: kind ?? null,
        status: status ?? null,
      });
      return { data: data.map(runJson), next_cursor: nextCursor };
    },
  );

  app.get(
    '/v1/runs/:id',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getRun',
          tags,
          summary: 'Read a run',
          description: 'With what each object has come to so far.',
        }),
        params: IdParams,
        querystring: Wait,
        response: { 200: answer('The run.', Run), ...problems(404) },
      },
    },
    async (request) => runJson(await whenOver(store, request.params.id, request.query.wait ?? 0)),
  );

  app.post(
    '/v1/runs/:id/cancel',
    {
      config: { permission: 'run' },
      schema: {
        ...operation({
          operationId: 'cancelRun',
          tags,
          summary: 'Cancel a run',
          description: 'Nothing more is read. What is stored is loaded. A run that is over stays as it is.',
        }),
        params: IdParams,
        response: { 200: answer('The run.', Run), ...problems(404) },
      },
    },
    async (request) => runJson(await store.runs.cancel(request.params.id)),
  );
}

export function runJson(run: StoredRun) {
  const { progress, estimatedFinishedAt } = estimateRun(run, new Date());
  return {
    id: run.id,
    pipeline_id: run.pipeline_id,
    kind: run.kind,
    status: run.status,
    trigger: run.trigger,
    created_at: run.created_at.toISOString(),
    started_at: run.started_at?.toISOString() ?? null,
    finished_at: run.finished_at?.toISOString() ?? null,
    progress,
    estimated_finished_at: estimatedFinishedAt?.toISOString() ?? null,
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
    failed_units: o.units_failed,
    findings:
      o.mode === 'audit'
        ? {
            missing: o.records_missing,
            stale: o.records_stale,
            repaired: o.records_missing + o.records_stale + o.records_deleted,
            explained: o.explained,
          }
        : null,
    credits_used: o.credits_used,
    bytes_staged: o.bytes_staged,
    progress: objectProgress(o),
    not_before: o.not_before?.toISOString() ?? null,
    complete_as_of: o.complete_as_of?.toISOString() ?? null,
    complete_back_to: o.complete_back_to?.toISOString() ?? null,
    warnings: o.warnings.map(({ code, message, count }) => ({ code, message, count })),
    error: o.error_code === null ? null : { code: o.error_code, message: o.error_message ?? '' },
  };
}
