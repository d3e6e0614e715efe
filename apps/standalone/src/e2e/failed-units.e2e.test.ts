import { eventually } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

interface FailedUnit {
  readonly id: string;
  readonly object: string;
  readonly key: string;
  readonly attempts: number;
  readonly error: { readonly code: string; readonly message: string };
}

/** Tickets whose conversations answer 500, more of them in a row than are taken for an outage. */
const DAMAGED = [7, ...Array.from({ length: 14 }, (_, n) => 70 + n)];
const damagedPaths = new Set(DAMAGED.map((id) => `/api/v2/tickets/${id}/conversations`));
let isDamaged = true;
let isDown = false;
let deployment: Deployment;
let pipelineId = '';

beforeAll(async () => {
  deployment = await Deployment.start({
    counts: { tickets: 120, contacts: 20 },
    intercept: ({ path }, response) => {
      const isConversations = path.endsWith('/conversations');
      if (!(isDamaged && damagedPaths.has(path)) && !(isDown && isConversations)) return false;
      response.writeHead(500, {
        'content-type': 'application/json',
        'x-freshdesk-api-version': 'latest=v2; requested=v2',
      });
      response.end('{"message": "We are sorry, something went wrong"}');
      return true;
    },
  });
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
});
afterAll(() => deployment[Symbol.asyncDispose]());

const list = async (query = '') =>
  (
    await deployment.api.call<{ data: FailedUnit[] }>(
      'GET',
      `/v1/pipelines/${pipelineId}/failed-units?limit=200${query}`,
    )
  ).data.toSorted((a, b) => Number(a.key) - Number(b.key));
const conversationsOf = async (id: string) =>
  (await deployment.run(id)).objects.find((o) => o.object === 'conversations');
const callsFor = (path: string) => deployment.simulator.calls.get(path) ?? 0;

describe('a parent whose children cannot be read', () => {
  test('is set aside and listed, while every other parent arrives and coverage advances (I7)', async () => {
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('partial');
    expect(run.objects.filter((o) => o.status !== 'succeeded').map((o) => o.object)).toEqual(['conversations']);
    const conversations = await conversationsOf(run.id);
    expect(conversations).toMatchObject({ status: 'partial', failed_units: DAMAGED.length, progress: 1 });
    expect(conversations?.error?.message).toContain(`${DAMAGED.length} units could not be read`);
    const units = await list();
    expect(units.map(({ key }) => Number(key))).toEqual(DAMAGED);
    // The second attempt is in the same run.
    expect(new Set(units.map(({ attempts }) => attempts))).toEqual(new Set([2]));
    expect(units[0]).toMatchObject({ object: 'conversations', error: { code: 'source_unavailable' } });
    const missing = new Set(
      [...deployment.simulator.account.everything('conversations')]
        .map(({ text }) => JSON.parse(text) as { id: number; ticket_id: number })
        .filter(({ ticket_id }) => DAMAGED.includes(ticket_id))
        .map(({ id }) => String(id)),
    );
    const found = await differences(deployment.simulator, deployment.warehouse, deployment.schema);
    expect(found.filter(({ id }) => !missing.has(id))).toEqual([]);
    const [covered] = await deployment.warehouse.sql.unsafe(
      `select complete_as_of is not null as known from ${deployment.schema}._freshet_objects where table_name = 'conversations'`,
    );
    expect(covered?.['known']).toBe(true);
  });

  test('is not requested again before its next attempt is due', async () => {
    const before = callsFor('/api/v2/tickets/{id}/conversations');
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('partial');
    expect(await conversationsOf(run.id)).toMatchObject({ status: 'partial', failed_units: DAMAGED.length });
    expect(callsFor('/api/v2/tickets/{id}/conversations')).toBe(before);
    expect(new Set((await list()).map(({ attempts }) => attempts))).toEqual(new Set([2]));
  });

  test('is retried by a later run with a longer interval', async () => {
    const { sql } = deployment.control;
    await sql`update freshet.failed_units set next_attempt_at = now() where key = '70'`;
    await deployment.sync(pipelineId);
    const [unit] = await sql<{ attempts: number; seconds: number }[]>`
      select attempts, extract(epoch from next_attempt_at - last_failed_at)::float8 as seconds from freshet.failed_units where key = '70'`;
    expect(unit).toEqual({ attempts: 3, seconds: 600 });
  });

  test('stays away when it is discarded', async () => {
    const [first] = await list('&error_code=source_unavailable');
    expect(
      await deployment.api.call('POST', `/v1/pipelines/${pipelineId}/failed-units/discard`, { ids: [first?.id] }),
    ).toEqual({ units: 1 });
    const run = await deployment.sync(pipelineId);
    expect(await conversationsOf(run.id)).toMatchObject({ status: 'partial', failed_units: DAMAGED.length - 1 });
  });

  test('that is retried on request and can be read is no longer listed, and the next run succeeds', async () => {
    isDamaged = false;
    const retried = await deployment.api.call<{ run_id: string; units: number }>(
      'POST',
      `/v1/pipelines/${pipelineId}/failed-units/retry`,
      {
        object: 'conversations',
      },
    );
    expect(retried.units).toBe(DAMAGED.length - 1);
    expect((await deployment.finished(retried.run_id)).status).toBe('succeeded');
    expect(await list()).toEqual([]);
    // The discarded one comes when its ticket changes.
    deployment.simulator.account.update('tickets', DAMAGED[0] as number, { subject: 'changed' });
    await eventually(async () => (await deployment.sync(pipelineId)).status === 'succeeded', 'the run succeeds');
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  });
});

test('an audit sets aside parents that it cannot read, and syncs retry them (I7)', async () => {
  isDamaged = true;
  const audit = await deployment.audit(pipelineId);
  expect(audit.status).toBe('partial');
  const conversations = audit.objects.find((o) => o.object === 'conversations');
  expect(conversations).toMatchObject({ status: 'partial', failed_units: DAMAGED.length });
  expect(conversations?.findings?.explained).toMatchObject({ unreadable: DAMAGED.length });
  expect((await list()).map(({ key }) => Number(key))).toEqual(DAMAGED);
  isDamaged = false;
  await deployment.control.sql`update freshet.failed_units set next_attempt_at = now()`;
  expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
  expect(await list()).toEqual([]);
});

test('an outage of the endpoint is not blamed on single units, and its run continues when it is over (I7)', async () => {
  const { account } = deployment.simulator;
  for (let id = 1; id <= 30; id++) account.addChild('conversations', id, { body: `during the outage ${id}` });
  isDown = true;
  const { id } = await deployment.startRun(pipelineId);
  await eventually(
    async () => (await conversationsOf(id))?.error?.code === 'source_unavailable',
    'the object run names the failure',
  );
  expect(await list()).toEqual([]);
  isDown = false;
  expect((await deployment.finished(id)).status).toBe('succeeded');
  expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
});
