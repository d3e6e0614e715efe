import { setTimeout as sleep } from 'node:timers/promises';
import type { Freshet, Schemas } from '@freshet/client';

export type Refresh = NonNullable<Schemas['Pipeline']['analytics_refresh']>;

const REFRESH_POLL_INTERVAL_MS = 100;
/** The workers continue the refresh after this time. */
const REFRESH_TIMEOUT_MS = 300_000;
/** The maximum time for the retries of a failed refresh. */
const REFRESH_RETRY_TIMEOUT_MS = 20_000;

/**
 * Waits until the analytics models contain the loaded rows, at most for `REFRESH_TIMEOUT_MS`.
 * @returns the state of the models. Null: the models were switched off in the meantime.
 */
export async function waitForRefresh(client: Freshet, pipelineId: string): Promise<Refresh | null> {
  let deadline = Date.now() + REFRESH_TIMEOUT_MS;
  const params = { path: { id: pipelineId } };
  let refresh: Refresh | null = null;
  do {
    await sleep(REFRESH_POLL_INTERVAL_MS);
    // The API may be restarting.
    refresh = await client.get('/v1/pipelines/{id}', { params }).then(
      (pipeline) => pipeline.analytics_refresh,
      () => refresh,
    );
    if (refresh?.error) deadline = Math.min(deadline, Date.now() + REFRESH_RETRY_TIMEOUT_MS);
  } while (refresh?.status === 'pending' && Date.now() < deadline);
  return refresh;
}

/** Describes the state of the models. */
export function describeRefresh({ status, kind, tickets, error }: Refresh): string {
  if (status === 'succeeded') {
    const count = (tickets ?? 0).toLocaleString('en-US');
    return kind === 'unchanged' ? 'models up to date' : `models ${kind} for ${count} tickets`;
  }
  const state = status === 'failed' ? 'the models could not be refreshed' : 'the models are still being refreshed';
  return `${state}${error === null ? '' : `: ${error.message}`}`;
}
