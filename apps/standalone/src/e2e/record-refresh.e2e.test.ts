import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

let deployment: Deployment;
let pipelineId: string;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 60, contacts: 20 } });
  pipelineId = await deployment.createPipeline('demo-admin-key', null, [
    'tickets',
    'conversations',
    'contacts',
    'companies',
    'time_entries',
    'satisfaction_ratings',
  ]);
});
beforeEach(async () => {
  await deployment.sync(pipelineId);
});
afterAll(() => deployment[Symbol.asyncDispose]());

const selectTicket = async (id: number) =>
  (
    await deployment.warehouse.sql.unsafe(
      `select subject, _freshet_delete_kind as kind from ${deployment.schema}.tickets where id = ${id}`,
    )
  )[0];
const countConversations = async (ticketId: number) =>
  (
    await deployment.warehouse.sql.unsafe(
      `select count(*)::int as n from ${deployment.schema}.conversations where ticket_id = ${ticketId} and _freshet_deleted_at is null`,
    )
  )[0]?.['n'];
const refreshRecord = (id: number, object = 'tickets') =>
  deployment.api.post('/v1/pipelines/{id}/objects/{object}/records/{record_id}/refresh', {
    params: { path: { id: pipelineId, object, record_id: String(id) } },
  });

test('a refresh reads only one ticket and its conversations, and spends only a few credits', async () => {
  const { account } = deployment.simulator;
  account.update('tickets', 7, { subject: 'changed just now' });
  account.update('tickets', 8, { subject: 'changed and not refreshed' });
  const before = (await countConversations(7)) as number;
  account.createChild('conversations', 7, { body: 'a new reply' });
  const { id, kind } = await refreshRecord(7);
  expect(kind).toBe('refresh');
  const run = await deployment.waitForRun(id);
  expect(run.status).toBe('succeeded');
  expect(run.objects.map((o) => [o.object, o.mode, o.status])).toEqual(
    run.objects.map((o) => [o.object, 'refresh', 'succeeded']),
  );
  expect(run.objects.find((o) => o.object === 'tickets')).toMatchObject({ records_extracted: 1, records_loaded: 1 });
  expect(run.objects.reduce((sum, o) => sum + o.credits_used, 0)).toBeLessThanOrEqual(6);
  expect((await selectTicket(7))?.['subject']).toBe('changed just now');
  expect((await selectTicket(8))?.['subject']).not.toBe('changed and not refreshed');
  expect(await countConversations(7)).toBe(before + 1);
  // A refresh does not count as an audit. The next sync extracts the tickets that were changed but
  // not refreshed.
  const [audited] = await deployment.warehouse.sql.unsafe(
    `select last_audit_at from ${deployment.schema}._freshet_objects where table_name = 'tickets'`,
  );
  expect(audited?.['last_audit_at']).toBeNull();
  await deployment.sync(pipelineId);
  expect(await deployment.findDifferences()).toEqual([]);
});

test('a refresh marks the row of a ticket as deleted if the ticket was deleted in Freshdesk', async () => {
  deployment.simulator.account.delete('tickets', 9);
  const run = await deployment.waitForRun((await refreshRecord(9)).id);
  expect(run.status).toBe('succeeded');
  expect((await selectTicket(9))?.['kind']).toBe('not_found');
});

const sendWebhook = (body: object) =>
  deployment.api.post('/v1/pipelines/{id}/inbound/freshdesk', {
    params: { path: { id: pipelineId } },
    body: body as never,
  });

test('simultaneous Freshdesk webhooks refresh all tickets whose ids they contain', async () => {
  const { account } = deployment.simulator;
  const ids = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
  for (const id of ids) account.update('tickets', id, { subject: `changed ${id}` });
  const responses = await Promise.all(
    ids.map((id, i) =>
      sendWebhook(i % 2 ? { ticket_id: String(id) } : { freshdesk_webhook: { ticket_id: id, other: 1 } }),
    ),
  );
  const runs = new Set(responses.map(({ id }) => id));
  for (const id of runs) expect((await deployment.waitForRun(id)).status).toBe('succeeded');
  for (const id of ids) expect((await selectTicket(id))?.['subject'], String(id)).toBe(`changed ${id}`);
  for (const malformed of [{}, { ticket_id: 'INC' }, { ticket_id: '{{ticket.id}}' }, { ticket_id: 2 ** 53 }]) {
    await expect(sendWebhook(malformed)).rejects.toThrow('{{ticket.id}}');
  }
});

test('a refresh is rejected for an object without a record endpoint, an excluded object and an unknown object', async () => {
  await expect(refreshRecord(1, 'conversations')).rejects.toThrow('cannot return single records of conversations');
  await expect(refreshRecord(1, 'skills')).rejects.toThrow('Include the object first');
  await expect(refreshRecord(1, 'nothing')).rejects.toThrow('nothing');
});
