import type { Erasure as StoredErasure } from '@freshet/control-store';
import { people } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, listOptions, operation, problems } from '../../http/operation.ts';
import { IdParams, ListQuery, ref } from '../../http/schemas.ts';
import { Erasure, ErasureInput, ErasureList } from './schemas.ts';

const tags = ['erasures'];

const ErasureParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The pipeline’s id.' }),
  erasure_id: Type.String({ format: 'uuid', description: 'The erasure’s id.' }),
});

export function erasureRoutes(app: App, { store }: Deps): void {
  app.post(
    '/v1/pipelines/:id/erasures',
    {
      config: { permission: 'erase' },
      schema: {
        ...operation({
          operationId: 'erasePerson',
          tags,
          summary: 'Erase a person',
          description:
            'Deletes a contact and what belongs to it (their tickets with all that stands below those, what they wrote elsewhere, their ratings) from the warehouse’s tables and their histories, from stored batches, and from rejected records, and then searches everything again. From now on they are left out of whatever is read, until the erasure is lifted. Nothing is changed in Freshdesk: erase the person there as well. An erasure of the same person that is under way is answered instead.',
        }),
        params: IdParams,
        body: ref(ErasureInput),
        response: { 202: answer('The erasure. Its address says when it is completed.', Erasure), ...problems(404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const erasure = await store.erasures.request(id, people.name, request.body.contact_id);
      reply.code(202).header('location', `/v1/pipelines/${id}/erasures/${erasure.id}`);
      return erasureJson(erasure);
    },
  );

  app.get(
    '/v1/pipelines/:id/erasures',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({ operationId: 'listErasures', tags, summary: 'List erasures', description: 'Newest first.' }),
        params: IdParams,
        querystring: Type.Object(ListQuery),
        response: { 200: answer('One page.', ErasureList), ...problems(404) },
      },
    },
    async (request) => {
      const { id } = await store.pipelines.get(request.params.id);
      const { data, nextCursor } = await store.erasures.list(id, listOptions(request.query));
      return { data: data.map(erasureJson), next_cursor: nextCursor };
    },
  );

  app.get(
    '/v1/pipelines/:id/erasures/:erasure_id',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getErasure',
          tags,
          summary: 'Read an erasure',
          description: 'With what was removed, and the proof that nothing is left.',
        }),
        params: ErasureParams,
        response: { 200: answer('The erasure.', Erasure), ...problems(404) },
      },
    },
    async ({ params }) => erasureJson(await store.erasures.get(params.id, params.erasure_id)),
  );

  app.post(
    '/v1/pipelines/:id/erasures/:erasure_id/lift',
    {
      config: { permission: 'erase' },
      schema: {
        ...operation({
          operationId: 'liftErasure',
          tags,
          summary: 'Lift an erasure',
          description:
            'The person may be read again: it was a mistake, or they came back. What was removed comes back as it changes in Freshdesk, or when the objects are restarted.',
        }),
        params: ErasureParams,
        response: { 200: answer('The erasure.', Erasure), ...problems(404) },
      },
    },
    async ({ params }) => erasureJson(await store.erasures.lift(params.id, params.erasure_id)),
  );
}

function erasureJson(e: StoredErasure) {
  return {
    id: e.id,
    pipeline_id: e.pipeline_id,
    contact_id: e.key,
    status: e.status,
    removed: e.removed,
    unsearchable: e.unsearchable,
    proof: e.proof,
    error: e.error_code === null ? null : { code: e.error_code, message: e.error_message ?? '' },
    created_at: e.created_at.toISOString(),
    finished_at: e.finished_at?.toISOString() ?? null,
  };
}
