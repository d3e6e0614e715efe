import type { Run as StoredRun } from '@freshet/control-store';
import { listObjectsToAudit, listObjectsToExtract } from '@freshet/freshdesk-extractor';
import type { FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, parseListQuery, problemResponses, response } from '../../http/operation.ts';
import { IdParams, ListQuery, ref } from '../../http/schemas.ts';
import { toRunJson } from './json.ts';
import { Run, RunInput, RunKind, RunList, RunStatus } from './schemas.ts';
import { waitForRun } from './wait.ts';

const tags = ['runs'];

const WaitQuery = Type.Object({
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60,
      description:
        'The number of seconds to wait for the run to finish. The response is sent when the run finishes or the time elapses.',
      examples: [30],
    }),
  ),
});

export function registerRunRoutes(app: App, deps: Deps): void {
  registerStartRun(app, deps);
  registerListRuns(app, deps);
  registerGetRun(app, deps);
  registerCancelRun(app, deps);
}

function registerStartRun(app: App, deps: Deps): void {
  const { store } = deps;
  app.post(
    '/v1/pipelines/:id/runs',
    {
      config: {
        permission: 'run',
        // Look for an open run without locking the pipeline, so that repeated requests do not wait
        // for each other's commits. `start` repeats the check after it has locked the pipeline.
        findExisting: async ({ params, body }, reply) => {
          const openRun = await store.runs.findOpen((params as { id: string }).id, getKind(body as RunOptions));
          return openRun === null ? null : sendRun(reply, openRun, deps);
        },
        afterCommit: async ({ query }, payload) => {
          const { wait } = query as { wait?: number };
          return wait === undefined
            ? payload
            : toRunJson(await waitForRun(store, (payload as { id: string }).id, wait), deps);
        },
      },
      schema: {
        ...operation({
          operationId: 'startRun',
          tags,
          summary: 'Start a run',
          description:
            'Starts a run. If a run of the same kind is already active, the response contains that run. An audit can run at the same time as a sync, and uses only the credits that the sync does not need. If the pipeline is paused, extraction starts when the pipeline is resumed.',
        }),
        params: IdParams,
        querystring: WaitQuery,
        body: ref(RunInput),
        response: { 202: response('The run.', Run), ...problemResponses(404) },
      },
    },
    async (request, reply) => {
      const kind = getKind(request.body);
      const listObjects = kind === 'audit' ? listObjectsToAudit : listObjectsToExtract;
      const { id, run } = await store.runs.start(request.params.id, 'manual', listObjects, kind);
      return sendRun(reply, run ?? (await store.runs.get(id)), deps);
    },
  );
}

type RunOptions = Static<typeof RunInput>;

function getKind({ kind = 'sync' }: RunOptions) {
  return kind;
}

/** Sets the status code and the header `Location` of the response. Returns the payload. */
function sendRun(reply: FastifyReply, run: StoredRun, deps: Deps) {
  reply.code(202).header('location', `/v1/runs/${run.id}`);
  return toRunJson(run, deps);
}

function registerListRuns(app: App, deps: Deps): void {
  const { store } = deps;
  app.get(
    '/v1/runs',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({ operationId: 'listRuns', tags, summary: 'List runs', description: 'Lists runs, newest first.' }),
        querystring: Type.Object({
          ...ListQuery,
          pipeline_id: Type.Optional(
            Type.String({ format: 'uuid', description: 'Return only runs of this pipeline.' }),
          ),
          kind: Type.Optional(
            Type.Unsafe<StoredRun['kind']>({
              ...RunKind,
              $id: undefined,
              description: 'Return only runs of this kind.',
            }),
          ),
          status: Type.Optional(
            Type.Unsafe<StoredRun['status']>({
              ...RunStatus,
              $id: undefined,
              description: 'Return only runs with this status.',
            }),
          ),
        }),
        response: { 200: response('A page of the list.', RunList) },
      },
    },
    async (request) => {
      const { pipeline_id, kind, status } = request.query;
      const { data, nextCursor } = await store.runs.list(parseListQuery(request.query), {
        pipelineId: pipeline_id ?? null,
        kind: kind ?? null,
        status: status ?? null,
      });
      return { data: data.map((run) => toRunJson(run, deps)), next_cursor: nextCursor };
    },
  );
}

function registerGetRun(app: App, deps: Deps): void {
  const { store } = deps;
  app.get(
    '/v1/runs/:id',
    {
      config: { permission: 'read' },
      schema: {
        ...operation({
          operationId: 'getRun',
          tags,
          summary: 'Get a run',
          description: 'Returns a run with the status and the counts of each object.',
        }),
        params: IdParams,
        querystring: WaitQuery,
        response: { 200: response('The run.', Run), ...problemResponses(404) },
      },
    },
    async (request) => toRunJson(await waitForRun(store, request.params.id, request.query.wait ?? 0), deps),
  );
}

function registerCancelRun(app: App, deps: Deps): void {
  const { store } = deps;
  app.post(
    '/v1/runs/:id/cancel',
    {
      config: { permission: 'run' },
      schema: {
        ...operation({
          operationId: 'cancelRun',
          tags,
          summary: 'Cancel a run',
          description:
            'Cancels a run. Extraction stops, but batches that are already stored are still loaded. A run that has already finished is not changed.',
        }),
        params: IdParams,
        response: { 200: response('The run.', Run), ...problemResponses(404) },
      },
    },
    async (request) => toRunJson(await store.runs.cancel(request.params.id), deps),
  );
}
