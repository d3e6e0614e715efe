import { AppError } from '@freshet/contracts';
import type { ObjectChoice, Pipeline, PipelineObject as StoredObject } from '@freshet/control-store';
import { catalogue, type MovedPosition, type ObjectSpec, objectNamed, positionAt } from '@freshet/freshdesk-extractor';
import type { Static } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, expectedVersion, operation, problems, withEtag } from '../../http/operation.ts';
import { compareWithCurrent, requireVersion } from '../../http/read-only-fields.ts';
import { IdParams, IfMatch, ObjectParams, ref } from '../../http/schemas.ts';
import { findObjectProblems } from '../pipelines/routes.ts';
import {
  CatalogObjects,
  PipelineObject,
  PipelineObjectChange,
  PipelineObjects,
  PositionChange,
  PositionChanged,
  RebuildStarted,
} from './schemas.ts';

/** A client's clock may be ahead of the API's by so much. */
const CLOCK_TOLERANCE_MS = 60_000;

export function objectRoutes(app: App, { store }: Deps): void {
  const stateBefore = async ({ params }: { readonly params: unknown }) => {
    const { id, object } = params as { id: string; object: string };
    return objectJson(await store.pipelines.get(id), objectNamed(object), await store.pipelines.objectsOf(id));
  };
  app.get(
    '/v1/catalog/objects',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listCatalogObjects',
          tags: ['catalog'],
          summary: 'The catalogue',
          description: 'Every object that can be read, with its columns.',
        }),
        response: { 200: answer('All objects.', CatalogObjects) },
      },
    },
    async () => ({ data: catalogue.map(catalogJson) }),
  );

  app.get(
    '/v1/pipelines/:id/objects',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listPipelineObjects',
          tags: ['pipelines'],
          summary: 'The objects of a pipeline',
          description: 'Whether each is included and available to the API key, and how fresh and deep its table is.',
        }),
        params: IdParams,
        response: { 200: answer('All objects.', PipelineObjects), ...problems(404) },
      },
    },
    async (request) => {
      const pipeline = await store.pipelines.get(request.params.id);
      const known = await store.pipelines.objectsOf(pipeline.id);
      return { data: catalogue.map((object) => objectJson(pipeline, object, known)) };
    },
  );

  app.patch(
    '/v1/pipelines/:id/objects/:object',
    {
      config: {
        permission: 'manage_pipelines',
        before: stateBefore,
        findProblems: async ({ params, headers }, body: Static<typeof PipelineObjectChange>) => {
          const { id, object: name } = params as { id: string; object: string };
          const object = objectNamed(name);
          const pipeline = await store.pipelines.get(id);
          requireVersion(pipeline, expectedVersion(headers));
          const { changes, problems } = compareObject(pipeline, object, await store.pipelines.objectsOf(id), body);
          return [
            ...problems,
            ...findObjectProblems({ ...pipeline.objects, [object.name]: changedChoice(pipeline, object, changes) }),
          ];
        },
      },
      schema: {
        ...operation({
          operationId: 'changePipelineObject',
          tags: ['pipelines'],
          summary:
            'Include or skip an object, read it in detail, keep its history, change its columns, or say how fresh it must be',
          description:
            'Takes effect with the next run. A table that is there stays. Records that are there already are read in detail when they change, or when the object is restarted. A history begins with what the table holds. The `ETag` is the pipeline’s. Rules for columns replace those that there are, and hold for what is read from then on: restart the object to apply them to all of it.',
        }),
        params: ObjectParams,
        headers: IfMatch,
        body: ref(PipelineObjectChange),
        response: { 200: answer('The object.', PipelineObject), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const object = objectNamed(request.params.object);
      const pipeline = await store.pipelines.get(request.params.id);
      const known = await store.pipelines.objectsOf(pipeline.id);
      const { changes } = compareObject(pipeline, object, known, request.body);
      if (Object.keys(changes).length === 0) {
        withEtag(reply, pipeline.version);
        return objectJson(pipeline, object, known);
      }
      const objects = { ...pipeline.objects, [object.name]: changedChoice(pipeline, object, changes) };
      // Of all choices together: another one that was changed meanwhile must not be lost, whoever asks for what.
      const changed = await store.pipelines.change(
        pipeline.id,
        { objects },
        expectedVersion(request.headers) ?? pipeline.version,
      );
      withEtag(reply, changed.version);
      return objectJson(changed, object, await store.pipelines.objectsOf(pipeline.id));
    },
  );

  app.post(
    '/v1/pipelines/:id/objects/:object/restart',
    {
      config: { permission: 'run', before: stateBefore },
      schema: {
        ...operation({
          operationId: 'restartPipelineObject',
          tags: ['pipelines'],
          summary: 'Read an object again',
          description:
            'The next run, or the one under way, reads the object from the start and writes every row again, also where the record is unchanged. The table stays usable meanwhile. A restart also accepts that a list has really shrunk.',
        }),
        params: ObjectParams,
        response: { 200: answer('The object.', PipelineObject), ...problems(404) },
      },
    },
    async (request) => {
      const object = objectNamed(request.params.object);
      const pipeline = await store.pipelines.get(request.params.id);
      await store.runs.restartObject(pipeline.id, object.name);
      return objectJson(pipeline, object, await store.pipelines.objectsOf(pipeline.id));
    },
  );

  app.post(
    '/v1/pipelines/:id/objects/:object/rebuild',
    {
      config: { permission: 'run' },
      schema: {
        ...operation({
          operationId: 'rebuildPipelineObject',
          tags: ['pipelines'],
          summary: 'Load an object’s table anew',
          description:
            'From the batches that are stored still (loaded ones are kept for 7 days), without a credit: after its table or rows of it were lost or changed by hand. The table stays usable. The answer says how far back it reaches.',
        }),
        params: ObjectParams,
        response: { 202: answer('The run that loads it.', RebuildStarted), ...problems(404) },
      },
    },
    async (request, reply) => {
      const object = objectNamed(request.params.object);
      const { runId, batches, records, reachesBackTo, isWhole } = await store.rebuilds.start(
        request.params.id,
        object.name,
      );
      reply.code(202).header('location', `/v1/runs/${runId}`);
      return { run_id: runId, batches, records, reaches_back_to: reachesBackTo.toISOString(), whole: isWhole };
    },
  );

  app.post(
    '/v1/pipelines/:id/objects/:object/position',
    {
      config: { permission: 'run', before: stateBefore },
      schema: {
        ...operation({
          operationId: 'movePipelineObject',
          tags: ['pipelines'],
          summary: 'Change an object’s position',
          description:
            'The next run, or the one under way, reads the changes since `changed_since`. A moment before the current position reads changes again. ' +
            'A moment after it skips changes: the response names the skipped interval in `unread_from` and `unread_to`, and `complete_back_to` moves to `changed_since` with the next run. ' +
            'To read them after all, move the position back or restart the object. Only objects that are read by time have such a position. A moment in the future is a 400.',
        }),
        params: ObjectParams,
        body: ref(PositionChange),
        response: { 200: answer('The object, and the changes that are skipped.', PositionChanged), ...problems(404) },
      },
    },
    async (request) => {
      const object = objectNamed(request.params.object);
      const pipeline = await store.pipelines.get(request.params.id);
      const wanted = Date.parse(request.body.changed_since);
      if (wanted > Date.now() + CLOCK_TOLERANCE_MS) {
        throw new AppError('invalid_input', 'changed_since must not be in the future.', {
          context: { pointer: '/changed_since' },
        });
      }
      const since = new Date(Math.min(wanted, Date.now()));
      let unread: Pick<MovedPosition, 'unreadFrom' | 'unreadTo'> = { unreadFrom: null, unreadTo: null };
      await store.runs.moveObject(pipeline.id, object.name, (known) => {
        const moved = positionAt(object, known, since);
        unread = moved;
        return { ...moved.position };
      });
      const json = objectJson(pipeline, object, await store.pipelines.objectsOf(pipeline.id));
      return { ...json, unread_from: unread.unreadFrom, unread_to: unread.unreadTo };
    },
  );
}

type ObjectChange = Static<typeof PipelineObjectChange>;

/**
 * Compares a change with the object as it is. `included: true` of an object that is included by default is a change: it names the
 * object. In a body that was read before, which has the read-only `object`, it is none.
 */
function compareObject(pipeline: Pipeline, object: ObjectSpec, known: readonly StoredObject[], body: ObjectChange) {
  const { changes, problems } = compareWithCurrent(
    PipelineObjectChange,
    objectJson(pipeline, object, known),
    body,
    pipeline.created_at,
  );
  const names = body.included === true && !('object' in body) && pipeline.objects[object.name]?.included !== true;
  return { changes: (names ? { ...changes, included: true } : changes) as ObjectChange, problems };
}

/** The choice for an object after a change. */
function changedChoice(pipeline: Pipeline, object: ObjectSpec, changes: ObjectChange): ObjectChoice {
  const known: ObjectChoice = pipeline.objects[object.name] ?? { included: object.includedByDefault };
  const { max_staleness_minutes: before, ...rest } = known;
  const { max_staleness_minutes: staleness = before, ...choice } = changes;
  return { ...rest, ...choice, ...(staleness == null ? {} : { max_staleness_minutes: staleness }) };
}

function objectJson(pipeline: Pipeline, object: ObjectSpec, known: readonly StoredObject[]) {
  const state = known.find((o) => o.object === object.name);
  return {
    object: object.name,
    table: `${pipeline.destination_schema}.${pipeline.table_prefix}${object.name}`,
    included: pipeline.objects[object.name]?.included ?? object.includedByDefault,
    detail: pipeline.objects[object.name]?.detail ?? false,
    history: pipeline.objects[object.name]?.history ?? false,
    columns: pipeline.objects[object.name]?.columns ?? {},
    max_staleness_minutes: pipeline.objects[object.name]?.max_staleness_minutes ?? null,
    availability: state?.availability ?? ('unknown' as const),
    availability_message: state?.availability_message ?? null,
    stale_since: state?.stale_since?.toISOString() ?? null,
    completing_since: state?.completing_since?.toISOString() ?? null,
    complete_as_of: state?.complete_as_of?.toISOString() ?? null,
    complete_back_to: state?.complete_back_to?.toISOString() ?? null,
  };
}

function catalogJson(object: ObjectSpec) {
  return {
    name: object.name,
    title: object.title,
    description: object.description,
    docs: object.docs,
    way: object.way.kind,
    parent: object.way.kind === 'children' ? object.way.parent : null,
    permission: object.permission,
    feature: object.feature,
    included_by_default: object.includedByDefault,
    detail_columns: [...(object.single?.columns ?? [])],
    primary_key: [...object.primaryKey],
    columns: object.columns.map(({ name, type, description, nullable, optional, values, references }) => ({
      name,
      type,
      description,
      nullable,
      optional,
      values: values === null ? null : { ...values },
      references,
    })),
  };
}
