import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

const MIB = 1024 * 1024;
let deployment: Deployment;
let oversizedConversation = 0;

beforeAll(async () => {
  // The maximum size of a response is 2 MiB in this test, and 128 MiB by default.
  deployment = await Deployment.start({ counts: { tickets: 250, conversations: 1 } }, undefined, {
    FRESHET_ANSWER_MIB_MAX: '2',
  });
  const { account } = deployment.simulator;
  const live = [...account.listAllRecords('tickets')]
    .filter(({ view }) => view.deleteKind === null)
    .map(({ text }) => (JSON.parse(text) as { id: number }).id);
  const [large, oversized, parent] = live.slice(120) as [number, number, number];
  account.update('tickets', large, { description: 'l'.repeat(1.5 * MIB), description_text: 'large' });
  account.update('tickets', oversized, { description: 'o'.repeat(3 * MIB), description_text: 'oversized' });
  oversizedConversation = account.createChild('conversations', parent, { body: 'c'.repeat(3 * MIB) });
  account.createChild('conversations', parent, { body: 'after the oversized one' });
});
afterAll(() => deployment[Symbol.asyncDispose]());

test('a record within the size limit of a response is loaded, and a larger record is rejected without affecting other records (T19)', async () => {
  const pipelineId = await deployment.createPipeline('demo-admin-key', 30, ['tickets', 'conversations']);
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
  const findObjectRun = (object: string) => run.objects.find((o) => o.object === object);
  expect(findObjectRun('tickets')).toMatchObject({ status: 'succeeded', records_rejected: 1 });
  expect(findObjectRun('conversations')).toMatchObject({ status: 'succeeded', records_rejected: 1 });

  const { sql } = deployment.warehouse;
  const [row] = await sql.unsafe(
    `select length(description) as n from ${deployment.schema}.tickets where description_text = 'large'`,
  );
  expect(row?.['n']).toBe(1.5 * MIB);
  const rows = await sql.unsafe(
    `select count(*)::int as n from ${deployment.schema}.tickets where _freshet_delete_kind is distinct from 'trash'`,
  );
  const expectedRows = [...deployment.simulator.account.listAllRecords('tickets')].filter(
    ({ view }) => view.deleteKind !== 'trash',
  ).length;
  expect(rows[0]?.['n']).toBe(expectedRows - 1);
  const after = await sql.unsafe(
    `select id from ${deployment.schema}.conversations where body = 'after the oversized one'`,
  );
  expect(after).toHaveLength(1);
  expect(
    await sql.unsafe(`select 1 from ${deployment.schema}.conversations where id = ${oversizedConversation}`),
  ).toHaveLength(0);

  const rejected = await deployment.control.sql`select object, reason from freshet.rejected_records order by object`;
  expect([...rejected]).toEqual([
    { object: 'conversations', reason: 'too_large' },
    { object: 'tickets', reason: 'too_large' },
  ]);
});
