import type { App, Deps } from '../../context.ts';
import { operation, problemResponses, response } from '../../http/operation.ts';
import { IdParams, ref } from '../../http/schemas.ts';
import { estimateRunCost } from './estimate.ts';
import { Estimate, EstimateInput } from './schemas.ts';

export function registerEstimateRoutes(app: App, deps: Deps): void {
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
