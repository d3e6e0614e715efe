import { catalogue, objectsToRead } from '@freshet/freshdesk-extractor';
import { eventually } from '@freshet/testing';
import { afterAll, describe, expect, test } from 'vitest';
import type { RunAnswer } from '../api-client.ts';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

const of = (run: RunAnswer, object: string) => run.objects.find((o) => o.object === object);

describe('an account is synchronised', () => {
  const started = Deployment.start({ counts: { tickets: 600 } });
  let pipelineId: string;
  afterAll(async () => (await started)[Symbol.asyncDispose]());

  test('I3: after the first run the warehouse equals the account, object by object and field by field', async () => {
    const deployment = await started;
    pipelineId = await deployment.createPipeline();
    const run = await deployment.sync(pipelineId);
    expect(run, deployment.errors.join('')).toMatchObject({ status: 'succeeded' });
    expect(run.objects).toHaveLength(objectsToRead({}).length);
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  });

  test('T14: what the run says of each object is what stands in its table', async () => {
    const deployment = await started;
    const { data } = await deployment.api.call<{ data: RunAnswer[] }>('GET', `/v1/runs?pipeline_id=${pipelineId}`);
    for (const o of data[0]?.objects ?? []) {
      const [row] = await deployment.warehouse.sql.unsafe(
        `select count(*)::int as n from ${deployment.schema}.${o.object}`,
      );
      expect(row?.['n'], o.object).toBe(o.records_extracted - o.records_unchanged - o.records_rejected);
      expect(o.records_loaded + o.records_unchanged + o.records_rejected, o.object).toBe(o.records_extracted);
    }
  });

  test('T23: a second run of an account at rest reads no conversation again and costs few credits', async () => {
    const deployment = await started;
    const before = deployment.simulator.callCount;
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('succeeded');
    expect(of(run, 'conversations')).toMatchObject({ records_extracted: 0, credits_used: 0, mode: 'incremental' });
    expect(of(run, 'tickets')).toMatchObject({ records_extracted: 0 });
    // One for each list, some for their definitions, and a few for the rolling reading of old edits.
    expect(deployment.simulator.callCount - before).toBeLessThan(45);
  });

  test('what has changed since arrives with the next run: edits, new records, notes, trash, restores, deletions', async () => {
    const deployment = await started;
    const { account } = deployment.simulator;
    for (let id = 10; id < 20; id++) account.update('tickets', id, { subject: `edited "${id}" \\ \t 🧾`, status: 5 });
    const created = account.create('tickets', { subject: 'new' });
    account.addChild('conversations', 15, { body: 'a new note' });
    account.addChild('conversations', created, { id: 1, body: 'on a new ticket' });
    const groups = [...account.everything('groups')].map(({ text }) => (JSON.parse(text) as { id: number }).id);
    account.remove('groups', groups[3] as number);
    const companies = [...account.everything('companies')].map(({ text }) => (JSON.parse(text) as { id: number }).id);
    account.update('companies', companies[2] as number, {
      custom_fields: { website: 'https://new.example', contract_no: 12, strategic: null, signed_on: '2026-02-03' },
    });
    const trashed = [...account.everything('tickets')].find(({ view }) => view.deleted === 'trash');
    account.move('tickets', (JSON.parse(trashed?.text as string) as { id: number }).id, 'live');
    account.move('tickets', 25, 'spam');
    // With everything below it.
    const [category] = [...account.everything('discussion_categories')].map(
      ({ text }) => (JSON.parse(text) as { id: number }).id,
    );
    account.remove('discussion_categories', category as number);
    const run = await deployment.sync(pipelineId);
    expect(run.status, JSON.stringify(run.objects)).toBe('succeeded');
    expect(of(run, 'conversations')?.credits_used).toBe(12);
    const left = await differences(deployment.simulator, deployment.warehouse, deployment.schema);
    // Conversations of the ticket that is in spam now stay as they were read.
    expect(left.filter(({ object, what }) => !(object === 'conversations' && what === 'of no record'))).toEqual([]);
    const [row] = await deployment.warehouse.sql.unsafe(
      `select cf_website, cf_contract_no::int, cf_signed_on::text from ${deployment.schema}.companies where id = ${companies[2]}`,
    );
    expect(row).toEqual({ cf_website: 'https://new.example', cf_contract_no: 12, cf_signed_on: '2026-02-03' });
  });

  test('custom fields are columns typed by the account’s definitions', async () => {
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

  test('objects that are not read by default are read when they are chosen, each as the account holds it', async () => {
    const deployment = await started;
    const objects = Object.fromEntries(catalogue.map((o) => [o.name, { included: true }]));
    await deployment.api.call('PATCH', `/v1/pipelines/${pipelineId}`, { objects });
    const run = await deployment.sync(pipelineId);
    expect(run.status, JSON.stringify(run.objects.filter((o) => o.error))).toBe('succeeded');
    const chosen = catalogue.filter((o) => !o.includedByDefault);
    expect(chosen.length).toBeGreaterThan(5);
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema, chosen)).toEqual([]);
  });

  test('T21: one object is read again while its table stays full and the others go on as they were', async () => {
    const deployment = await started;
    const { sql } = deployment.warehouse;
    await deployment.api.call('POST', `/v1/pipelines/${pipelineId}/objects/contacts/restart`);
    const [before] = await sql.unsafe(`select count(*)::int as n from ${deployment.schema}.contacts`);
    const { id } = await deployment.startRun(pipelineId);
    const seen = new Set<number>();
    const run = await eventually(async () => {
      seen.add((await sql.unsafe(`select count(*)::int as n from ${deployment.schema}.contacts`))[0]?.['n'] as number);
      const now = await deployment.run(id);
      return now.finished_at === null ? null : now;
    }, 'the run is over');
    expect([...seen]).toEqual([before?.['n']]);
    expect(of(run, 'contacts')).toMatchObject({ status: 'succeeded', mode: 'full' });
    // A restart writes every row again, once.
    expect(of(run, 'contacts')?.records_loaded).toBe(before?.['n']);
    expect(of(run, 'tickets')).toMatchObject({ status: 'succeeded', mode: 'incremental' });
  });

  test('a position that is moved back brings again what has changed since; children that are restarted are all read again', async () => {
    const deployment = await started;
    const back = { changed_since: new Date(Date.now() - 10 * 86_400_000).toISOString() };
    await deployment.api.call('POST', `/v1/pipelines/${pipelineId}/objects/tickets/position`, back);
    await deployment.api.call('POST', `/v1/pipelines/${pipelineId}/objects/conversations/restart`);
    await expect(
      deployment.api.call('POST', `/v1/pipelines/${pipelineId}/objects/groups/position`, back),
    ).rejects.toThrow(/not read by time/);
    const run = await deployment.sync(pipelineId);
    const [changed] = await deployment.warehouse.sql.unsafe(
      `select count(*)::int as n from ${deployment.schema}.tickets where updated_at >= '${back.changed_since}'`,
    );
    expect(of(run, 'tickets')).toMatchObject({ status: 'succeeded', mode: 'incremental', records_loaded: 0 });
    expect(of(run, 'tickets')?.records_extracted).toBeGreaterThanOrEqual(changed?.['n'] as number);
    const [rows] = await deployment.warehouse.sql.unsafe(
      `select count(*)::int as n from ${deployment.schema}.conversations where _freshet_deleted_at is null`,
    );
    expect(of(run, 'conversations')).toMatchObject({ status: 'succeeded', records_extracted: rows?.['n'] });
  });

  test('the warehouse says how fresh and how deep each table is', async () => {
    const deployment = await started;
    const rows = await deployment.warehouse.sql.unsafe(
      `select table_name, complete_as_of, complete_back_to, row_count from ${deployment.schema}._freshet_objects`,
    );
    expect(rows).toHaveLength(catalogue.length);
    for (const row of rows)
      expect(Date.now() - (row['complete_as_of'] as Date).getTime(), row['table_name']).toBeLessThan(300_000);
    const backTo = (table: string) => rows.find((r) => r['table_name'] === table)?.['complete_back_to'] as Date;
    expect(Date.now() - backTo('tickets').getTime()).toBeGreaterThan(29 * 86_400_000);
    expect(backTo('agents').getTime()).toBe(0);
  });
});

