import { randomBytes } from 'node:crypto';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 1000, conversations: 0 } }, ['api', 'extract-worker'], {
    FRESHET_UNLOADED_MIB_MAX: '4',
  });
  const { account } = deployment.simulator;
  // Random data, which compression does not shrink.
  for (let id = 1; id <= 1000; id++)
    account.update('tickets', id, { description: randomBytes(12_000).toString('base64') });
});
afterAll(() => deployment[Symbol.asyncDispose]());

test('extraction pauses and reports the backlog while too many batches wait to be loaded, and resumes afterwards (I9)', async () => {
  const pipelineId = await deployment.createPipeline('demo-admin-key', 30, ['tickets', 'conversations']);
  const { id } = await deployment.startRun(pipelineId);
  const getTickets = async () => (await deployment.getRun(id)).objects.find((o) => o.object === 'tickets');
  const paused = await waitFor(async () => {
    const tickets = await getTickets();
    return tickets?.error?.code === 'warehouse_behind' ? tickets : null;
  }, 'the extraction of tickets is paused');
  expect(paused).toMatchObject({ status: 'running', not_before: expect.any(String) });
  // Count only the batches of tickets, because a page of a different object may still be in flight.
  const countBatches = async () => {
    const [row] = await deployment.control.sql`
      select sum(pg_column_size(body))::int as bytes, count(*)::int as batches from freshet.batches where object = 'tickets'`;
    return row as { bytes: number; batches: number };
  };
  // Only pages that were in flight when the limit was reached are stored. Further checks of the
  // backlog add no batches.
  const before = await countBatches();
  expect(before.bytes).toBeLessThan(10 * 1024 * 1024);
  const firstCheckAt = paused.not_before;
  await waitFor(
    async () => ((await getTickets())?.not_before !== firstCheckAt ? true : null),
    'the backlog was checked again',
  );
  expect((await getTickets())?.records_extracted).toBe(paused.records_extracted);
  expect((await countBatches()).batches).toBe(before.batches);

  await deployment.launch('load-worker');
  const run = await deployment.waitForRun(id);
  expect(run.status).toBe('succeeded');
  expect(await deployment.findDifferences()).toEqual([]);
});
