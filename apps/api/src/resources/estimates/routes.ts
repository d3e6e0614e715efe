import { parseSubdomain } from '@freshet/freshdesk-extractor';
import type { App, Deps } from '../../context.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { IdParams, ref } from '../../http/schemas.ts';
import { DEFAULT_CREDIT_SHARE_PERCENT, DEFAULT_HISTORICAL_SYNC_DAYS } from '../pipelines/use-cases.ts';
import { findPipelineProblems, type PartialPipeline } from '../pipelines/validation.ts';
import { estimateFirstSync, estimateRunCost } from './estimate.ts';
import { Estimate, EstimateInput, PipelineEstimateInput } from './schemas.ts';

export function registerEstimateRoutes(app: App, deps: Deps): void {
  registerEstimateRun(app, deps);
  registerEstimatePipeline(app, deps);
}

/** Registers the estimate of a new pipeline, which requires no destination. */
function registerEstimatePipeline(app: App, deps: Deps): void {
  app.post(
    '/v1/pipelines/estimate',
    {
      config: {
        permission: 'manage_pipelines',
        isReadOnly: true,
        findProblems: (_request, body: PartialPipeline) => findPipelineProblems(deps, body),
      },
      schema: {
        ...operation({
          operationId: 'estimatePipeline',
          tags: ['pipelines'],
          summary: 'Estimate a new pipeline',
          description:
            'Estimates the records, the credits and the duration of the first sync of a new pipeline, in total and for each object. The estimate requires no destination. Nothing is created. The estimate itself uses a few credits.',
        }),
        body: ref(PipelineEstimateInput),
        response: { 200: response('The estimate.', Estimate), ...problemResponses(502) },
      },
    },
    async ({ body: { source, objects = {} } }) =>
      estimateFirstSync(deps, {
        subdomain: parseSubdomain(source.subdomain),
        credential_id: source.credential_id,
        credit_share_percent: source.credit_share_percent ?? DEFAULT_CREDIT_SHARE_PERCENT,
        historical_sync_days:
          source.historical_sync_days === undefined ? DEFAULT_HISTORICAL_SYNC_DAYS : source.historical_sync_days,
        objects,
      }),
  );
}

function registerEstimateRun(app: App, deps: Deps): void {
  app.post(
    '/v1/pipelines/:id/estimate',
    {
      config: { permission: 'manage_pipelines', isReadOnly: true },
      schema: {
        ...operation({
          operationId: 'estimateRun',
          tags: ['pipelines'],
          summary: 'Estimate the next run',
          description:
            'Estimates the records, the credits and the duration of the next run or of a backfill, in total and for each object. Without a body, the next run is estimated. The estimate itself uses a few credits.',
        }),
        params: IdParams,
        body: ref(EstimateInput),
        response: { 200: response('The estimate.', Estimate), ...problemResponses(404, 502) },
      },
    },
    async (request) => {
      const pipeline = await deps.store.pipelines.get(request.params.id);
      const { backfill_from: from } = request.body;
      return estimateRunCost(deps, pipeline, from === undefined ? null : new Date(from));
    },
  );
}
