import type { Run } from '@freshet/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** The objects that an audit checks, their parents, and the agents that contacts become. */
const OBJECTS = [
  'agents',
  'companies',
  'contacts',
  'conversations',
  'discussion_categories',
  'discussion_comments',
  'discussion_forums',
  'discussion_topics',
  'satisfaction_ratings',
  'tickets',
  'time_entries',
];
let deployment: Deployment;
let pipelineId: string;
/** A path for which the account responds with status 403. */
let forbiddenPath = '';

beforeAll(async () => {
  deployment = await Deployment.start({
    counts: { tickets: 400, contacts: 60, companies: 12 },
    intercept: ({ path }, response) => {
      if (path !== forbiddenPath) return false;
      response.writeHead(403, {
        'content-type': 'application/json',
        'x-freshdesk-api-version': 'latest=v2; requested=v2',
      });
      response.end('{"code":"access_denied","message":"You are not authorized to perform this action."}');
      return true;
    },
  });
  const { account } = deployment.simulator;
  // These tickets are deleted or archived before the first sync, so that their ids are gaps in the
  // sequence of ticket ids.
  account.delete('tickets', 11);
  account.delete('tickets', 12);
  account.archive('tickets', 13);
  pipelineId = await deployment.createPipeline('demo-admin-key', null, OBJECTS);
  await deployment.sync(pipelineId);
});
afterAll(() => deployment[Symbol.asyncDispose]());

const getFindings = (run: Run, object: string) => run.objects.find((o) => o.object === object)?.findings;
const selectRows = (table: string, where: string) =>
  deployment.warehouse.sql.unsafe(
    `select id, _freshet_delete_kind as kind from ${deployment.schema}.${table} where ${where} order by id`,
  );

