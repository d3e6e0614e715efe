import type { PipelineFilter } from '@freshet/control-store';
import { parseSubdomain } from '@freshet/freshdesk-extractor';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { catchFieldProblems } from '../../http/field-problems.ts';
import { operation, parseIfMatch, problemResponses, response, setEtag } from '../../http/operation.ts';
import { type ResourceDefinition, registerResourceRoutes } from '../../http/resource-routes.ts';
import { IdParams, IfMatch, ref } from '../../http/schemas.ts';
import { testAccount } from './connection-test.ts';
import { PipelineTestInput, PipelineTestResult } from './connection-test-schemas.ts';
import { addState, addStates, type PipelineWithState, toPipelineJson } from './json.ts';
import { Pipeline, PipelineInput, PipelineList, PipelineStatus, PipelineUpdate } from './schemas.ts';
import { createPipeline, updatePipeline } from './use-cases.ts';
import { findPipelineProblems, normalizeSubdomain, type PartialPipeline } from './validation.ts';

const tags = ['pipelines'];

const SUMMARIES: ResourceDefinition<PipelineWithState>['summaries'] = {
  create: ['Create a pipeline', 'Creates a pipeline. Its first run starts immediately.'],
  list: ['List pipelines', 'Lists pipelines, newest first.'],
  get: ['Get a pipeline', 'Returns a pipeline.'],
  update: ['Update a pipeline', 'Updates a pipeline. Changes take effect with the next run.'],
  delete: [
    'Delete a pipeline',
    'Deletes a pipeline together with its runs and stored batches. The tables in the warehouse and the analytics models stay, with their rows. A load worker removes the triggers that record changes for the models.',
  ],
};

export function registerPipelineRoutes(app: App, deps: Deps): void {
  const { store } = deps;
  registerResourceRoutes<PipelineWithState>(app, {
    path: 'pipelines',
    noun: 'Pipeline',
    plural: 'Pipelines',
    tag: 'pipelines',
    managePermission: 'manage_pipelines',
    summaries: SUMMARIES,
    schemas: { input: PipelineInput, update: PipelineUpdate, output: Pipeline, list: PipelineList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Return only the pipeline with this name.' })),
      status: Type.Optional(
        Type.Unsafe<string>({
          ...PipelineStatus,
          $id: undefined,
          description: 'Return only pipelines with this status.',
        }),
      ),
      subdomain: Type.Optional(
        Type.String({ description: 'Return only pipelines of this account, such as `acme`.', maxLength: 255 }),
      ),
      destination_id: Type.Optional(
        Type.String({ format: 'uuid', description: 'Return only pipelines that load into this destination.' }),
      ),
    },
    create: async (body: Static<typeof PipelineInput>) => addState(store, await createPipeline(deps, body)),
    list: async (options, filter: PipelineFilter) => {
      const { data, nextCursor } = await store.pipelines.list(options, filter);
      return { data: await addStates(store, data), nextCursor };
    },
    get: async (id) => addState(store, await store.pipelines.get(id)),
    findProblems: (input: PartialPipeline) => findPipelineProblems(deps, input),
    normalize: normalizeSubdomain,
    update: async (id, body: Static<typeof PipelineUpdate>, expectedVersion) =>
      addState(store, await updatePipeline(deps, id, body, expectedVersion)),
    delete: (id, expectedVersion) => store.pipelines.delete(id, expectedVersion),
    toJson: toPipelineJson,
  });

  registerStatusRoute(app, deps, {
    verb: 'pause',
    status: 'paused',
    description:
      'Stops extraction. No scheduled run starts until the pipeline is resumed. Batches that are already stored are still loaded.',
  });
  registerStatusRoute(app, deps, {
    verb: 'resume',
    status: 'active',
    description: 'Resumes the schedule. A run that was interrupted by the pause continues from its position.',
  });

  registerTestAccount(app, deps);
  registerTestPipeline(app, deps);
}

function registerTestAccount(app: App, deps: Deps): void {
  app.post(
    '/v1/pipelines/test',
    {
      config: {
        permission: 'manage_pipelines',
        isReadOnly: true,
        findProblems: async (_request, { subdomain }: { subdomain?: string }) =>
          subdomain === undefined ? [] : catchFieldProblems('/subdomain', () => parseSubdomain(subdomain)),
      },
      schema: {
        ...operation({
          operationId: 'testAccount',
          tags,
          summary: 'Test an account and an API key',
          description:
            'Tests an API key, and the access of the key to each object. No pipeline is required. The test costs one credit for the key, and one credit for each object that has its own list. The test of an object with a daily export costs up to seven credits. If the test fails, the status is 200 and the result contains an `error`.',
        }),
        body: ref(PipelineTestInput),
        response: { 200: response('The result of the test.', PipelineTestResult), ...problemResponses(404) },
      },
    },
    async (request) => {
      const subdomain = parseSubdomain(request.body.subdomain);
      return testAccount(deps, { subdomain, credential_id: request.body.credential_id, credit_share_percent: 100 });
    },
  );
}

function registerTestPipeline(app: App, deps: Deps): void {
  const { store } = deps;
  app.post(
    '/v1/pipelines/:id/test',
    {
      config: { permission: 'manage_pipelines', isReadOnly: true },
      schema: {
        ...operation({
          operationId: 'testPipeline',
          tags,
          summary: 'Test the account of a pipeline',
          description:
            'Tests the API key of a pipeline, and the access of the key to each object. The test costs one credit for the key, and one credit for each object that has its own list. The test of an object with a daily export costs up to seven credits. If the test fails, the status is 200 and the result contains an `error`.',
        }),
        params: IdParams,
        response: { 200: response('The result of the test.', PipelineTestResult), ...problemResponses(404) },
      },
    },
    async ({ params }) => testAccount(deps, await store.pipelines.get(params.id)),
  );
}

interface StatusRoute {
  readonly verb: 'pause' | 'resume';
  readonly status: 'paused' | 'active';
  readonly description: string;
}

/** Registers `POST /v1/pipelines/{id}/pause` or `…/resume`. */
function registerStatusRoute(app: App, { store }: Deps, { verb, status, description }: StatusRoute): void {
  app.post(
    `/v1/pipelines/:id/${verb}`,
    {
      config: {
        permission: 'run',
        getPreviousState: async (request) =>
          toPipelineJson(await addState(store, await store.pipelines.get((request.params as { id: string }).id))),
      },
      schema: {
        ...operation({
          operationId: `${verb}Pipeline`,
          tags,
          summary: `${verb === 'pause' ? 'Pause' : 'Resume'} a pipeline`,
          description,
        }),
        params: IdParams,
        headers: IfMatch,
        response: { 200: response('The pipeline.', Pipeline), ...problemResponses(404, 412) },
      },
    },
    async (request, reply) => {
      const pipeline = await store.pipelines.setStatus(request.params.id, status, parseIfMatch(request.headers));
      if (status === 'active') await store.runs.resume(pipeline.id);
      setEtag(reply, pipeline.version);
      return toPipelineJson(await addState(store, pipeline));
    },
  );
}
