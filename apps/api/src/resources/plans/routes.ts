import type { Pipeline } from '@freshet/control-store';
import type { App, Deps } from '../../context.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { compareWithCurrent } from '../../http/read-only-fields.ts';
import { IdParams, ref } from '../../http/schemas.ts';
import { toPipelineJson } from '../pipelines/json.ts';
import { PipelineInput, PipelineUpdate } from '../pipelines/schemas.ts';
import { createPipeline, updatePipeline } from '../pipelines/use-cases.ts';
import { findPipelineProblems, normalizeSubdomain, type PartialPipeline } from '../pipelines/validation.ts';
import { buildPlan, dryRun } from './plan.ts';
import { PipelinePlan } from './schemas.ts';

const DESCRIPTION_OF_RESULT =
  'The response contains the SQL statements that will create or change tables, the access of the API key to each object, and an estimate of the next run. Nothing is created or changed. A preview is rejected for the same reasons as the request that it previews. The preview uses credits: one to test the API key, one for each object that has its own list, one for each page of custom field definitions, and a few for the estimate.';

/** Registers the previews of creating and updating a pipeline. */
export function registerPlanRoutes(app: App, deps: Deps): void {
  registerPreviewPipeline(app, deps);
  registerPreviewPipelineUpdate(app, deps);
}

function registerPreviewPipeline(app: App, deps: Deps): void {
  app.post(
    '/v1/pipelines/plan',
    {
      config: {
        permission: 'manage_pipelines',
        isReadOnly: true,
        findProblems: (_request, body: PartialPipeline) => findPipelineProblems(deps, body),
      },
      schema: {
        ...operation({
          operationId: 'previewPipeline',
          tags: ['pipelines'],
          summary: 'Preview a new pipeline',
          description: `Previews the creation of a pipeline. ${DESCRIPTION_OF_RESULT}`,
        }),
        body: ref(PipelineInput),
        response: { 200: response('The preview.', PipelinePlan) },
      },
    },
    async ({ body }) => buildPlan(deps, await dryRun(deps.store, () => createPipeline(deps, body))),
  );
}

function registerPreviewPipelineUpdate(app: App, deps: Deps): void {
  const { pipelines } = deps.store;
  app.post(
    '/v1/pipelines/:id/plan',
    {
      config: {
        permission: 'manage_pipelines',
        isReadOnly: true,
        findProblems: async ({ params }, body: PartialPipeline) => {
          const pipeline = await pipelines.get((params as { id: string }).id);
          const { changes, problems } = compareWithPipeline(pipeline, body);
          return [...problems, ...(await findPipelineProblems(deps, changes))];
        },
      },
      schema: {
        ...operation({
          operationId: 'previewPipelineUpdate',
          tags: ['pipelines'],
          summary: 'Preview an update of a pipeline',
          description: `Previews an update of a pipeline. ${DESCRIPTION_OF_RESULT}`,
        }),
        params: IdParams,
        body: ref(PipelineUpdate),
        response: { 200: response('The preview.', PipelinePlan), ...problemResponses(404) },
      },
    },
    async ({ params, body }) => {
      const { changes } = compareWithPipeline(await pipelines.get(params.id), body);
      return buildPlan(deps, await dryRun(deps.store, () => updatePipeline(deps, params.id, changes, null)));
    },
  );
}

function compareWithPipeline(current: Pipeline, body: PartialPipeline) {
  return compareWithCurrent({
    schema: PipelineUpdate,
    current: toPipelineJson({ ...current, refresh: null }),
    body: normalizeSubdomain(body),
    createdAt: current.created_at,
  });
}
