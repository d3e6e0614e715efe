import type { RejectedRecordInfo } from '@freshet/control-store';
import { objectNamed } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, listOptions, operation, problems } from '../../http/operation.ts';
import { IdParams, ListQuery, ref } from '../../http/schemas.ts';
import { Discarded, RejectedFilter, RejectedRecord, RejectedRecordList, Replayed } from './schemas.ts';

const tags = ['rejected records'];

const RecordParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The pipeline’s id.' }),
  record_id: Type.String({ format: 'uuid', description: 'The rejected record’s id.' }),
});

export function rejectedRecordRoutes(app: App, { store }: Deps): void {
  app.get(
    '/v1/pipelines/:id/rejected-records',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listRejectedRecords',
          tags,
          summary: 'List rejected records',
          description:
            'Records that could not be loaded, newest first, with their reasons. What they hold is answered for one at a time.',
        }),
        params: IdParams,
        querystring: Type.Object({
          ...ListQuery,
          object: Type.Optional(Type.String({ description: 'Only of this object.' })),
          reason: Type.Optional(
            Type.String({ description: 'Only with this reason, or with what stands before its colon.' }),
          ),
        }),
        response: { 200: answer('One page.', RejectedRecordList), ...problems(404) },
      },
    },
    async (request) => {
      const { id } = await store.pipelines.get(request.params.id);
      const { object, reason } = request.query;
      const { data, nextCursor } = await store.rejectedRecords.list(id, listOptions(request.query), { object, reason });
      return { data: data.map((r) => ({ ...toJson(r), record: null })), next_cursor: nextCursor };
    },
  );

  app.get(
    // Not `replay` and `discard`, which take another method.
    '/v1/pipelines/:id/rejected-records/:record_id(^[0-9A-Fa-f-]{36}$)',
    {
      // It holds personal data, which a list of reasons does not.
      config: { permission: 'read_records' },
      schema: {
        ...operation({
          operationId: 'getRejectedRecord',
          tags,
          summary: 'Read a rejected record',
          description:
            'With the record itself, as Freshdesk sent it. It may hold personal data, so an observer may not read it.',
        }),
        params: RecordParams,
        response: { 200: answer('The rejected record.', RejectedRecord), ...problems(404) },
      },
    },
    async (request) => {
      const { record, ...info } = await store.rejectedRecords.get(request.params.id, request.params.record_id);
      return { ...toJson(info), record };
    },
  );

  app.post(
    '/v1/pipelines/:id/rejected-records/replay',
    {
      config: { permission: 'run' },
      schema: {
        ...operation({
          operationId: 'replayRejectedRecords',
          tags,
          summary: 'Load rejected records once more',
          description:
            'In a run of their own, at most 10,000 at once: with another schema policy, or a repaired rule of the warehouse, they may land. Those that do not are rejected records again. Without a body it is all of them.',
        }),
        params: IdParams,
        body: ref(RejectedFilter),
        response: { 202: answer('The run that loads them.', Replayed), ...problems(404) },
      },
    },
    async (request, reply) => {
      const filter = checked(request.body);
      const { runId, records } = await store.rejectedRecords.replay(request.params.id, filter);
      reply.code(202).header('location', `/v1/runs/${runId}`);
      return { run_id: runId, records };
    },
  );

  app.post(
    '/v1/pipelines/:id/rejected-records/discard',
    {
      config: { permission: 'run' },
      schema: {
        ...operation({
          operationId: 'discardRejectedRecords',
          tags,
          summary: 'Forget rejected records',
          description:
            'They cannot be replayed any more. A record that changes in Freshdesk is read again. Without a body it is all of them.',
        }),
        params: IdParams,
        body: ref(RejectedFilter),
        response: { 200: answer('How many.', Discarded), ...problems(404) },
      },
    },
    async (request) => {
      const { id } = await store.pipelines.get(request.params.id);
      return { records: await store.rejectedRecords.discard(id, checked(request.body)) };
    },
  );
}

/** @throws AppError `not_found` for an object that the catalogue does not have. */
function checked(filter: { ids?: string[]; object?: string; reason?: string }) {
  if (filter.object !== undefined) objectNamed(filter.object);
  return filter;
}

function toJson(r: RejectedRecordInfo) {
  return {
    id: r.id,
    pipeline_id: r.pipeline_id,
    object: r.object,
    batch_id: r.batch_id,
    line: r.line,
    reason: r.reason,
    created_at: r.created_at.toISOString(),
  };
}
