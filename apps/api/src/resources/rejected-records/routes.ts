import type { RejectedRecordInfo } from '@freshet/control-store';
import { getObject } from '@freshet/freshdesk-extractor';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { registerRecoveryRoutes } from '../../http/recovery-routes.ts';
import {
  RejectedRecord,
  RejectedRecordDiscardResult,
  RejectedRecordFilter,
  RejectedRecordList,
  RejectedRecordReplayResult,
} from './schemas.ts';

const tags = ['rejected records'];

const RecordParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The id of the pipeline.' }),
  record_id: Type.String({ format: 'uuid', description: 'The id of the rejected record.' }),
});

type Filter = Static<typeof RejectedRecordFilter>;

export function registerRejectedRecordRoutes(app: App, deps: Deps): void {
  const { pipelines, rejectedRecords } = deps.store;
  registerRecoveryRoutes<RejectedRecordInfo, Filter>(app, {
    path: 'rejected-records',
    tag: 'rejected records',
    action: 'replay',
    countField: 'records',
    filters: {
      object: Type.Optional(Type.String({ description: 'Return only rejected records of this object.' })),
      reason: Type.Optional(
        Type.String({
          description:
            'Return only rejected records with this reason. To return all records with the same code, pass only the code, which is the part before the colon.',
        }),
      ),
    },
    schemas: {
      list: RejectedRecordList,
      filter: RejectedRecordFilter,
      started: RejectedRecordReplayResult,
      discarded: RejectedRecordDiscardResult,
    },
    operations: {
      list: {
        operationId: 'listRejectedRecords',
        summary: 'List rejected records',
        description:
          'Lists the records that could not be loaded, newest first, and the reason for each record. The list does not contain the content of the records.',
      },
      start: {
        operationId: 'replayRejectedRecords',
        summary: 'Replay rejected records',
        description:
          'Starts a run that loads rejected records again, at most 10,000 per request. Fix the cause of the rejections first, for example by changing the schema policy or a constraint in the warehouse. Without a body, all rejected records of the pipeline are selected. A record that still cannot be loaded is rejected again. The request is rejected with 409 while another replay of the pipeline is active, and with 404 if no rejected record matches.',
      },
      discard: {
        operationId: 'discardRejectedRecords',
        summary: 'Discard rejected records',
        description:
          'Deletes rejected records. They cannot be replayed afterwards. Without a body, all rejected records of the pipeline are selected. A record is extracted again when it changes in Freshdesk.',
      },
    },
    list: async (pipelineId, options, { object, reason }: { object?: string; reason?: string }) => {
      const { id } = await pipelines.get(pipelineId);
      return rejectedRecords.list(id, options, { object, reason });
    },
    parseFilter: (filter: Filter) => {
      if (filter.object !== undefined) getObject(filter.object);
      return filter;
    },
    start: async (pipelineId, filter) => {
      const { runId, records } = await rejectedRecords.replay(pipelineId, filter);
      return { runId, count: records };
    },
    discard: async (pipelineId, filter) => rejectedRecords.discard((await pipelines.get(pipelineId)).id, filter),
    toJson: (info) => ({ ...toRejectedRecordJson(info), record: null }),
  });
  registerGetRejectedRecord(app, deps);
}

function registerGetRejectedRecord(app: App, { store }: Deps): void {
  app.get(
    // The pattern excludes `replay` and `discard`, so that GET requests to these paths return 405.
    '/v1/pipelines/:id/rejected-records/:record_id(^[0-9A-Fa-f-]{36}$)',
    {
      // This response contains the content of the record, which may include personal data.
      config: { permission: 'read_records' },
      schema: {
        ...operation({
          operationId: 'getRejectedRecord',
          tags,
          summary: 'Get a rejected record',
          description:
            'Returns a rejected record, including its content. The content may include personal data, so the operation requires the permission `read_records`.',
        }),
        params: RecordParams,
        response: { 200: response('The rejected record.', RejectedRecord), ...problemResponses(404) },
      },
    },
    async (request) => {
      const { record, ...info } = await store.rejectedRecords.get(request.params.id, request.params.record_id);
      return { ...toRejectedRecordJson(info), record };
    },
  );
}

function toRejectedRecordJson(record: RejectedRecordInfo) {
  return {
    id: record.id,
    pipeline_id: record.pipeline_id,
    object: record.object,
    batch_id: record.batch_id,
    line: record.line,
    reason: record.reason,
    created_at: record.created_at.toISOString(),
  };
}
