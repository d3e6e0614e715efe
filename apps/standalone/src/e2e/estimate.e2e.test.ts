import type { Run, Schemas } from '@freshet/client';
import { getObject } from '@freshet/freshdesk-extractor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

type Estimate = Schemas['Estimate'];

let deployment: Deployment;
beforeAll(async () => {
  // Start no scheduler, so that no run starts before it is estimated.
  deployment = await Deployment.start({ counts: { tickets: 2000 }, spanDays: 400, plan: 'purchased_2000' }, [
    'api',
    'extract-worker',
    'load-worker',
  ]);
});
afterAll(() => deployment[Symbol.asyncDispose]());

const estimate = (pipelineId: string, body: Schemas['EstimateInput'] = {}) =>
  deployment.api.post('/v1/pipelines/{id}/estimate', { params: { path: { id: pipelineId } }, body });
const sumCredits = (run: Run) => run.objects.reduce((sum, o) => sum + o.credits_used, 0);

/** Allows a deviation of 20 percent or, for a small number of credits, of 5 credits. */
function expectClose(estimated: number, spent: number, label: string): void {
  expect(Math.abs(estimated - spent), `${label}: estimated ${estimated}, spent ${spent}`).toBeLessThanOrEqual(
    Math.max(5, spent * 0.2),
  );
}

describe('POST /v1/pipelines/{id}/estimate', () => {
  let pipelineId: string;
  let firstEstimate: Estimate;
  let firstRun: Run;
  beforeAll(async () => {
    pipelineId = await deployment.createPipeline('demo-admin-key', 90);
  });

  test('estimates the credits of a first sync to within 20 percent, and spends at most 8 credits on the estimate', async () => {
    const estimated = await estimate(pipelineId);
    firstEstimate = estimated;
    const { source } = await deployment.api.get('/v1/pipelines/{id}', { params: { path: { id: pipelineId } } });
    const preview = await deployment.api.post('/v1/pipelines/estimate', { body: { source } });
    expect(preview.objects).toEqual(estimated.objects);
    expect(estimated.spent).toBeLessThanOrEqual(8);
    const run = await deployment.sync(pipelineId);
    firstRun = run;
    expect(run.status).toBe('succeeded');
    expectClose(estimated.credits, sumCredits(run), 'all');
    for (const { object, credits, basis } of estimated.objects) {
      // A typical value is correct on average, but may be wrong for a single account.
      if (basis !== 'typical')
        expectClose(credits, run.objects.find((o) => o.object === object)?.credits_used ?? 0, object);
    }
  });

  test('estimates the exact credits of lists that do not change during the first sync', () => {
    const objectRun = (object: string) => firstRun.objects.find((o) => o.object === object);
    // The simulated account contains 0.4 contacts, 0.05 companies and 0.15 time entries for each of
    // its 2,000 tickets.
    expect(objectRun('contacts')).toMatchObject({ records_extracted: 800, credits_used: 15 });
    expect(objectRun('companies')).toMatchObject({ records_extracted: 100, credits_used: 3 });
    expect(objectRun('time_entries')).toMatchObject({ records_extracted: 300, credits_used: 5 });
    for (const object of ['contacts', 'companies', 'time_entries']) {
      expect(firstEstimate.objects.find((o) => o.object === object)?.credits, object).toBe(
        objectRun(object)?.credits_used,
      );
    }
  });

  test('estimates the credits of a sync without changes to within 20 percent', async () => {
    expectClose(firstEstimate.unchanged_credits, sumCredits(await deployment.sync(pipelineId)), 'all');
  });

  test('two syncs load the edit of an old time entry, which the lookback window does not contain', async () => {
    const { account } = deployment.simulator;
    const list = account.getList(getObject('time_entries'));
    const key = list.getKey(5);
    account.update('time_entries', key, { note: 'edited a year later' });
    await deployment.sync(pipelineId);
    await deployment.sync(pipelineId);
    const [row] = await deployment.warehouse.sql.unsafe(
      `select note from ${deployment.schema}.time_entries where id = ${key}`,
    );
    expect(row).toEqual({ note: 'edited a year later' });
  });

  test('estimates the credits of a run to within 20 percent, both with and without changes', async () => {
    const unchanged = await estimate(pipelineId);
    const unchangedRun = await deployment.sync(pipelineId);
    expectClose(unchanged.credits, sumCredits(unchangedRun), 'without changes');
    for (let n = 0; n < 40; n++) deployment.simulator.account.update('tickets', 1900 + n, { subject: `edited ${n}` });
    const estimated = await estimate(pipelineId);
    expect(estimated.spent).toBeLessThanOrEqual(8);
    const run = await deployment.sync(pipelineId);
    expectClose(estimated.credits, sumCredits(run), 'all');
    for (const { object, credits, basis } of estimated.objects) {
      // A typical value is correct on average, but may be wrong for a single account.
      if (basis !== 'typical')
        expectClose(credits, run.objects.find((o) => o.object === object)?.credits_used ?? 0, object);
    }
  });

  test('estimates the credits of a backfill, and calculates its duration from the rate limit', async () => {
    const estimated = await estimate(pipelineId, {
      backfill_from: new Date(Date.now() - 400 * 86_400_000).toISOString(),
    });
    const conversations = estimated.objects.find((o) => o.object === 'conversations');
    // The tickets cover 400 days, and the first sync has read the newest 90 days. The backfill
    // reads the conversations of the tickets of the remaining 310 days.
    expect(conversations?.credits).toBeGreaterThan(2000 * (310 / 400) * 0.8);
    expect(conversations?.credits).toBeLessThan(2000 * (310 / 400) * 1.2);
    // The limit is 2,000 credits per minute, and the pipeline's share is 80 percent.
    const fullMinutes = Math.ceil(estimated.credits / 1600) - 1;
    expect(estimated.minutes).toBeGreaterThan(fullMinutes);
    expect(estimated.minutes).toBeLessThanOrEqual(fullMinutes + 1);
  });
});
