import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { RunAnswer } from '../api-client.ts';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

/** Single records, read when somebody asks for them: without a sync, and without anything else. */
let deployment: Deployment;
let pipelineId: string;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 60, contacts: 20 } });
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
});
beforeEach(async () => {
  await deployment.sync(pipelineId);
});
afterAll(() => deployment[Symbol.asyncDispose]());

const row = async (id: number) =>
  (
    await deployment.warehouse.sql.unsafe(
      `select subject, _freshet_delete_kind as kind from ${deployment.schema}.tickets where id = ${id}`,
    )
  )[0];
const conversations = async (ticketId: number) =>
  (
    await deployment.warehouse.sql.unsafe(
      `select count(*)::int as n from ${deployment.schema}.conversations where ticket_id = ${ticketId} and _freshet_deleted_at is null`,
    )
  )[0]?.['n'];
const refresh = (id: number, object = 'tickets') =>
  deployment.api.call<RunAnswer>('POST', `/v1/pipelines/${pipelineId}/objects/${object}/records/${id}/refresh`);

test('a ticket is read at once with its conversations, for a few credits, and nothing else is', async () => {
  const { account } = deployment.simulator;
  account.update('tickets', 7, { subject: 'changed just now' });
  account.update('tickets', 8, { subject: 'and not asked for' });
  const before = (await conversations(7)) as number;
  account.addChild('conversations', 7, { body: 'a new answer' });
  const { id, kind } = await refresh(7);
  expect(kind).toBe('refresh');
  const run = await deployment.finished(id);
  expect(run.status).toBe('succeeded');
  expect(run.objects.map((o) => [o.object, o.mode, o.status])).toEqual(
    run.objects.map((o) => [o.object, 'refresh', 'succeeded']),
  );
  expect(run.objects.find((o) => o.object === 'tickets')).toMatchObject({ records_extracted: 1, records_loaded: 1 });
  expect(run.objects.reduce((sum, o) => sum + o.credits_used, 0)).toBeLessThanOrEqual(6);
  expect((await row(7))?.['subject']).toBe('changed just now');
  expect((await row(8))?.['subject']).not.toBe('and not asked for');
  expect(await conversations(7)).toBe(before + 1);
  // It is no audit, and the next sync brings the rest.
  const [audited] = await deployment.warehouse.sql.unsafe(
    `select last_audit_at from ${deployment.schema}._freshet_objects where table_name = 'tickets'`,
  );
  expect(audited?.['last_audit_at']).toBeNull();
  await deployment.sync(pipelineId);
  expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
});

test('one that is gone is marked as deleted', async () => {
  deployment.simulator.account.remove('tickets', 9);
  const run = await deployment.finished((await refresh(9)).id);
  expect(run.status).toBe('succeeded');
  expect((await row(9))?.['kind']).toBe('not_found');
});

test('Freshdesk itself says that a ticket has changed: many at once are taken in by few runs, and none is missed', async () => {
  const { account } = deployment.simulator;
  const ids = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
  for (const id of ids) account.update('tickets', id, { subject: `told of ${id}` });
  const answers = await Promise.all(
    ids.map((id, i) =>
      deployment.api.call<RunAnswer>(
        'POST',
        `/v1/pipelines/${pipelineId}/inbound/freshdesk`,
        i % 2 ? { ticket_id: String(id) } : { freshdesk_webhook: { ticket_id: id, other: 1 } },
      ),
    ),
  );
  const runs = new Set(answers.map(({ id }) => id));
  for (const id of runs) expect((await deployment.finished(id)).status).toBe('succeeded');
  for (const id of ids) expect((await row(id))?.['subject'], String(id)).toBe(`told of ${id}`);
  for (const wrong of [{}, { ticket_id: 'INC' }, { ticket_id: '{{ticket.id}}' }, { ticket_id: 2 ** 53 }]) {
    await expect(deployment.api.call('POST', `/v1/pipelines/${pipelineId}/inbound/freshdesk`, wrong)).rejects.toThrow(
      '{{ticket.id}}',
    );
  }
});

test('what has no address of its own cannot be asked for, and says so', async () => {
  await expect(refresh(1, 'conversations')).rejects.toThrow('have no address of their own');
  await expect(refresh(1, 'skills')).rejects.toThrow('include it first');
  await expect(refresh(1, 'nothing')).rejects.toThrow('nothing');
});
