import type { Erasure as StoredErasure } from '@freshet/control-store';
import { personObject } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, parseListQuery, problemResponses, response } from '../../http/operation.ts';
import { IdParams, ListQuery, ref } from '../../http/schemas.ts';
import { Erasure, ErasureInput, ErasureList } from './schemas.ts';

const tags = ['erasures'];

const ErasureParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The id of the pipeline.' }),
  erasure_id: Type.String({ format: 'uuid', description: 'The id of the erasure.' }),
});

export function registerErasureRoutes(app: App, deps: Deps): void {
  registerCreateErasure(app, deps);
  registerListErasures(app, deps);
  registerGetErasure(app, deps);
  registerLiftErasure(app, deps);
}

function registerCreateErasure(app: App, { store }: Deps): void {
  app.post(
    '/v1/pipelines/:id/erasures',
    {
      config: { permission: 'erase' },
      schema: {
        ...operation({
          operationId: 'createErasure',
          tags,
          summary: 'Erase a person',
          description:
            'Erases a contact and the related data: the tickets of the contact and the children of these tickets, the contributions of the contact to other records, and the ratings of the contact. The data is removed from tables, histories and analytics models in the warehouse, from stored batches and from rejected records. Freshet then searches all of these places to verify that no data remains. Data of the person is not replicated until the erasure is lifted. Data in Freshdesk is not changed: erase the person in Freshdesk, too. If an erasure of the person is already active, the response contains that erasure.',
        }),
        params: IdParams,
        body: ref(ErasureInput),
        response: {
          202: response('The erasure. To monitor its status, get the erasure.', Erasure),
          ...problemResponses(404),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const erasure = await store.erasures.create(id, personObject.name, request.body.contact_id);
      reply.code(202).header('location', `/v1/pipelines/${id}/erasures/${erasure.id}`);
      return toErasureJson(erasure);
    },
  );
}

function registerListErasures(app: App, { store }: Deps): void {
  app.get(
    '/v1/pipelines/:id/erasures',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listErasures',
          tags,
          summary: 'List erasures',
          description: 'Lists the erasures of a pipeline, newest first.',
        }),
        params: IdParams,
        querystring: Type.Object(ListQuery),
        response: { 200: response('A page of the list.', ErasureList), ...problemResponses(404) },
      },
    },
    async (request) => {
      const { id } = await store.pipelines.get(request.params.id);
      const { data, nextCursor } = await store.erasures.list(id, parseListQuery(request.query));
      return { data: data.map(toErasureJson), next_cursor: nextCursor };
    },
  );
}

function registerGetErasure(app: App, { store }: Deps): void {
  app.get(
    '/v1/pipelines/:id/erasures/:erasure_id',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getErasure',
          tags,
          summary: 'Get an erasure',
          description: 'Returns an erasure, the counts of the removed data, and the proof that no data remains.',
        }),
        params: ErasureParams,
        response: { 200: response('The erasure.', Erasure), ...problemResponses(404) },
      },
    },
    async ({ params }) => toErasureJson(await store.erasures.get(params.id, params.erasure_id)),
  );
}

function registerLiftErasure(app: App, { store }: Deps): void {
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
            'Allows the data of the person to be replicated again. Removed records return when they change in Freshdesk, or when their objects are restarted. The request is rejected with 409 while the erasure is active.',
        }),
        params: ErasureParams,
        response: { 200: response('The erasure.', Erasure), ...problemResponses(404) },
      },
    },
    async ({ params }) => toErasureJson(await store.erasures.lift(params.id, params.erasure_id)),
  );
}

function toErasureJson(erasure: StoredErasure) {
  return {
    id: erasure.id,
    pipeline_id: erasure.pipeline_id,
    contact_id: erasure.key,
    status: erasure.status,
    removed: erasure.removed,
    unsearchable: erasure.unsearchable,
    proof: erasure.proof === null ? null : { ...erasure.proof, model_rows: erasure.proof.model_rows ?? 0 },
    error: erasure.error_code === null ? null : { code: erasure.error_code, message: erasure.error_message ?? '' },
    created_at: erasure.created_at.toISOString(),
    finished_at: erasure.finished_at?.toISOString() ?? null,
  };
}
