import { zstdDecompressSync } from 'node:zlib';
import { catalogue, listErasedObjects, listOwnerFields } from '@freshet/freshdesk-extractor';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

let deployment: Deployment;
let pipelineId: string;
/** A contact who has requested tickets, and the first of these tickets. */
let contactId = 0;
let ticketId = 0;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 80, contacts: 6 } });
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
  const { simulator } = deployment;
  await deployment.updatePipeline(pipelineId, { schema_policy: 'freeze' });
  await deployment.updateObject(pipelineId, 'tickets', { history: true });
  await deployment.sync(pipelineId);
  // Select a contact who is not an agent, and let this contact write a note on the ticket of a
  // different contact.
  const agents = new Set(
    (await deployment.warehouse.sql.unsafe(`select id::text from ${deployment.schema}.agents`)).map(
      (r) => r['id'] as string,
    ),
  );
  const [requester] = await deployment.warehouse.sql.unsafe(
    `select requester_id::text as id, min(id)::int as ticket from ${deployment.schema}.tickets where _freshet_deleted_at is null
     group by 1 having count(*) > 3 and not requester_id::text = any($1) order by count(*) desc limit 1`,
    [[...agents]],
  );
  contactId = Number(requester?.['id']);
  ticketId = Number(requester?.['ticket']);
  const [other] = await deployment.warehouse.sql.unsafe(
    `select id::int from ${deployment.schema}.tickets where requester_id <> ${contactId} and _freshet_deleted_at is null order by id limit 1`,
  );
  simulator.account.createChild('conversations', other?.['id'] as number, {
    user_id: contactId,
    body: 'a note on the ticket of another contact',
    incoming: true,
  });
  simulator.account.update('tickets', other?.['id'] as number, { subject: 'moved' });
  simulator.account.update('tickets', ticketId, { subject: 'A second version' });
  await deployment.sync(pipelineId);
  // The frozen schema rejects this version of the ticket.
  simulator.account.update('tickets', ticketId, { priority: 'urgent' });
  await deployment.sync(pipelineId);
});
afterAll(() => deployment[Symbol.asyncDispose]());

/** Finds all rows, versions and stored records that the contact owns. */
async function findTraces(): Promise<string[]> {
  const traces: string[] = [];
  const keys = new Map<string, Set<string>>([['contacts', new Set([String(contactId)])]]);
  const sql = deployment.control.sql;
  for (const object of listErasedObjects()) {
    const isOwned = (record: Record<string, unknown>) =>
      listOwnerFields(object).some((o) => keys.get(o.object)?.has(String(record[o.field])));
    const ownedKeys = new Set(keys.get(object.name) ?? []);
    for (const table of [object.name, `${object.name}_history`]) {
      const [row] = await deployment.warehouse.sql.unsafe(
        `select to_regclass('${deployment.schema}.${table}') is not null as exists`,
      );
      if (!row?.['exists']) continue;
      for (const row of await deployment.warehouse.sql.unsafe(`select * from ${deployment.schema}.${table}`)) {
        if (!isOwned(row)) continue;
        ownedKeys.add(String(row['id']));
        traces.push(`${table} ${row['id']}`);
      }
    }
    for (const { body } of await sql<
      { body: Buffer }[]
    >`select body from freshet.batches where object = ${object.name}`) {
      for (const line of zstdDecompressSync(body).toString().split('\n').filter(Boolean)) {
        const { record } = JSON.parse(line) as { record?: Record<string, unknown> };
        if (record === undefined || !isOwned(record)) continue;
        ownedKeys.add(String(record['id']));
        traces.push(`batch of ${object.name} ${String(record['id'])}`);
      }
    }
    keys.set(object.name, ownedKeys);
  }
  return traces;
}

const erase = async (contactId: number) => {
  const { id } = await deployment.api.post('/v1/pipelines/{id}/erasures', {
    params: { path: { id: pipelineId } },
    body: { contact_id: String(contactId) },
  });
  const params = { path: { id: pipelineId, erasure_id: id } };
  return waitFor(async () => {
    const erasure = await deployment.api.get('/v1/pipelines/{id}/erasures/{erasure_id}', { params });
    return erasure.status === 'queued' || erasure.status === 'running' ? null : erasure;
  }, 'the erasure has finished');
};

