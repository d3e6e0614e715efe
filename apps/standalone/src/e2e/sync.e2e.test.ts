import type { Run } from '@freshet/client';
import { catalogue, getObject, listObjectsToExtract } from '@freshet/freshdesk-extractor';
import { waitFor } from '@freshet/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { findDifferences } from '../test-support/differences.ts';

const findObjectRun = (run: Run, object: string) => run.objects.find((o) => o.object === object);

describe('a sync', () => {
  const started = Deployment.start({ counts: { tickets: 600 } });
  let pipelineId: string;
  afterAll(async () => (await started)[Symbol.asyncDispose]());

  test('makes the warehouse equal to the account in all objects and fields on the first run (I3)', async () => {
    const deployment = await started;
    pipelineId = await deployment.createPipeline();
    const run = await deployment.sync(pipelineId);
    expect(run, deployment.logs.join('')).toMatchObject({ status: 'succeeded' });
    expect(run.objects).toHaveLength(listObjectsToExtract({}).length);
    expect(await deployment.findDifferences()).toEqual([]);
  });

  test('reports record counts that match the row counts of the tables (T14)', async () => {
    const deployment = await started;
    const [run] = await deployment.listRuns(pipelineId);
    for (const o of run?.objects ?? []) {
      const [row] = await deployment.warehouse.sql.unsafe(
        `select count(*)::int as n from ${deployment.schema}.${o.object}`,
      );
      expect(row?.['n'], o.object).toBe(o.records_extracted - o.records_unchanged - o.records_rejected);
      expect(o.records_loaded + o.records_unchanged + o.records_rejected, o.object).toBe(o.records_extracted);
    }
  });

  test('of an unchanged account fetches no conversations and costs few credits (T23)', async () => {
    const deployment = await started;
    const before = deployment.simulator.requestCount;
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('succeeded');
    expect(findObjectRun(run, 'conversations')).toMatchObject({
      records_extracted: 0,
      credits_used: 0,
      mode: 'incremental',
    });
    expect(findObjectRun(run, 'tickets')).toMatchObject({ records_extracted: 0 });
    // The run sends one request per list, some requests for definitions, and a few requests for the
    // rolling reread of old edits.
    expect(deployment.simulator.requestCount - before).toBeLessThan(45);
  });

  test('loads edits, new records, notes, trashed and restored tickets, and deletions', async () => {
    const deployment = await started;
    const { account } = deployment.simulator;
    for (let id = 10; id < 20; id++) account.update('tickets', id, { subject: `edited "${id}" \\ \t 🧾`, status: 5 });
    const created = account.create('tickets', { subject: 'new' });
    account.createChild('conversations', 15, { body: 'a new note' });
    account.createChild('conversations', created, { id: 1, body: 'on a new ticket' });
    const groups = [...account.listAllRecords('groups')].map(({ text }) => (JSON.parse(text) as { id: number }).id);
    account.delete('groups', groups[3] as number);
    const companies = [...account.listAllRecords('companies')].map(
      ({ text }) => (JSON.parse(text) as { id: number }).id,
    );
    account.update('companies', companies[2] as number, {
      custom_fields: { website: 'https://new.example', contract_no: 12, strategic: null, signed_on: '2026-02-03' },
    });
    const trashed = [...account.listAllRecords('tickets')].find(({ view }) => view.deleteKind === 'trash');
    account.move('tickets', (JSON.parse(trashed?.text as string) as { id: number }).id, 'live');
    account.move('tickets', 25, 'spam');
    // Delete a category together with its forums and topics.
    const [category] = [...account.listAllRecords('discussion_categories')].map(
      ({ text }) => (JSON.parse(text) as { id: number }).id,
    );
    account.delete('discussion_categories', category as number);
    const run = await deployment.sync(pipelineId);
    expect(run.status, JSON.stringify(run.objects)).toBe('succeeded');
    expect(findObjectRun(run, 'conversations')?.credits_used).toBe(12);
    const remaining = await deployment.findDifferences();
    // The rows of the conversations of a ticket in spam stay unchanged, although the simulated
    // account no longer lists these conversations.
    expect(
      remaining.filter(({ object, problem }) => !(object === 'conversations' && problem === 'no such record')),
    ).toEqual([]);
    const [row] = await deployment.warehouse.sql.unsafe(
      `select cf_website, cf_contract_no::int, cf_signed_on::text from ${deployment.schema}.companies where id = ${companies[2]}`,
    );
    expect(row).toEqual({ cf_website: 'https://new.example', cf_contract_no: 12, cf_signed_on: '2026-02-03' });
  });

  test('loads custom fields into columns with the types that the account defines', async () => {
    const deployment = await started;
    const types = await deployment.warehouse.sql`
      select column_name as name, data_type as type from information_schema.columns where table_schema = ${deployment.schema} and column_name like 'cf\\_%' order by 1`;
    expect(Object.fromEntries(types.map((r) => [r['name'], r['type']]))).toMatchObject({
      cf_amount: 'numeric',
      cf_boxes: 'bigint',
      cf_delivery_date: 'date',
      cf_paid: 'boolean',
      cf_reference_number: 'text',
      cf_contract_no: 'bigint',
      cf_vip: 'boolean',
    });
  });

  test('loads the objects that are excluded by default, once the pipeline explicitly includes these objects', async () => {
    const deployment = await started;
    const objects = Object.fromEntries(catalogue.map((o) => [o.name, { included: true }]));
    await deployment.updatePipeline(pipelineId, { objects });
    const run = await deployment.sync(pipelineId);
    expect(run.status, JSON.stringify(run.objects.filter((o) => o.error))).toBe('succeeded');
    const included = catalogue.filter((o) => !o.includedByDefault);
    expect(included.length).toBeGreaterThan(5);
    expect(await findDifferences(deployment.simulator, deployment.warehouse, deployment.schema, included)).toEqual([]);
  });

  test('rereads a restarted object while its table stays complete, and reads other objects incrementally (T21)', async () => {
    const deployment = await started;
    const { sql } = deployment.warehouse;
    await deployment.restartObject(pipelineId, 'contacts');
    const [before] = await sql.unsafe(`select count(*)::int as n from ${deployment.schema}.contacts`);
    const { id } = await deployment.startRun(pipelineId);
    const rowCounts = new Set<number>();
    const run = await waitFor(async () => {
      rowCounts.add(
        (await sql.unsafe(`select count(*)::int as n from ${deployment.schema}.contacts`))[0]?.['n'] as number,
      );
      const current = await deployment.getRun(id);
      return current.finished_at === null ? null : current;
    }, 'the run has finished');
    expect([...rowCounts]).toEqual([before?.['n']]);
    expect(findObjectRun(run, 'contacts')).toMatchObject({ status: 'succeeded', mode: 'full' });
    // A restart rewrites every row once.
    expect(findObjectRun(run, 'contacts')?.records_loaded).toBe(before?.['n']);
    expect(findObjectRun(run, 'tickets')).toMatchObject({ status: 'succeeded', mode: 'incremental' });
  });

  test('rereads the changes since the time to which a position was moved back, and all records of a restarted child object', async () => {
    const deployment = await started;
    const body = { changed_since: new Date(Date.now() - 10 * 86_400_000).toISOString() };
    const moveBack = (object: string) =>
      deployment.api.post('/v1/pipelines/{id}/objects/{object}/position', {
        params: { path: { id: pipelineId, object } },
        body,
      });
    await moveBack('tickets');
    await deployment.restartObject(pipelineId, 'conversations');
    await expect(moveBack('groups')).rejects.toThrow(/does not read changes since a given time/);
    const run = await deployment.sync(pipelineId);
    const [changed] = await deployment.warehouse.sql.unsafe(
      `select count(*)::int as n from ${deployment.schema}.tickets where updated_at >= '${body.changed_since}'`,
    );
    expect(findObjectRun(run, 'tickets')).toMatchObject({
      status: 'succeeded',
      mode: 'incremental',
      records_loaded: 0,
    });
    expect(findObjectRun(run, 'tickets')?.records_extracted).toBeGreaterThanOrEqual(changed?.['n'] as number);
    const [rows] = await deployment.warehouse.sql.unsafe(
      `select count(*)::int as n from ${deployment.schema}.conversations where _freshet_deleted_at is null`,
    );
    expect(findObjectRun(run, 'conversations')).toMatchObject({ status: 'succeeded', records_extracted: rows?.['n'] });
  });

  test('stores the coverage of each table in _freshet_objects', async () => {
    const deployment = await started;
    const rows = await deployment.warehouse.sql.unsafe(
      `select table_name, complete_as_of, complete_back_to, row_count from ${deployment.schema}._freshet_objects`,
    );
    expect(rows).toHaveLength(catalogue.length);
    for (const row of rows) {
      // The file of a day is complete on the day after the next.
      const lagMs = getObject(row['table_name'] as string).strategy.kind === 'daily-export' ? 2 * 86_400_000 : 300_000;
      expect(Date.now() - (row['complete_as_of'] as Date).getTime(), row['table_name']).toBeLessThan(lagMs);
    }
    const getCompleteBackTo = (table: string) =>
      rows.find((r) => r['table_name'] === table)?.['complete_back_to'] as Date;
    expect(Date.now() - getCompleteBackTo('tickets').getTime()).toBeGreaterThan(29 * 86_400_000);
    expect(getCompleteBackTo('agents').getTime()).toBe(0);
  });
});

