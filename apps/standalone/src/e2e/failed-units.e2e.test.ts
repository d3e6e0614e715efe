import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/**
 * Tickets whose conversations respond with status 500. More than ten of these tickets are
 * consecutive, so Freshet must distinguish their failures from an outage.
 */
const FAILING_TICKETS = [7, ...Array.from({ length: 14 }, (_, n) => 70 + n)];
const failingPaths = new Set(FAILING_TICKETS.map((id) => `/api/v2/tickets/${id}/conversations`));
let isFailing = true;
let isDown = false;
let deployment: Deployment;
let pipelineId = '';

beforeAll(async () => {
  deployment = await Deployment.start({
    counts: { tickets: 120, contacts: 20 },
    intercept: ({ path }, response) => {
      const isConversations = path.endsWith('/conversations');
      if (!(isFailing && failingPaths.has(path)) && !(isDown && isConversations)) return false;
      response.writeHead(500, {
        'content-type': 'application/json',
        'x-freshdesk-api-version': 'latest=v2; requested=v2',
      });
      response.end('{"message": "We are sorry, something went wrong"}');
      return true;
    },
  });
  pipelineId = await deployment.createPipeline('demo-admin-key', null, ['tickets', 'conversations', 'contacts']);
});
afterAll(() => deployment[Symbol.asyncDispose]());

const listFailedUnits = async (filter: { readonly error_code?: string } = {}) => {
  const { data } = await deployment.api.get('/v1/pipelines/{id}/failed-units', {
    params: { path: { id: pipelineId }, query: { limit: 200, ...filter } },
  });
  return data.toSorted((a, b) => Number(a.key) - Number(b.key));
};
const getConversationsRun = async (id: string) =>
  (await deployment.getRun(id)).objects.find((o) => o.object === 'conversations');
const countCalls = (path: string) => deployment.simulator.requestsByPath.get(path) ?? 0;

describe('a parent whose children cannot be read', () => {
  test('is excluded from the run and listed as a failed unit, while the children of all other parents are loaded and coverage advances (I7)', async () => {
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('partial');
    expect(run.objects.filter((o) => o.status !== 'succeeded').map((o) => o.object)).toEqual(['conversations']);
    const conversations = await getConversationsRun(run.id);
    expect(conversations).toMatchObject({ status: 'partial', failed_units: FAILING_TICKETS.length, progress: 1 });
    expect(conversations?.error?.message).toContain(`${FAILING_TICKETS.length} units could not be read`);
    const units = await listFailedUnits();
    expect(units.map(({ key }) => Number(key))).toEqual(FAILING_TICKETS);
    // The second attempt is part of the same run.
    expect(new Set(units.map(({ attempts }) => attempts))).toEqual(new Set([2]));
    expect(units[0]).toMatchObject({ object: 'conversations', error: { code: 'source_unavailable' } });
    const missing = new Set(
      [...deployment.simulator.account.listAllRecords('conversations')]
        .map(({ text }) => JSON.parse(text) as { id: number; ticket_id: number })
        .filter(({ ticket_id }) => FAILING_TICKETS.includes(ticket_id))
        .map(({ id }) => String(id)),
    );
    const differences = await deployment.findDifferences();
    expect(differences.filter(({ id }) => !missing.has(id))).toEqual([]);
    const [covered] = await deployment.warehouse.sql.unsafe(
      `select complete_as_of is not null as is_known from ${deployment.schema}._freshet_objects where table_name = 'conversations'`,
    );
    expect(covered?.['is_known']).toBe(true);
  });

  test('is not requested again before its next attempt is due', async () => {
    const before = countCalls('/api/v2/tickets/{id}/conversations');
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('partial');
    expect(await getConversationsRun(run.id)).toMatchObject({
      status: 'partial',
      failed_units: FAILING_TICKETS.length,
    });
    expect(countCalls('/api/v2/tickets/{id}/conversations')).toBe(before);
    expect(new Set((await listFailedUnits()).map(({ attempts }) => attempts))).toEqual(new Set([2]));
  });

  test('is retried by a later run, and waits longer for the next attempt if it fails again', async () => {
    const { sql } = deployment.control;
    await sql`update freshet.failed_units set next_attempt_at = now() where key = '70'`;
    await deployment.sync(pipelineId);
    const [unit] = await sql<{ attempts: number; seconds: number }[]>`
      select attempts, extract(epoch from next_attempt_at - last_failed_at)::float8 as seconds from freshet.failed_units where key = '70'`;
    expect(unit).toEqual({ attempts: 3, seconds: 600 });
  });

  test('is not retried after it is discarded', async () => {
    const [first] = await listFailedUnits({ error_code: 'source_unavailable' });
    const discarded = await deployment.api.post('/v1/pipelines/{id}/failed-units/discard', {
      params: { path: { id: pipelineId } },
      body: { ids: [first?.id as string] },
    });
    expect(discarded).toEqual({ units: 1 });
    const run = await deployment.sync(pipelineId);
    expect(await getConversationsRun(run.id)).toMatchObject({
      status: 'partial',
      failed_units: FAILING_TICKETS.length - 1,
    });
  });

  test('is removed from the list of failed units when a retry requested by a user succeeds', async () => {
    isFailing = false;
    const retried = await deployment.api.post('/v1/pipelines/{id}/failed-units/retry', {
      params: { path: { id: pipelineId } },
      body: { object: 'conversations' },
    });
    expect(retried.units).toBe(FAILING_TICKETS.length - 1);
    expect((await deployment.waitForRun(retried.run_id)).status).toBe('succeeded');
    expect(await listFailedUnits()).toEqual([]);
    // The discarded unit is reread when its ticket changes.
    deployment.simulator.account.update('tickets', FAILING_TICKETS[0] as number, { subject: 'changed' });
    await waitFor(async () => (await deployment.sync(pipelineId)).status === 'succeeded', 'the run succeeds');
    expect(await deployment.findDifferences()).toEqual([]);
  });
});

test('an audit excludes parents whose children cannot be read, and a sync retries these parents when their next attempt is due (I7)', async () => {
  isFailing = true;
  const audit = await deployment.audit(pipelineId);
  expect(audit.status).toBe('partial');
  const conversations = audit.objects.find((o) => o.object === 'conversations');
  expect(conversations).toMatchObject({ status: 'partial', failed_units: FAILING_TICKETS.length });
  expect(conversations?.findings?.explained).toMatchObject({ unreadable: FAILING_TICKETS.length });
  expect((await listFailedUnits()).map(({ key }) => Number(key))).toEqual(FAILING_TICKETS);
  isFailing = false;
  await deployment.control.sql`update freshet.failed_units set next_attempt_at = now()`;
  expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
  expect(await listFailedUnits()).toEqual([]);
});

test('an outage of the conversations endpoint creates no failed units, and the run continues after the outage (I7)', async () => {
  const { account } = deployment.simulator;
  for (let id = 1; id <= 30; id++) account.createChild('conversations', id, { body: `during the outage ${id}` });
  isDown = true;
  const { id } = await deployment.startRun(pipelineId);
  await waitFor(
    async () => (await getConversationsRun(id))?.error?.code === 'source_unavailable',
    'the object run reports the failure',
  );
  expect(await listFailedUnits()).toEqual([]);
  isDown = false;
  expect((await deployment.waitForRun(id)).status).toBe('succeeded');
  expect(await deployment.findDifferences()).toEqual([]);
});
