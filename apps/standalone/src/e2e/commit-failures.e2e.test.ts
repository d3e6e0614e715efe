import { waitFor } from '@freshet/testing';
import { expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

test('commits that the control database temporarily rejects are retried and logged with the lines of the sources, and no record is lost (I1)', async () => {
  // There are enough tickets that a step is committed while the next pages are being read.
  await using deployment = await Deployment.start({ counts: { tickets: 4000, conversations: 0 } }, undefined, {
    LOG_LEVEL: 'warn',
  });
  const { sql } = deployment.control;
  const pipelineId = await deployment.createPipeline();
  await sql.unsafe(
    `create function freshet.reject_batch() returns trigger language plpgsql as $$ begin raise exception 'rejected for now'; end $$`,
  );
  await sql.unsafe(
    'create trigger reject_batch before insert on freshet.batches for each row execute function freshet.reject_batch()',
  );
  const { id } = await deployment.startRun(pipelineId);
  await waitFor(
    async () => {
      const tickets = (await deployment.getRun(id)).objects.find((o) => o.object === 'tickets');
      return tickets?.error?.message.includes('rejected for now');
    },
    'the object reports why it is retried',
    30_000,
  );
  // The workers run from a bundle.
  expect(deployment.logs.join('')).toMatch(/control-store\/src\/extraction\/commit-step\.ts:\d+:\d+/);
  await sql.unsafe('drop function freshet.reject_batch cascade');
  expect((await deployment.waitForRun(id)).status).toBe('succeeded');
  expect(await deployment.findDifferences()).toEqual([]);
});