describe('failure isolation (I7)', () => {
  test('a key without admin rights and a plan without a feature affect only the objects that require the rights or the feature, and the run succeeds', async () => {
    await using deployment = await Deployment.start({ counts: { tickets: 50 }, missingFeatures: ['Timesheets'] });
    const run = await deployment.sync(await deployment.createPipeline('demo-agent-key'));
    expect(run.status).toBe('succeeded');
    expect(findObjectRun(run, 'agents')).toMatchObject({ status: 'forbidden', error: { code: 'source_forbidden' } });
    expect(findObjectRun(run, 'time_entries')).toMatchObject({
      status: 'not_in_plan',
      error: { code: 'source_not_in_plan' },
    });
    for (const object of ['tickets', 'conversations', 'contacts', 'companies', 'discussion_comments', 'surveys'])
      expect(findObjectRun(run, object)?.status, object).toBe('succeeded');
  });

  test('a plan change during a run affects only one object and the rate limit, and the other objects succeed (T9, T10)', async () => {
    let hasChanged = false;
    await using deployment: Deployment = await Deployment.start({
      counts: { tickets: 150 },
      plan: 'demo',
      intercept: ({ path }) => {
        // Change the plan while conversations are being read, before the ratings are read.
        if (!hasChanged && path.endsWith('/conversations')) {
          hasChanged = true;
          deployment.simulator.missingFeatures.add('Surveys');
          deployment.simulator.limits.setPlan('purchased_2000');
        }
        return false;
      },
    });
    const pipelineId = await deployment.createPipeline();
    // If an object that is included by name becomes unavailable, the run becomes partial.
    await deployment.updateObject(pipelineId, 'satisfaction_ratings', { included: true });
    await deployment.sync(pipelineId);
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('partial');
    expect(findObjectRun(run, 'satisfaction_ratings')).toMatchObject({ status: 'not_in_plan' });
    for (const object of ['tickets', 'conversations', 'contacts'])
      expect(findObjectRun(run, object)?.status, object).toBe('succeeded');
    expect(deployment.simulator.limits.rejectedRequests).toBe(0);
  });

  test('a ticket whose conversations temporarily cannot be read is retried until the conversations are loaded (T25)', async () => {
    let failures = 0;
    await using deployment = await Deployment.start({
      counts: { tickets: 40 },
      intercept: ({ path }, response) => {
        // The failures exceed the retries of one slice.
        if (!path.includes('/tickets/7/') || failures++ >= 6) return false;
        response.writeHead(500).end();
        return true;
      },
    });
    const run = await deployment.sync(
      await deployment.createPipeline('demo-admin-key', 30, ['tickets', 'conversations']),
    );
    expect(failures).toBeGreaterThan(6);
    expect(run.status).toBe('succeeded');
    expect(await deployment.findDifferences()).toEqual([]);
  });

  test('an empty list of conversations is requested a second time, and no conversation is marked as deleted if the second response is not empty', async () => {
    const emptied = new Set<string>();
    let returnsEmptyLists = false;
    await using deployment = await Deployment.start({
      counts: { tickets: 40, conversations: 3 },
      intercept: ({ path }, response) => {
        if (!returnsEmptyLists || !path.endsWith('/conversations') || emptied.has(path)) return false;
        emptied.add(path);
        response
          .writeHead(200, { 'content-type': 'application/json', 'x-freshdesk-api-version': 'latest=v2; requested=v2' })
          .end('[]');
        return true;
      },
    });
    const { account } = deployment.simulator;
    const pipelineId = await deployment.createPipeline('demo-admin-key', 30, ['tickets', 'conversations']);
    await deployment.sync(pipelineId);
    const live = [...account.listAllRecords('tickets')]
      .filter(({ view }) => view.deleteKind === null)
      .map(({ text }) => (JSON.parse(text) as { id: number }).id);
    for (const id of live.slice(0, 20)) account.update('tickets', id, { subject: 'changed' });
    returnsEmptyLists = true;
    const run = await deployment.sync(pipelineId);
    expect(emptied.size).toBeGreaterThanOrEqual(20);
    expect(run.status).toBe('succeeded');
    expect(run.objects.find((o) => o.object === 'conversations')?.records_deleted).toBe(0);
    expect(await deployment.findDifferences()).toEqual([]);
  });
});

describe('the credit budget', () => {
  test('a run on a small plan succeeds without exceeding a rate limit (I5)', async () => {
    await using deployment = await Deployment.start({ counts: { tickets: 30 }, plan: 'growth' });
    const run = await deployment.sync(await deployment.createPipeline());
    expect(run.status, JSON.stringify(run.objects.map((o) => o.error))).toBe('succeeded');
    expect(deployment.simulator.limits.violations).toEqual([]);
    expect(await deployment.findDifferences()).toEqual([]);
  });
});
