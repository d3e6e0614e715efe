import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunAnswer } from '../api-client.ts';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

/** What no changed-since filter shows, and what an audit makes of it. */
let deployment: Deployment;
let pipelineId: string;
/** A path that the key may not see. */
let forbidden = '';

beforeAll(async () => {
  deployment = await Deployment.start({
    counts: { tickets: 400, contacts: 60, companies: 12 },
    intercept: ({ path }, response) => {
      if (path !== forbidden) return false;
      response.writeHead(403, {
        'content-type': 'application/json',
        'x-freshdesk-api-version': 'latest=v2; requested=v2',
      });
      response.end('{"code":"access_denied","message":"You are not authorized to perform this action."}');
      return true;
    },
  });
  const { account } = deployment.simulator;
  // Before anything was read: numbers without a ticket, one of them in the archive.
  account.remove('tickets', 11);
  account.remove('tickets', 12);
  account.archive('tickets', 13);
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
  await deployment.sync(pipelineId);
});
afterAll(() => deployment[Symbol.asyncDispose]());

const findingsOf = (run: RunAnswer, object: string) => run.objects.find((o) => o.object === object)?.findings;
const rowsOf = (table: string, where: string) =>
  deployment.warehouse.sql.unsafe(
    `select id, _freshet_delete_kind as kind from ${deployment.schema}.${table} where ${where} order by id`,
  );

test('I3: everything that happened without a trace is found, repaired, explained and reported', async () => {
  const { account } = deployment.simulator;
  const { warehouse, schema } = deployment;
  const list = (name: string) =>
    [...account.everything(name)].filter(({ view }) => view.deleted === null).map(({ text }) => JSON.parse(text));
  const tickets = list('tickets').filter((t) => t.id > 20);
  const people = list('contacts');
  const [conversation] = await warehouse.sql.unsafe(
    `select id::float8 as id from ${schema}.conversations where _freshet_deleted_at is null limit 1`,
  );

  const [edited, archived, purged, lost] = tickets as [
    { id: number; updated_at: string },
    { id: number },
    { id: number },
    { id: number },
  ];
  account.update(
    'tickets',
    edited.id,
    { subject: 'changed without a newer version' },
    Date.parse(edited.updated_at) / 1000,
  );
  account.archive('tickets', archived.id);
  account.remove('tickets', purged.id);
  // As if a sync had missed it.
  await warehouse.sql.unsafe(`delete from ${schema}.tickets where id = ${lost.id}`);
  account.editChild('conversations', conversation?.['id'] as number, { body: 'a note that was edited later' });
  account.remove('contacts', people[0].id);
  account.convert('contacts', people[1].id, 'agents');
  account.remove('companies', list('companies')[0].id);

  const unseen = await deployment.sync(pipelineId);
  expect(unseen.status).toBe('succeeded');
  const before = await differences(deployment.simulator, warehouse, schema);
  expect(new Set(before.map((d) => d.object))).toEqual(new Set(['tickets', 'conversations', 'contacts', 'companies']));

  const audit = await deployment.audit(pipelineId);
  expect(audit).toMatchObject({ kind: 'audit', status: 'succeeded' });
  expect(await differences(deployment.simulator, warehouse, schema)).toEqual([]);
  expect(findingsOf(audit, 'tickets')).toEqual({
    missing: 2,
    stale: 2,
    repaired: 5,
    explained: { archived: 2, not_found: 3 },
  });
  expect(findingsOf(audit, 'conversations')).toMatchObject({ missing: 0, stale: 1 });
  expect(findingsOf(audit, 'contacts')).toMatchObject({ repaired: 2, explained: { not_found: 1, became_agent: 1 } });
  expect(findingsOf(audit, 'companies')).toMatchObject({ repaired: 1, explained: { not_found: 1 } });
  expect(await rowsOf('tickets', `archived`)).toMatchObject([
    { id: '13', kind: null },
    { id: String(archived.id), kind: null },
  ]);
  expect(await rowsOf('tickets', `_freshet_delete_kind = 'not_found'`)).toMatchObject([{ id: String(purged.id) }]);
  expect(await rowsOf('contacts', `_freshet_delete_kind = 'became_agent'`)).toMatchObject([
    { id: String(people[1].id) },
  ]);
  const audited = await warehouse.sql.unsafe(
    `select table_name from ${schema}._freshet_objects where last_audit_at is not null order by 1`,
  );
  expect(audited.map((r) => r['table_name'])).toEqual([
    'companies',
    'contacts',
    'conversations',
    'discussion_comments',
    'satisfaction_ratings',
    'tickets',
    'time_entries',
  ]);
});

