import type { FailedUnitInfo } from '@freshet/control-store';
import { getObject } from '@freshet/freshdesk-extractor';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { registerRecoveryRoutes } from '../../http/recovery-routes.ts';
import { FailedUnitDiscardResult, FailedUnitFilter, FailedUnitList, FailedUnitRetryResult } from './schemas.ts';

interface Filter {
  readonly ids?: readonly string[] | undefined;
  readonly object?: string | undefined;
  readonly errorCode?: string | undefined;
}

export function registerFailedUnitRoutes(app: App, { store: { pipelines, failedUnits } }: Deps): void {
  registerRecoveryRoutes<FailedUnitInfo, Filter>(app, {
    path: 'failed-units',
    tag: 'failed units',
    action: 'retry',
    countField: 'units',
    filters: {
      object: Type.Optional(Type.String({ description: 'Return only failed units of this object.' })),
      error_code: Type.Optional(
        Type.String({ description: 'Return only failed units whose last error has this code.' }),
      ),
    },
    schemas: {
      list: FailedUnitList,
      filter: FailedUnitFilter,
      started: FailedUnitRetryResult,
      discarded: FailedUnitDiscardResult,
    },
    operations: {
      list: {
        operationId: 'listFailedUnits',
        summary: 'List failed units',
        description:
          'Lists the units of work that keep failing, newest first. A unit is a parent whose children cannot be extracted, a single record that cannot be extracted, or a day whose exported file cannot be read. For example, Freshdesk can return status 500 for every request for the conversations of a damaged ticket. If an object has failed units, its object runs finish with the status `partial`. The coverage of the object then applies to all records except the failed units.',
      },
      start: {
        operationId: 'retryFailedUnits',
        summary: 'Retry failed units',
        description:
          'Starts a refresh run that retries failed units immediately, at most 1,000 per request. Without a body, all failed units of the pipeline are selected. A unit that fails again remains in the list, and its number of attempts increases. The request is rejected with 404 if no unit matches.',
      },
      discard: {
        operationId: 'discardFailedUnits',
        summary: 'Discard failed units',
        description:
          'Deletes failed units. They are not retried anymore. Without a body, all failed units of the pipeline are selected. The children of a parent are extracted again when the parent changes.',
      },
    },
    list: async (pipelineId, options, { object, error_code: errorCode }: { object?: string; error_code?: string }) => {
      const { id } = await pipelines.get(pipelineId);
      return failedUnits.list(id, options, { object, errorCode });
    },
    parseFilter: ({ ids, object, error_code: errorCode }: Static<typeof FailedUnitFilter>) => {
      if (object !== undefined) getObject(object);
      return { ids, object, errorCode };
    },
    start: async (pipelineId, filter) => {
      const { id } = await pipelines.get(pipelineId);
      const { runId, units } = await failedUnits.retry(
        id,
        filter,
        (object) => getObject(object).strategy.kind === 'children',
      );
      return { runId, count: units };
    },
    discard: async (pipelineId, filter) => failedUnits.discard((await pipelines.get(pipelineId)).id, filter),
    toJson,
  });
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