describe('I7: one object’s trouble is its own', () => {
  test('a key without admin rights and a plan without a feature affect only their objects: the run succeeds with warnings (I7)', async () => {
    await using deployment = await Deployment.start({ counts: { tickets: 50 }, withoutFeatures: ['Timesheets'] });
    const run = await deployment.sync(await deployment.createPipeline('demo-agent-key'));
    expect(run.status).toBe('succeeded');
    expect(of(run, 'agents')).toMatchObject({ status: 'forbidden', error: { code: 'source_forbidden' } });
    expect(of(run, 'time_entries')).toMatchObject({ status: 'not_in_plan', error: { code: 'source_not_in_plan' } });
    for (const object of ['tickets', 'conversations', 'contacts', 'companies', 'discussion_comments', 'surveys'])
      expect(of(run, object)?.status, object).toBe('succeeded');
  });

  test('T9, T10: a plan that changes in the middle of a run takes one object, and another limit, and the rest lands', async () => {
    let changed = false;
    await using deployment: Deployment = await Deployment.start({
      counts: { tickets: 150 },
      plan: 'demo',
      intercept: ({ path }) => {
        // In the middle of the conversations, before anything is read of the ratings.
        if (!changed && path.endsWith('/conversations')) {
          changed = true;
          deployment.simulator.withoutFeatures.add('Surveys');
          deployment.simulator.limits.setPlan('purchased_2000');
        }
        return false;
      },
    });
    const pipelineId = await deployment.createPipeline();
    // Included by name: whether anything was read of the object before, its loss makes the run partial.
    await deployment.api.call('PATCH', `/v1/pipelines/${pipelineId}/objects/satisfaction_ratings`, { included: true });
    await deployment.sync(pipelineId);
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('partial');
    expect(of(run, 'satisfaction_ratings')).toMatchObject({ status: 'not_in_plan' });
    for (const object of ['tickets', 'conversations', 'contacts'])
      expect(of(run, object)?.status, object).toBe('succeeded');
    expect(deployment.simulator.limits.refused).toBe(0);
  });

  test('T25: a ticket whose conversations fail for a while is tried again, and not forgotten', async () => {
    let failures = 0;
    await using deployment = await Deployment.start({
      counts: { tickets: 40 },
      intercept: ({ path }, response) => {
        // More often than one slice tries.
        if (!path.includes('/tickets/7/') || failures++ >= 6) return false;
        response.writeHead(500).end();
        return true;
      },
    });
    const run = await deployment.sync(await deployment.createPipeline());
    expect(failures).toBeGreaterThan(6);
    expect(run.status).toBe('succeeded');
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  });

  test('lists of conversations that are answered empty by mistake, each once, cost a second call and no row', async () => {
    const answered = new Set<string>();
    let mistaken = false;
    await using deployment = await Deployment.start({
      counts: { tickets: 40, conversations: 3 },
      intercept: ({ path }, response) => {
        if (!mistaken || !path.endsWith('/conversations') || answered.has(path)) return false;
        answered.add(path);
        response
          .writeHead(200, { 'content-type': 'application/json', 'x-freshdesk-api-version': 'latest=v2; requested=v2' })
          .end('[]');
        return true;
      },
    });
    const { account } = deployment.simulator;
    const pipelineId = await deployment.createPipeline();
    await deployment.sync(pipelineId);
    const live = [...account.everything('tickets')]
      .filter(({ view }) => view.deleted === null)
      .map(({ text }) => (JSON.parse(text) as { id: number }).id);
    for (const id of live.slice(0, 20)) account.update('tickets', id, { subject: 'changed' });
    mistaken = true;
    const run = await deployment.sync(pipelineId);
    expect(answered.size).toBeGreaterThanOrEqual(20);
    expect(run.status).toBe('succeeded');
    expect(run.objects.find((o) => o.object === 'conversations')?.records_deleted).toBe(0);
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  });
});

describe('I5: within budget', () => {
  test('under a small plan no call is made beyond the limit, and the run finishes', async () => {
    await using deployment = await Deployment.start({ counts: { tickets: 30 }, plan: 'growth' });
    const run = await deployment.sync(await deployment.createPipeline());
    expect(run.status, JSON.stringify(run.objects.map((o) => o.error))).toBe('succeeded');
    expect(deployment.simulator.limits.violations).toEqual([]);
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  });
});
