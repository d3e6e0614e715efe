import { AppError } from '@freshet/contracts';
import type { ControlStore } from '@freshet/control-store';
import { catalogue, getObject, type MovedPosition, movePosition } from '@freshet/freshdesk-extractor';
import type { Static } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, parseIfMatch, problemResponses, response, setEtag } from '../../http/operation.ts';
import { requireVersion } from '../../http/read-only-fields.ts';
import { IdParams, IfMatch, ObjectParams, ref } from '../../http/schemas.ts';
import { findObjectProblems } from '../pipelines/validation.ts';
import { toPipelineObjectJson } from './json.ts';
import {
  PipelineObject,
  PipelineObjectList,
  PipelineObjectUpdate,
  PositionInput,
  PositionResult,
  RebuildResult,
} from './schemas.ts';
import { compareWithObject, mergeSettings } from './update.ts';

/** The tolerance for a client's clock that is ahead of the API's clock. */
const CLOCK_TOLERANCE_MS = 60_000;

export function registerObjectRoutes(app: App, deps: Deps): void {
  registerListPipelineObjects(app, deps);
  registerUpdatePipelineObject(app, deps);
  registerRestartPipelineObject(app, deps);
  registerRebuildPipelineObject(app, deps);
  registerSetPipelineObjectPosition(app, deps);
}

function registerListPipelineObjects(app: App, { store }: Deps): void {
  app.get(
    '/v1/pipelines/:id/objects',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listPipelineObjects',
          tags: ['pipelines'],
          summary: 'List the objects of a pipeline',
          description:
            'Lists all objects of the catalog. Each object is returned with its settings in this pipeline, its availability to the API key, and the coverage of its table.',
        }),
        params: IdParams,
        response: { 200: response('The objects.', PipelineObjectList), ...problemResponses(404) },
      },
    },
    async (request) => {
      const pipeline = await store.pipelines.get(request.params.id);
      const states = await store.pipelines.listObjects(pipeline.id);
      return { data: catalogue.map((object) => toPipelineObjectJson(pipeline, object, states)) };
    },
  );
}

function registerUpdatePipelineObject(app: App, { store }: Deps): void {
  app.patch(
    '/v1/pipelines/:id/objects/:object',
    {
      config: {
        permission: 'manage_pipelines',
        getPreviousState: ({ params }) => getObjectState(store, params),
        findProblems: async ({ params, headers }, body: Static<typeof PipelineObjectUpdate>) => {
          const { id, object: name } = params as { id: string; object: string };
          const object = getObject(name);
          const pipeline = await store.pipelines.get(id);
          requireVersion(pipeline, parseIfMatch(headers));
          const states = await store.pipelines.listObjects(id);
          const { changes, problems } = compareWithObject({ pipeline, object, states }, body);
          const objects = { ...pipeline.objects, [object.name]: mergeSettings(pipeline, object, changes) };
          return [...problems, ...findObjectProblems(objects)];
        },
      },
      schema: {
        ...operation({
          operationId: 'updatePipelineObject',
          tags: ['pipelines'],
          summary: 'Update an object of a pipeline',
          description:
            'Updates the settings of an object. Changes take effect with the next run. If an object is excluded, its table remains but is not updated anymore. The `ETag` of the response is the `ETag` of the pipeline.',
        }),
        params: ObjectParams,
        headers: IfMatch,
        body: ref(PipelineObjectUpdate),
        response: { 200: response('The object.', PipelineObject), ...problemResponses(404, 412) },
      },
    },
    async (request, reply) => {
      const object = getObject(request.params.object);
      const pipeline = await store.pipelines.get(request.params.id);
      const states = await store.pipelines.listObjects(pipeline.id);
      const { changes } = compareWithObject({ pipeline, object, states }, request.body);
      if (Object.keys(changes).length === 0) {
        setEtag(reply, pipeline.version);
        return toPipelineObjectJson(pipeline, object, states);
      }
      const objects = { ...pipeline.objects, [object.name]: mergeSettings(pipeline, object, changes) };
      // The settings of all objects are stored as one value. Without a version, a concurrent update
      // of a different object would be lost.
      const expectedVersion = parseIfMatch(request.headers) ?? pipeline.version;
      const updated = await store.pipelines.update(pipeline.id, { objects }, expectedVersion);
      setEtag(reply, updated.version);
      return toPipelineObjectJson(updated, object, await store.pipelines.listObjects(pipeline.id));
    },
  );
}

