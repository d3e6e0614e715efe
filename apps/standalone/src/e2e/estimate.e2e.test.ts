import { objectNamed } from '@freshet/freshdesk-extractor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunAnswer } from '../api-client.ts';
import { Deployment } from '../test-support/deployment.ts';

interface Estimate {
  readonly spent: number;
  readonly credits: number;
  readonly minutes: number;
  readonly objects: readonly { readonly object: string; readonly credits: number; readonly basis: string }[];
}

let deployment: Deployment;
beforeAll(async () => {
  // No scheduler: nothing runs before it was estimated.
  deployment = await Deployment.start({ counts: { tickets: 2000 }, spanDays: 400, plan: 'purchased_2000' }, [
    'api',
    'extract-worker',
    'load-worker',
  ]);
});
afterAll(() => deployment[Symbol.asyncDispose]());

const estimate = (pipelineId: string, body?: object) =>
  deployment.api.call<Estimate>('POST', `/v1/pipelines/${pipelineId}/estimate`, body);
const totalOf = (run: RunAnswer) => run.objects.reduce((sum, o) => sum + o.credits_used, 0);

/** Within a fifth; of what costs next to nothing, within one page, such as the trash has if something in it changed. */
function expectClose(told: number, spent: number, what: string): void {
  expect(Math.abs(told - spent), `${what}: told ${told}, spent ${spent}`).toBeLessThanOrEqual(Math.max(5, spent * 0.2));
}

describe('an estimate is within a fifth of what is spent, and costs a handful of credits', () => {
  let pipelineId: string;
  let firstEstimate: Estimate;
  let firstRun: RunAnswer;
  beforeAll(async () => {
    pipelineId = await deployment.createPipeline('demo-admin-key', 90);
  });

  test('a first sync, as deep as the pipeline asks for', async () => {
    const told = await estimate(pipelineId);
    firstEstimate = told;
    expect(told.spent).toBeLessThanOrEqual(8);
    const run = await deployment.sync(pipelineId);
    firstRun = run;
    expect(run.status).toBe('succeeded');
    expectClose(told.credits, totalOf(run), 'all');
    for (const { object, credits, basis } of told.objects) {
      // What is typical is right on the whole, and may be wrong for one account.
      if (basis !== 'typical')
        expectClose(credits, run.objects.find((o) => o.object === object)?.credits_used ?? 0, object);
    }
  });

  test('the first sync reads each record of a quiet list once, and the estimate is what its lists cost', () => {
    const objectRun = (object: string) => firstRun.objects.find((o) => o.object === object);
    // The simulated account holds 0.4 contacts, 0.05 companies and 0.15 time entries for each of its 2,000 tickets.
    expect(objectRun('contacts')).toMatchObject({ records_extracted: 800, credits_used: 15 });
    expect(objectRun('companies')).toMatchObject({ records_extracted: 100, credits_used: 3 });
    expect(objectRun('time_entries')).toMatchObject({ records_extracted: 300, credits_used: 5 });
    for (const object of ['contacts', 'companies', 'time_entries']) {
      expect(firstEstimate.objects.find((o) => o.object === object)?.credits, object).toBe(
        objectRun(object)?.credits_used,
      );
    }
  });

  test('an edit of a time entry older than the lookback window is in the warehouse after two syncs', async () => {
    const { account } = deployment.simulator;
    const list = account.listOf(objectNamed('time_entries'));
    const key = list.keyOf(5);
    account.update('time_entries', key, { note: 'edited a year later' });
    await deployment.sync(pipelineId);
    await deployment.sync(pipelineId);
    const [row] = await deployment.warehouse.sql.unsafe(
      `select note from ${deployment.schema}.time_entries where id = ${key}`,
    );
    expect(row).toEqual({ note: 'edited a year later' });
  });

  test('a run after some changes, and one after none', async () => {
    const rest = await estimate(pipelineId);
    const restRun = await deployment.sync(pipelineId);
    expectClose(rest.credits, totalOf(restRun), 'at rest');
    for (let n = 0; n < 40; n++) deployment.simulator.account.update('tickets', 1900 + n, { subject: `edited ${n}` });
    const told = await estimate(pipelineId);
    expect(told.spent).toBeLessThanOrEqual(8);
    const run = await deployment.sync(pipelineId);
    expectClose(told.credits, totalOf(run), 'all');
    for (const { object, credits, basis } of told.objects) {
      // What is typical is right on the whole, and may be wrong for one account.
      if (basis !== 'typical')
        expectClose(credits, run.objects.find((o) => o.object === object)?.credits_used ?? 0, object);
    }
  });

  test('reading further back, and minutes by the limits', async () => {
    const told = await estimate(pipelineId, { backfill_from: new Date(Date.now() - 400 * 86_400_000).toISOString() });
    const conversations = told.objects.find((o) => o.object === 'conversations');
    // About as many tickets as 310 of 400 days hold.
    expect(conversations?.credits).toBeGreaterThan(2000 * (310 / 400) * 0.8);
    expect(conversations?.credits).toBeLessThan(2000 * (310 / 400) * 1.2);
    // The limit is 2,000 credits a minute, of which four fifths are ours.
    const waits = Math.ceil(told.credits / 1600) - 1;
    expect(told.minutes).toBeGreaterThan(waits);
    expect(told.minutes).toBeLessThanOrEqual(waits + 1);
  });
});
