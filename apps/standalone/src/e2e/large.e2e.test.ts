import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** Records beside the limit of one answer: 2 MiB here, 128 by default (`bench/src/large.ts`). */
const MIB = 1024 * 1024;
let deployment: Deployment;
let conversation = 0;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 250, conversations: 1 } }, undefined, {
    FRESHET_ANSWER_MIB_MAX: '2',
  });
  const { account } = deployment.simulator;
  const live = [...account.everything('tickets')]
    .filter(({ view }) => view.deleted === null)
    .map(({ text }) => (JSON.parse(text) as { id: number }).id);
  const [largest, over, parent] = live.slice(120) as [number, number, number];
  account.update('tickets', largest, { description: 'l'.repeat(1.5 * MIB), description_text: 'large' });
  account.update('tickets', over, { description: 'o'.repeat(3 * MIB), description_text: 'over' });
  conversation = account.addChild('conversations', parent, { body: 'c'.repeat(3 * MIB) });
  account.addChild('conversations', parent, { body: 'after it' });
});
afterAll(() => deployment[Symbol.asyncDispose]());

test('T19: a record just within the limit lands, one beyond it is a rejected record, and all others land', async () => {
  const pipelineId = await deployment.createPipeline();
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
  const of = (object: string) => run.objects.find((o) => o.object === object);
  expect(of('tickets')).toMatchObject({ status: 'succeeded', records_rejected: 1 });
  expect(of('conversations')).toMatchObject({ status: 'succeeded', records_rejected: 1 });

  const { sql } = deployment.warehouse;
  const [large] = await sql.unsafe(
    `select length(description) as n from ${deployment.schema}.tickets where description_text = 'large'`,
  );
  expect(large?.['n']).toBe(1.5 * MIB);
  const rows = await sql.unsafe(
    `select count(*)::int as n from ${deployment.schema}.tickets where _freshet_delete_kind is distinct from 'trash'`,
  );
  const held = [...deployment.simulator.account.everything('tickets')].filter(
    ({ view }) => view.deleted !== 'trash',
  ).length;
  expect(rows[0]?.['n']).toBe(held - 1);
  const after = await sql.unsafe(`select id from ${deployment.schema}.conversations where body = 'after it'`);
  expect(after).toHaveLength(1);
  expect(await sql.unsafe(`select 1 from ${deployment.schema}.conversations where id = ${conversation}`)).toHaveLength(
    0,
  );

  const rejected = await deployment.control.sql`select object, reason from freshet.rejected_records order by object`;
  expect([...rejected]).toEqual([
    { object: 'conversations', reason: 'too_large' },
    { object: 'tickets', reason: 'too_large' },
  ]);
});