function registerRestartPipelineObject(app: App, { store }: Deps): void {
  app.post(
    '/v1/pipelines/:id/objects/:object/restart',
    {
      config: { permission: 'run', getPreviousState: ({ params }) => getObjectState(store, params) },
      schema: {
        ...operation({
          operationId: 'restartPipelineObject',
          tags: ['pipelines'],
          summary: 'Restart an object',
          description:
            'Discards the position of an object. The active run, or the next run if none is active, extracts the object from the start and rewrites every row. The table remains usable during the extraction. After a restart, Freshet also accepts a list that has become much shorter (`source_shrunk`).',
        }),
        params: ObjectParams,
        response: { 200: response('The object.', PipelineObject), ...problemResponses(404) },
      },
    },
    async (request) => {
      const object = getObject(request.params.object);
      const pipeline = await store.pipelines.get(request.params.id);
      await store.runs.restartObject(pipeline.id, object.name);
      return toPipelineObjectJson(pipeline, object, await store.pipelines.listObjects(pipeline.id));
    },
  );
}

function registerRebuildPipelineObject(app: App, { store }: Deps): void {
  app.post(
    '/v1/pipelines/:id/objects/:object/rebuild',
    {
      config: { permission: 'run' },
      schema: {
        ...operation({
          operationId: 'rebuildPipelineObject',
          tags: ['pipelines'],
          summary: 'Rebuild a table',
          description:
            'Rewrites the rows of an object’s table from the stored batches. Rebuild a table if rows were lost or modified, or if the table was dropped. A rebuild uses no credits. Batches are stored for 7 days after they are loaded. The table remains usable during the rebuild. The request is rejected with 409 if a rebuild of the pipeline is already active, or if no batch of the object is stored.',
        }),
        params: ObjectParams,
        response: { 202: response('The rebuild that was started.', RebuildResult), ...problemResponses(404) },
      },
    },
    async (request, reply) => {
      const object = getObject(request.params.object);
      const {
        runId,
        batches,
        records,
        oldestRecordAt: reachesBackTo,
        isComplete: isWhole,
      } = await store.rebuilds.start(request.params.id, object.name);
      reply.code(202).header('location', `/v1/runs/${runId}`);
      return { run_id: runId, batches, records, reaches_back_to: reachesBackTo.toISOString(), whole: isWhole };
    },
  );
}

function registerSetPipelineObjectPosition(app: App, { store }: Deps): void {
  app.post(
    '/v1/pipelines/:id/objects/:object/position',
    {
      config: { permission: 'run', getPreviousState: ({ params }) => getObjectState(store, params) },
      schema: {
        ...operation({
          operationId: 'setPipelineObjectPosition',
          tags: ['pipelines'],
          summary: 'Set the position of an object',
          description:
            'Sets the time since which changes are extracted by the active run, or by the next run if none is active. If `changed_since` is earlier than the current position, changes are extracted again. If `changed_since` is later, changes are skipped: the response contains the skipped interval, and `complete_back_to` becomes `changed_since` with the next run. To extract the skipped changes, set an earlier position or restart the object. The request is rejected with 409 if the object has not been extracted yet, and with 400 if the position of the object is not a time.',
        }),
        params: ObjectParams,
        body: ref(PositionInput),
        response: {
          200: response('The object and the skipped interval.', PositionResult),
          ...problemResponses(404),
        },
      },
    },
    async (request) => {
      const object = getObject(request.params.object);
      const pipeline = await store.pipelines.get(request.params.id);
      const changedSince = Date.parse(request.body.changed_since);
      if (changedSince > Date.now() + CLOCK_TOLERANCE_MS) {
        throw new AppError('invalid_input', 'changed_since must not be in the future.', {
          context: { pointer: '/changed_since' },
        });
      }
      const since = new Date(Math.min(changedSince, Date.now()));
      let unread: Pick<MovedPosition, 'unreadFrom' | 'unreadTo'> = { unreadFrom: null, unreadTo: null };
      await store.runs.setPosition(pipeline.id, object.name, (known) => {
        const moved = movePosition(object, known, since);
        unread = moved;
        return { ...moved.position };
      });
      const json = toPipelineObjectJson(pipeline, object, await store.pipelines.listObjects(pipeline.id));
      return { ...json, unread_from: unread.unreadFrom, unread_to: unread.unreadTo };
    },
  );
}

/** Returns the representation of an object before a change, for the audit log. */
async function getObjectState(store: ControlStore, params: unknown): Promise<object> {
  const { id, object } = params as { id: string; object: string };
  return toPipelineObjectJson(await store.pipelines.get(id), getObject(object), await store.pipelines.listObjects(id));
}
