import type { Pipeline } from '@freshet/control-store';
import {
  ACCOUNT_BUCKET,
  estimate,
  type ObjectEstimate,
  objectNamed,
  objectsToRead,
} from '@freshet/freshdesk-extractor';
import type { App, Deps } from '../../app.ts';
import { asking } from '../../http/connection-tests.ts';
import { answer, operation, problems } from '../../http/operation.ts';
import { IdParams, ref } from '../../http/schemas.ts';
import { Estimate, EstimateInput } from '../plans/schemas.ts';

const DAY_MS = 86_400_000;
/** Calls of one account a minute, where its limit leaves room for more: answers take time, and some calls wait for others. */
const CALLS_A_MINUTE = 600;

export function estimateRoutes(app: App, deps: Deps): void {
  app.post(
    '/v1/pipelines/:id/estimate',
    {
      config: { permission: 'manage_pipelines', changesNothing: true },
      schema: {
        ...operation({
          operationId: 'estimatePipeline',
          tags: ['pipelines'],
          summary: 'What the next run will cost',
          description:
            'Credits and minutes for each object of the next run, or of reading further back, before they are spent. Spends a few credits itself.',
        }),
        params: IdParams,
        body: ref(EstimateInput),
        response: { 200: answer('The estimate.', Estimate), ...problems(404, 502) },
      },
    },
    async (request) => {
      const pipeline = await deps.store.pipelines.get(request.params.id);
      const { backfill_from: from } = request.body;
      return estimateFor(deps, pipeline, from === undefined ? null : new Date(from));
    },
  );
}

export function estimateFor(deps: Deps, pipeline: Pipeline, backfillFrom: Date | null) {
  const { store } = deps;
  return asking(deps, pipeline, async (client) => {
    const [objects, parents] = await Promise.all([
      store.pipelines.objectsOf(pipeline.id),
      store.pipelines.parentsOf(pipeline.id),
    ]);
    const known = new Map(
      objects.map((o) => [
        o.object,
        { position: o.position, ...(parents.get(o.object) ?? { parents: 0, pending: 0 }) },
      ]),
    );
    const chosen = objectsToRead(pipeline.objects).map(({ name }) => objectNamed(name));
    const days = pipeline.historical_sync_days;
    const estimates = await estimate(client, chosen, known, {
      historyFrom: days === null ? null : new Date(Date.now() - days * DAY_MS),
      detail: new Set(
        Object.entries(pipeline.objects).flatMap(([name, choice]) => (choice.detail === true ? [name] : [])),
      ),
      ...(backfillFrom === null ? {} : { backfillFrom }),
    });
    const allowances = await allowancesOf(store, pipeline);
    return {
      spent: Object.values(client.creditsSpent).reduce((sum, credits) => sum + credits, 0),
      records: sum(estimates, (e) => e.records),
      credits: sum(estimates, (e) => e.credits),
      minutes: minutesOf(estimates, allowances),
      objects: estimates.map((e) => ({
        object: e.object,
        records: e.records,
        credits: e.credits,
        minutes: minutesOf([e], allowances),
        basis: e.basis,
      })),
    };
  });
}

/** Bucket → credits a minute that the pipeline may use of it; one without a limit is not there. */
async function allowancesOf(store: Deps['store'], pipeline: Pipeline): Promise<ReadonlyMap<string, number>> {
  const buckets = await store.budgets.read(pipeline.subdomain);
  return new Map(
    buckets.flatMap(({ bucket, total, unlimited }) =>
      unlimited || total === null
        ? []
        : [[bucket, Math.max(1, Math.floor((total * pipeline.credit_share_percent) / 100))] as const],
    ),
  );
}

/** The bucket that takes longest decides. Each minute's credits may be spent at its beginning, so the last one costs only its calls. */
function minutesOf(estimates: readonly ObjectEstimate[], allowances: ReadonlyMap<string, number>): number {
  const charged = new Map([[ACCOUNT_BUCKET, sum(estimates, (e) => e.credits)]]);
  for (const { bucket } of estimates)
    if (bucket) charged.set(bucket.name, (charged.get(bucket.name) ?? 0) + bucket.credits);
  const minutes = [...charged].map(([bucket, credits]) => {
    const allowance = allowances.get(bucket);
    if (allowance === undefined) return credits / CALLS_A_MINUTE;
    const waits = Math.max(0, Math.ceil(credits / allowance) - 1);
    return waits + Math.min(1, (credits - waits * allowance) / CALLS_A_MINUTE);
  });
  return Math.round(Math.max(...minutes) * 100) / 100;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
