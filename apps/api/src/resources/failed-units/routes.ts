import type { FailedUnitInfo } from '@freshet/control-store';
import { objectNamed } from '@freshet/freshdesk-extractor';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, listOptions, operation, problems } from '../../http/operation.ts';
import { IdParams, ListQuery, ref } from '../../http/schemas.ts';
import { FailedUnitFilter, FailedUnitList, FailedUnitsDiscarded, FailedUnitsRetried } from './schemas.ts';

const tags = ['failed units'];

export function failedUnitRoutes(app: App, { store }: Deps): void {
  app.get(
    '/v1/pipelines/:id/failed-units',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'listFailedUnits',
          tags,
          summary: 'List failed units',
          description:
            'Lists units of work that could not be read, newest first: parents whose children fail (for example, a damaged ticket whose conversations always answer 500), and records whose own address fails. An object with failed units ends its runs `partial`; its coverage holds for everything else.',
        }),
        params: IdParams,
        querystring: Type.Object({
          ...ListQuery,
          object: Type.Optional(Type.String({ description: 'Only failed units of this object.' })),
          error_code: Type.Optional(Type.String({ description: 'Only failed units whose last error has this code.' })),
        }),
        response: { 200: answer('One page.', FailedUnitList), ...problems(404) },
      },
    },
    async (request) => {
      const { id } = await store.pipelines.get(request.params.id);
      const { object, error_code: errorCode } = request.query;
      const { data, nextCursor } = await store.failedUnits.list(id, listOptions(request.query), { object, errorCode });
      return { data: data.map(toJson), next_cursor: nextCursor };
    },
  );

  app.post(
    '/v1/pipelines/:id/failed-units/retry',
    {
      config: { permission: 'run' },
      schema: {
        ...operation({
          operationId: 'retryFailedUnits',
          tags,
          summary: 'Retry failed units',
          description:
            'Starts a refresh run that reads the units at once, at most 1,000 in one request. Units that fail again stay listed with one more attempt. Without a body, the request selects all failed units of the pipeline.',
        }),
        params: IdParams,
        body: ref(FailedUnitFilter),
        response: { 202: answer('The run that reads the units.', FailedUnitsRetried), ...problems(404) },
      },
    },
    async (request, reply) => {
      const { id } = await store.pipelines.get(request.params.id);
      const { runId, units } = await store.failedUnits.retry(
        id,
        toFilter(request.body),
        (object) => objectNamed(object).way.kind === 'children',
      );
      reply.code(202).header('location', `/v1/runs/${runId}`);
      return { run_id: runId, units };
    },
  );

  app.post(
    '/v1/pipelines/:id/failed-units/discard',
    {
      config: { permission: 'run' },
      schema: {
        ...operation({
          operationId: 'discardFailedUnits',
          tags,
          summary: 'Discard failed units',
          description:
            'Stops retrying the units. A parent is read again when it changes, and a record when it is listed again. Without a body, the request selects all failed units of the pipeline.',
        }),
        params: IdParams,
        body: ref(FailedUnitFilter),
        response: { 200: answer('How many units were discarded.', FailedUnitsDiscarded), ...problems(404) },
      },
    },
    async (request) => {
      const { id } = await store.pipelines.get(request.params.id);
      return { units: await store.failedUnits.discard(id, toFilter(request.body)) };
    },
  );
}

/** @throws AppError `not_found` for an object that the catalogue does not have. */
function toFilter({ ids, object, error_code: errorCode }: { ids?: string[]; object?: string; error_code?: string }) {
  if (object !== undefined) objectNamed(object);
  return { ids, object, errorCode };
}

function toJson(unit: FailedUnitInfo) {
  return {
    id: unit.id,
    pipeline_id: unit.pipeline_id,
    object: unit.object,
    key: unit.key,
    attempts: unit.attempts,
    error: { code: unit.error_code, message: unit.error_message },
    first_failed_at: unit.first_failed_at.toISOString(),
    last_failed_at: unit.last_failed_at.toISOString(),
    next_attempt_at: unit.next_attempt_at.toISOString(),
  };
}
