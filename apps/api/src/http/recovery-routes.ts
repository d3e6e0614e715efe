import { type TObject, type TSchema, Type } from 'typebox';
import type { App } from '../context.ts';
import { operation, parseListQuery, problemResponses, response } from './operation.ts';
import { IdParams, ListQuery, ref } from './schemas.ts';

interface OperationText {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
}

interface Page<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}

/**
 * The operations on failed work of a pipeline, such as failed units. Users can list the items,
 * start a run for them, or discard them.
 */
export interface RecoveryDefinition<T, F extends object> {
  /** The last segment of the paths, such as `failed-units`. */
  readonly path: string;
  readonly tag: string;
  /** The last path segment of the operation that starts a run. */
  readonly action: 'retry' | 'replay';
  /** The field of responses that holds the number of items. */
  readonly countField: 'units' | 'records';
  /** Query parameters of the list, in addition to `limit` and `cursor`. */
  readonly filters: Readonly<Record<string, TSchema>>;
  readonly schemas: {
    readonly list: TSchema;
    /** The body of the requests that start a run or discard items: a selection of items. */
    readonly filter: TSchema;
    readonly started: TSchema;
    readonly discarded: TSchema;
  };
  readonly operations: Readonly<Record<'list' | 'start' | 'discard', OperationText>>;
  /**
   * @param query the query parameters, including `filters`.
   * @throws AppError `not_found` for an unknown pipeline.
   */
  list(
    pipelineId: string,
    options: { readonly limit: number; readonly cursor: string | null },
    query: never,
  ): Promise<Page<T>>;
  /** @param body the selected items. @throws AppError `not_found` for an unknown object. */
  parseFilter(body: never): F;
  /** Starts a run for the selected items. `count`: the number of selected items. */
  start(pipelineId: string, filter: F): Promise<{ readonly runId: string; readonly count: number }>;
  /** @returns the number of discarded items. */
  discard(pipelineId: string, filter: F): Promise<number>;
  readonly toJson: (item: T) => object;
}

/** Registers the routes that list the items, start a run for selected items, and discard them. */
export function registerRecoveryRoutes<T, F extends object>(app: App, definition: RecoveryDefinition<T, F>): void {
  registerList(app, definition);
  registerStart(app, definition);
  registerDiscard(app, definition);
}

function registerList<T, F extends object>(app: App, definition: RecoveryDefinition<T, F>): void {
  app.get(
    `/v1/pipelines/:id/${definition.path}`,
    {
      config: { permission: 'read' },
      schema: {
        ...operation({ ...definition.operations.list, tags: [definition.tag] }),
        params: IdParams,
        querystring: Type.Object({ ...ListQuery, ...definition.filters }) as TObject,
        response: { 200: response('A page of the list.', definition.schemas.list), ...problemResponses(404) },
      },
    },
    async ({ params, query }) => {
      const { data, nextCursor } = await definition.list(params.id, parseListQuery(query), query as never);
      return { data: data.map(definition.toJson), next_cursor: nextCursor };
    },
  );
}

function registerStart<T, F extends object>(app: App, definition: RecoveryDefinition<T, F>): void {
  app.post(
    `/v1/pipelines/:id/${definition.path}/${definition.action}`,
    {
      config: { permission: 'run' },
      schema: {
        ...operation({ ...definition.operations.start, tags: [definition.tag] }),
        params: IdParams,
        body: ref(definition.schemas.filter) as TSchema,
        response: { 202: response('The run that was started.', definition.schemas.started), ...problemResponses(404) },
      },
    },
    async ({ params, body }, reply) => {
      const { runId, count } = await definition.start(params.id, definition.parseFilter(body as never));
      reply.code(202).header('location', `/v1/runs/${runId}`);
      return { run_id: runId, [definition.countField]: count };
    },
  );
}

function registerDiscard<T, F extends object>(app: App, definition: RecoveryDefinition<T, F>): void {
  app.post(
    `/v1/pipelines/:id/${definition.path}/discard`,
    {
      config: { permission: 'run' },
      schema: {
        ...operation({ ...definition.operations.discard, tags: [definition.tag] }),
        params: IdParams,
        body: ref(definition.schemas.filter) as TSchema,
        response: {
          200: response('The number of discarded items.', definition.schemas.discarded),
          ...problemResponses(404),
        },
      },
    },
    async ({ params, body }) => ({
      [definition.countField]: await definition.discard(params.id, definition.parseFilter(body as never)),
    }),
  );
}