test('an audit finds, repairs, explains and reports changes that a sync cannot find (I3)', async () => {
  const { account } = deployment.simulator;
  const { warehouse, schema } = deployment;
  const list = (name: string) =>
    [...account.listAllRecords(name)]
      .filter(({ view }) => view.deleteKind === null)
      .map(({ text }) => JSON.parse(text));
  const tickets = list('tickets').filter((t) => t.id > 20);
  const contacts = list('contacts');
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
    { subject: 'changed without a later updated_at' },
    Date.parse(edited.updated_at) / 1000,
  );
  account.archive('tickets', archived.id);
  account.delete('tickets', purged.id);
  // Simulates a ticket that a sync has missed.
  await warehouse.sql.unsafe(`delete from ${schema}.tickets where id = ${lost.id}`);
  account.updateChild('conversations', conversation?.['id'] as number, { body: 'a note that was edited later' });
  account.delete('contacts', contacts[0].id);
  account.convert('contacts', contacts[1].id, 'agents');
  account.delete('companies', list('companies')[0].id);

  const sync = await deployment.sync(pipelineId);
  expect(sync.status).toBe('succeeded');
  const before = await deployment.findDifferences();
  expect(new Set(before.map((d) => d.object))).toEqual(new Set(['tickets', 'conversations', 'contacts', 'companies']));

  const audit = await deployment.audit(pipelineId);
  expect(audit).toMatchObject({ kind: 'audit', status: 'succeeded' });
  expect(await deployment.findDifferences()).toEqual([]);
  expect(getFindings(audit, 'tickets')).toEqual({
    missing: 2,
    stale: 2,
    repaired: 5,
    explained: { archived: 2, not_found: 3 },
  });
  expect(getFindings(audit, 'conversations')).toMatchObject({ missing: 0, stale: 1 });
  expect(getFindings(audit, 'contacts')).toMatchObject({ repaired: 2, explained: { not_found: 1, became_agent: 1 } });
  expect(getFindings(audit, 'companies')).toMatchObject({ repaired: 1, explained: { not_found: 1 } });
  expect(await selectRows('tickets', `archived`)).toMatchObject([
    { id: '13', kind: null },
    { id: String(archived.id), kind: null },
  ]);
  expect(await selectRows('tickets', `_freshet_delete_kind = 'not_found'`)).toMatchObject([{ id: String(purged.id) }]);
  expect(await selectRows('contacts', `_freshet_delete_kind = 'became_agent'`)).toMatchObject([
    { id: String(contacts[1].id) },
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

test('a second audit, which runs at the same time as a sync, finds nothing and does not request the records that the first audit has explained', async () => {
  deployment.simulator.requestsByPath.clear();
  const audit = await deployment.startAudit(pipelineId);
  const sync = await deployment.sync(pipelineId);
  expect(sync.status).toBe('succeeded');
  const run = await deployment.waitForRun(audit.id);
  expect(run.status).toBe('succeeded');
  expect(getFindings(run, 'tickets')).toEqual({ missing: 0, stale: 0, repaired: 0, explained: {} });
  expect(deployment.simulator.requestsByPath.get('/api/v2/tickets/{id}') ?? 0).toBe(0);
  expect(await deployment.findDifferences()).toEqual([]);
});

test('after two tickets are merged, a sync moves their conversations; after two contacts are merged, an audit finds the deleted contact and the tickets whose requester changed (T24)', async () => {
  const { account } = deployment.simulator;
  const live = [...account.listAllRecords('tickets')]
    .filter(({ view }) => view.deleteKind === null)
    .map(({ text }) => JSON.parse(text));
  const [primary, secondary] = live.filter((t) => t.id > 200 && !t.archived);
  account.mergeAndClose('tickets', primary.id, [secondary.id]);
  expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
  expect(await deployment.findDifferences()).toEqual([]);
  const [requester, other] = [...new Set(live.filter((t) => !t.archived).map((t) => t.requester_id as number))];
  account.mergeAndDelete('contacts', requester as number, [other as number]);
  await deployment.sync(pipelineId);
  const audit = await deployment.audit(pipelineId);
  expect(getFindings(audit, 'tickets')?.stale).toBeGreaterThan(0);
  expect(getFindings(audit, 'contacts')).toMatchObject({ explained: { not_found: 1 } });
  expect(await deployment.findDifferences()).toEqual([]);
});

test('an audit continues from its position after its workers are killed (I8)', async () => {
  const { account } = deployment.simulator;
  for (let id = 100; id < 160; id++) account.archive('tickets', id);
  const audit = await deployment.startAudit(pipelineId);
  for (const name of ['extract-worker', 'load-worker'] as const) {
    await deployment.kill(name);
    await deployment.launch(name);
  }
  const run = await deployment.waitForRun(audit.id);
  expect(run.status).toBe('succeeded');
  expect(getFindings(run, 'tickets')?.explained['archived']).toBeGreaterThan(50);
  expect(await deployment.findDifferences()).toEqual([]);
});

test('a restart of the object tickets keeps archived tickets and their conversations', async () => {
  await deployment.restartObject(pipelineId, 'tickets');
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
  expect(await deployment.findDifferences()).toEqual([]);
});

test('an audit on a plan without archived tickets does not mark a ticket as deleted if the API key cannot access the ticket', async () => {
  const { account, missingFeatures } = deployment.simulator;
  missingFeatures.add('Archive Tickets');
  const [hidden, purged] = [...account.listAllRecords('tickets')]
    .filter(({ view }) => view.deleteKind === null)
    .map(({ text }) => JSON.parse(text))
    .filter((t) => t.id > 200);
  account.delete('tickets', hidden.id);
  account.delete('tickets', purged.id);
  forbiddenPath = `/api/v2/tickets/${hidden.id}`;
  const run = await deployment.audit(pipelineId);
  expect(getFindings(run, 'tickets')?.explained).toEqual({ not_found: 1, forbidden: 1 });
  expect(await selectRows('tickets', `id in (${hidden.id}, ${purged.id})`)).toMatchObject(
    [
      { id: String(hidden.id), kind: null },
      { id: String(purged.id), kind: 'not_found' },
    ].sort((a, b) => Number(a.id) - Number(b.id)),
  );
});
