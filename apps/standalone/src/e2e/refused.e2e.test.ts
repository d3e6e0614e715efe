import { eventually } from '@freshet/testing';
import { expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

test('I1: a control database that refuses steps for a while costs tries, and no record', async () => {
  // So many tickets that a step is stored while the next pages are read.
  await using deployment = await Deployment.start({ counts: { tickets: 4000, conversations: 0 } });
  const { sql } = deployment.control;
  const pipelineId = await deployment.createPipeline();
  await sql.unsafe(
    `create function freshet.refuse() returns trigger language plpgsql as $$ begin raise exception 'refused for now'; end $$`,
  );
  await sql.unsafe(
    'create trigger refuse before insert on freshet.batches for each row execute function freshet.refuse()',
  );
  const { id } = await deployment.startRun(pipelineId);
  await eventually(
    async () => {
      const tickets = (await deployment.run(id)).objects.find((o) => o.object === 'tickets');
      return tickets?.error?.message.includes('refused for now');
    },
    'the object says why it is tried again',
    30_000,
  );
  await sql.unsafe('drop function freshet.refuse cascade');
  expect((await deployment.finished(id)).status).toBe('succeeded');
  expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
});