test('an erasure deletes a contact from tables, histories, stored batches and rejected records, and returns a proof', async () => {
  const before = await findTraces();
  for (const prefix of [
    'contacts ',
    'tickets ',
    'tickets_history ',
    'conversations ',
    'batch of tickets ',
    'batch of contacts ',
  ]) {
    expect(
      before.some((trace) => trace.startsWith(prefix)),
      prefix,
    ).toBe(true);
  }
  const [rejected] = await deployment.control
    .sql`select count(*)::int as n from freshet.rejected_records where object = 'tickets'`;
  expect(rejected?.['n']).toBeGreaterThan(0);
  const otherTickets = (
    await deployment.warehouse.sql.unsafe(
      `select count(*)::int as n from ${deployment.schema}.tickets where requester_id <> ${contactId}`,
    )
  )[0]?.['n'];

  const erasure = await erase(contactId);
  expect(erasure).toMatchObject({
    status: 'completed',
    unsearchable: [],
    error: null,
    proof: { rows: 0, versions: 0, staged_records: 0, rejected_records: 0 },
  });
  const findRemoved = (object: string) => erasure.removed.find((r) => r.object === object);
  expect(findRemoved('contacts')).toMatchObject({ rows: 1 });
  expect(findRemoved('tickets')?.versions).toBeGreaterThan(findRemoved('tickets')?.rows as number);
  expect(findRemoved('tickets')?.rejected_records).toBe(rejected?.['n']);
  expect(findRemoved('conversations')?.rows).toBeGreaterThan(0);
  expect(await findTraces()).toEqual([]);
  // The records of other contacts remain.
  expect(
    (
      await deployment.warehouse.sql.unsafe(
        `select count(*)::int as n from ${deployment.schema}.tickets where requester_id <> ${contactId}`,
      )
    )[0]?.['n'],
  ).toBe(otherTickets);
});

test('no later sync, restart, audit or rebuild restores an erased contact', async () => {
  const { account } = deployment.simulator;
  account.update('tickets', ticketId, { subject: 'changed again', priority: 1 });
  account.update('contacts', contactId, { name: 'Changed again' });
  // A new ticket of the contact, with a conversation.
  const newTicket = account.create('tickets', { requester_id: contactId, subject: 'A new one' });
  account.createChild('conversations', newTicket, { body: 'a conversation of the new ticket' });
  for (const object of ['tickets', 'contacts', 'conversations', 'time_entries']) {
    await deployment.restartObject(pipelineId, object);
  }
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
  expect(await findTraces()).toEqual([]);
  expect((await deployment.audit(pipelineId)).status).toBe('succeeded');
  const { run_id } = await deployment.api.post('/v1/pipelines/{id}/objects/{object}/rebuild', {
    params: { path: { id: pipelineId, object: 'tickets' } },
  });
  expect((await deployment.waitForRun(run_id)).status).toBe('succeeded');
  expect(await findTraces()).toEqual([]);
  // The records of other contacts are complete.
  const erasedTickets = [...account.listAllRecords('tickets')].filter(
    ({ text }) => (JSON.parse(text) as { requester_id: number }).requester_id === contactId,
  ).length;
  const allTickets = [...account.listAllRecords('tickets')].length;
  const [rows] = await deployment.warehouse.sql.unsafe(
    `select count(*)::int as n from ${deployment.schema}.tickets where _freshet_delete_kind is distinct from 'missing'`,
  );
  expect(rows?.['n']).toBe(allTickets - erasedTickets);
});

test('an erasure during a run deletes even the records in flight', async () => {
  const { warehouse, schema } = deployment;
  const [other] = await warehouse.sql.unsafe(
    `select requester_id::text as id from ${schema}.tickets where not requester_id in (select id from ${schema}.agents) group by 1 order by count(*) desc limit 1`,
  );
  contactId = Number(other?.['id']);
  for (const { name } of catalogue.filter((o) => o.strategy.kind !== 'children'))
    await deployment.restartObject(pipelineId, name).catch(() => {});
  const { id } = await deployment.startRun(pipelineId);
  const erasure = await erase(contactId);
  expect(erasure.status).toBe('completed');
  expect((await deployment.waitForRun(id)).status).toBe('succeeded');
  expect(await findTraces()).toEqual([]);
});

test('an erasure fails for an agent, and a changed contact is loaded again after its erasure is lifted', async () => {
  const { api, warehouse, schema, simulator } = deployment;
  const [agent] = await warehouse.sql.unsafe(`select id::text from ${schema}.agents limit 1`);
  expect(await erase(Number(agent?.['id']))).toMatchObject({
    status: 'failed',
    proof: null,
    error: { code: 'conflict' },
  });

  const { data } = await api.get('/v1/pipelines/{id}/erasures', { params: { path: { id: pipelineId } } });
  const erasure = data.find(({ contact_id }) => contact_id === String(contactId));
  const params = { path: { id: pipelineId, erasure_id: erasure?.id as string } };
  expect((await api.post('/v1/pipelines/{id}/erasures/{erasure_id}/lift', { params })).status).toBe('lifted');
  simulator.account.update('contacts', contactId, { name: 'Restored' });
  await deployment.sync(pipelineId);
  expect(await warehouse.sql.unsafe(`select name from ${schema}.contacts where id = ${contactId}`)).toMatchObject([
    { name: 'Restored' },
  ]);
});
