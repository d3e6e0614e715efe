import type { Pipeline } from '@freshet/control-store';
import {
  ACCOUNT_BUCKET,
  estimate,
  getObject,
  listObjectsToExtract,
  type ObjectEstimate,
} from '@freshet/freshdesk-extractor';
import type { Static } from 'typebox';
import { type AccountConnection, withFreshdeskClient } from '../../connections/freshdesk.ts';
import type { Deps } from '../../context.ts';
import type { Estimate } from './schemas.ts';

const DAY_MS = 86_400_000;
/**
 * The maximum throughput of one account, even if its rate limit allows more: responses take time,
 * and some requests depend on the results of other requests.
 */
const REQUESTS_PER_MINUTE_MAX = 600;

/** The settings of a pipeline that determine the estimate. */
export interface EstimateSettings extends AccountConnection {
  readonly historical_sync_days: number | null;
  readonly objects: Pipeline['objects'];
}

/**
 * Estimates the records, credits and duration of a run.
 * @param backfillFrom the start of the backfill to estimate. Null: the next run is estimated.
 * @throws AppError with a `source_…` code if a request to Freshdesk fails.
 */
export async function estimateRunCost(
  deps: Deps,
  pipeline: Pipeline,
  backfillFrom: Date | null,
): Promise<Static<typeof Estimate>> {
  const [states, parentCounts] = await Promise.all([
    deps.store.pipelines.listObjects(pipeline.id),
    deps.store.pipelines.countParents(pipeline.id),
  ]);
  const knownStates = new Map(
    states.map(({ object, position }) => [
      object,
      { position, ...(parentCounts.get(object) ?? { parents: 0, pending: 0 }) },
    ]),
  );
  return estimateCost(deps, pipeline, knownStates, backfillFrom);
}

/**
 * Estimates the records, credits and duration of the first sync with the given settings, before a
 * pipeline exists.
 * @throws AppError with a `source_…` code if a request to Freshdesk fails.
 */
export function estimateFirstSync(deps: Deps, settings: EstimateSettings): Promise<Static<typeof Estimate>> {
  return estimateCost(deps, settings, new Map(), null);
}

function estimateCost(
  deps: Deps,
  settings: EstimateSettings,
  states: Parameters<typeof estimate>[2],
  backfillFrom: Date | null,
): Promise<Static<typeof Estimate>> {
  return withFreshdeskClient(deps, settings, async (client) => {
    const objects = listObjectsToExtract(settings.objects).map(({ name }) => getObject(name));
    const days = settings.historical_sync_days;
    const estimates = await estimate(client, objects, states, {
      historyFrom: days === null ? null : new Date(Date.now() - days * DAY_MS),
      objectsWithDetail: new Set(
        Object.entries(settings.objects).flatMap(([name, { detail }]) => (detail === true ? [name] : [])),
      ),
      ...(backfillFrom === null ? {} : { backfillFrom }),
    });
    const allowances = await getAllowances(deps.store, settings);
    return {
      spent: sum(Object.values(client.creditsSpent), (credits) => credits),
      records: sum(estimates, (e) => e.records),
      credits: sum(estimates, (e) => e.credits),
      unchanged_credits: sum(estimates, (e) => e.unchangedCredits),
      minutes: estimateMinutes(estimates, allowances),
      objects: estimates.map((e) => ({
        object: e.object,
        records: e.records,
        credits: e.credits,
        unchanged_credits: e.unchangedCredits,
        minutes: estimateMinutes([e], allowances),
        basis: e.basis,
      })),
    };
  });
}

/**
 * Returns the credits per minute that the pipeline may use in each bucket. Buckets without a limit
 * are absent.
 */
async function getAllowances(store: Deps['store'], account: AccountConnection): Promise<ReadonlyMap<string, number>> {
  const buckets = await store.budgets.listBuckets(account.subdomain);
  return new Map(
    buckets.flatMap(({ bucket, total, isUnlimited }) =>
      isUnlimited || total === null
        ? []
        : [[bucket, Math.max(1, Math.floor((total * account.credit_share_percent) / 100))] as const],
    ),
  );
}

/**
 * Estimates the duration, which depends on the slowest bucket. All credits of a minute can be used
 * at the start of the minute, so the last minute takes only as long as the requests in it.
 */
function estimateMinutes(estimates: readonly ObjectEstimate[], allowances: ReadonlyMap<string, number>): number {
  const creditsByBucket = new Map([[ACCOUNT_BUCKET, sum(estimates, (e) => e.credits)]]);
  for (const { bucket } of estimates)
    if (bucket) creditsByBucket.set(bucket.name, (creditsByBucket.get(bucket.name) ?? 0) + bucket.credits);
  const minutes = [...creditsByBucket].map(([bucket, credits]) => {
    const allowance = allowances.get(bucket);
    if (allowance === undefined) return credits / REQUESTS_PER_MINUTE_MAX;
    const fullMinutes = Math.max(0, Math.ceil(credits / allowance) - 1);
    return fullMinutes + Math.min(1, (credits - fullMinutes * allowance) / REQUESTS_PER_MINUTE_MAX);
  });
  return Math.round(Math.max(...minutes) * 100) / 100;
}

function sum<T>(items: readonly T[], getValue: (item: T) => number): number {
  return items.reduce((total, item) => total + getValue(item), 0);
}
