import { randomBytes } from 'node:crypto';
import { eventually } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 1000, conversations: 0 } }, ['api', 'extract-worker'], {
    FRESHET_UNLOADED_MIB_MAX: '4',
  });
  const { account } = deployment.simulator;
  // Nothing that a batch's compression makes small.
  for (let id = 1; id <= 1000; id++)
    account.update('tickets', id, { description: randomBytes(12_000).toString('base64') });
});
afterAll(() => deployment[Symbol.asyncDispose]());

test('I9: reading waits for a warehouse that takes nothing, says so, and goes on when it does', async () => {
  const pipelineId = await deployment.createPipeline();
  const { id } = await deployment.startRun(pipelineId);
  const tickets = async () => (await deployment.run(id)).objects.find((o) => o.object === 'tickets');
  const held = await eventually(async () => {
    const now = await tickets();
    return now?.error?.code === 'warehouse_behind' ? now : null;
  }, 'tickets wait for the warehouse');
  expect(held).toMatchObject({ status: 'running', not_before: expect.any(String) });
  // Of tickets alone: another object's page may still be on its way.
  const stored = async () => {
    const [row] = await deployment.control.sql`
      select sum(pg_column_size(body))::int as bytes, count(*)::int as batches from freshet.batches where object = 'tickets'`;
    return row as { bytes: number; batches: number };
  };
  // What was on its way when the limit was reached, and no more: however often it is looked at again.
  const before = await stored();
  expect(before.bytes).toBeLessThan(10 * 1024 * 1024);
  const seen = held.not_before;
  await eventually(async () => ((await tickets())?.not_before !== seen ? true : null), 'it was looked at again');
  expect((await tickets())?.records_extracted).toBe(held.records_extracted);
  expect((await stored()).batches).toBe(before.batches);

  await deployment.launch('load-worker');
  const run = await deployment.finished(id);
  expect(run.status).toBe('succeeded');
  expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
});