test('the next audit finds nothing, asks for nothing that is explained for good, and syncs go on beside it', async () => {
  deployment.simulator.calls.clear();
  const audit = await deployment.startAudit(pipelineId);
  const sync = await deployment.sync(pipelineId);
  expect(sync.status).toBe('succeeded');
  const run = await deployment.finished(audit.id);
  expect(run.status).toBe('succeeded');
  expect(findingsOf(run, 'tickets')).toEqual({ missing: 0, stale: 0, repaired: 0, explained: {} });
  expect(deployment.simulator.calls.get('/api/v2/tickets/{id}') ?? 0).toBe(0);
  expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
});

test('T24: merged tickets stay, closed, with their conversations elsewhere at once; merged contacts are found by the audit, with all that referred to them', async () => {
  const { account } = deployment.simulator;
  const { warehouse, schema } = deployment;
  const live = [...account.everything('tickets')]
    .filter(({ view }) => view.deleted === null)
    .map(({ text }) => JSON.parse(text));
  const [primary, secondary] = live.filter((t) => t.id > 200 && !t.archived);
  account.mergeInto('tickets', primary.id, [secondary.id]);
  expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
  expect(await differences(deployment.simulator, warehouse, schema)).toEqual([]);
  const [requester, other] = [...new Set(live.filter((t) => !t.archived).map((t) => t.requester_id as number))];
  account.absorb('contacts', requester as number, [other as number]);
  await deployment.sync(pipelineId);
  const audit = await deployment.audit(pipelineId);
  expect(findingsOf(audit, 'tickets')?.stale).toBeGreaterThan(0);
  expect(findingsOf(audit, 'contacts')).toMatchObject({ explained: { not_found: 1 } });
  expect(await differences(deployment.simulator, warehouse, schema)).toEqual([]);
});

test('I8: an audit whose workers are killed goes on where it stood', async () => {
  const { account } = deployment.simulator;
  for (let id = 100; id < 160; id++) account.archive('tickets', id);
  const audit = await deployment.startAudit(pipelineId);
  for (const name of ['extract-worker', 'load-worker'] as const) {
    await deployment.kill(name);
    await deployment.launch(name);
  }
  const run = await deployment.finished(audit.id);
  expect(run.status).toBe('succeeded');
  expect(findingsOf(run, 'tickets')?.explained['archived']).toBeGreaterThan(50);
  expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
});

test('an archived ticket is not deleted, nor are its conversations, when they are read again', async () => {
  await deployment.api.call('POST', `/v1/pipelines/${pipelineId}/objects/tickets/restart`);
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
  expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
});

test('of what the key may not see nothing is concluded; a plan without an archive has nothing in it', async () => {
  const { account, withoutFeatures } = deployment.simulator;
  withoutFeatures.add('Archive Tickets');
  const [hidden, purged] = [...account.everything('tickets')]
    .filter(({ view }) => view.deleted === null)
    .map(({ text }) => JSON.parse(text))
    .filter((t) => t.id > 200);
  account.remove('tickets', hidden.id);
  account.remove('tickets', purged.id);
  forbidden = `/api/v2/tickets/${hidden.id}`;
  const run = await deployment.audit(pipelineId);
  expect(findingsOf(run, 'tickets')?.explained).toEqual({ not_found: 1, forbidden: 1 });
  expect(await rowsOf('tickets', `id in (${hidden.id}, ${purged.id})`)).toMatchObject(
    [
      { id: String(hidden.id), kind: null },
      { id: String(purged.id), kind: 'not_found' },
    ].sort((a, b) => Number(a.id) - Number(b.id)),
  );
});
