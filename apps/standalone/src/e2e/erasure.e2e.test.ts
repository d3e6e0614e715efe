import { zstdDecompressSync } from 'node:zlib';
import { catalogue, erasedObjects, ownerFields } from '@freshet/freshdesk-extractor';
import { eventually } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

interface Erasure {
  readonly id: string;
  readonly status: string;
  readonly removed: readonly {
    readonly object: string;
    readonly rows: number;
    readonly versions: number;
    readonly staged_records: number;
    readonly rejected_records: number;
  }[];
  readonly unsearchable: readonly string[];
  readonly proof: Record<string, unknown> | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

let deployment: Deployment;
let pipelineId: string;
/** A contact who has asked for tickets, and the first of those. */
let person = 0;
let ticket = 0;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 80, contacts: 6 } });
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
  const { api, simulator } = deployment;
  await api.call('PATCH', `/v1/pipelines/${pipelineId}`, { schema_policy: 'freeze' });
  await api.call('PATCH', `/v1/pipelines/${pipelineId}/objects/tickets`, { history: true });
  await deployment.sync(pipelineId);
  // Who is no agent, and has written to another's ticket as well.
  const agents = new Set(
    (await deployment.warehouse.sql.unsafe(`select id::text from ${deployment.schema}.agents`)).map(
      (r) => r['id'] as string,
    ),
  );
  const [most] = await deployment.warehouse.sql.unsafe(
    `select requester_id::text as id, min(id)::int as ticket from ${deployment.schema}.tickets where _freshet_deleted_at is null
     group by 1 having count(*) > 3 and not requester_id::text = any($1) order by count(*) desc limit 1`,
    [[...agents]],
  );
  person = Number(most?.['id']);
  ticket = Number(most?.['ticket']);
  const [other] = await deployment.warehouse.sql.unsafe(
    `select id::int from ${deployment.schema}.tickets where requester_id <> ${person} and _freshet_deleted_at is null order by id limit 1`,
  );
  simulator.account.addChild('conversations', other?.['id'] as number, {
    user_id: person,
    body: 'A word of theirs elsewhere',
    incoming: true,
  });
  simulator.account.update('tickets', other?.['id'] as number, { subject: 'moved' });
  simulator.account.update('tickets', ticket, { subject: 'A second version' });
  await deployment.sync(pipelineId);
  // Refused as it is, so that it stands among the rejected records.
  simulator.account.update('tickets', ticket, { priority: 'urgent' });
  await deployment.sync(pipelineId);
});
afterAll(() => deployment[Symbol.asyncDispose]());

/** Everything that is stored anywhere, and names the person where an owner stands. */
async function traces(): Promise<string[]> {
  const found: string[] = [];
  const keys = new Map<string, Set<string>>([['contacts', new Set([String(person)])]]);
  const sql = deployment.control.sql;
  for (const object of erasedObjects()) {
    const isTheirs = (record: Record<string, unknown>) =>
      ownerFields(object).some((o) => keys.get(o.object)?.has(String(record[o.field])));
    const own = new Set(keys.get(object.name) ?? []);
    for (const table of [object.name, `${object.name}_history`]) {
      const [there] = await deployment.warehouse.sql.unsafe(
        `select to_regclass('${deployment.schema}.${table}') is not null as there`,
      );
      if (!there?.['there']) continue;
      for (const row of await deployment.warehouse.sql.unsafe(`select * from ${deployment.schema}.${table}`)) {
        if (!isTheirs(row)) continue;
        own.add(String(row['id']));
        found.push(`${table} ${row['id']}`);
      }
    }
    for (const { body } of await sql<
      { body: Buffer }[]
    >`select body from freshet.batches where object = ${object.name}`) {
      for (const line of zstdDecompressSync(body).toString().split('\n').filter(Boolean)) {
        const { record } = JSON.parse(line) as { record?: Record<string, unknown> };
        if (record === undefined || !isTheirs(record)) continue;
        own.add(String(record['id']));
        found.push(`batch of ${object.name} ${String(record['id'])}`);
      }
    }
    keys.set(object.name, own);
  }
  return found;
}

const erase = async (contactId: number) => {
  const { id } = await deployment.api.call<Erasure>('POST', `/v1/pipelines/${pipelineId}/erasures`, {
    contact_id: String(contactId),
  });
  return eventually(async () => {
    const erasure = await deployment.api.call<Erasure>('GET', `/v1/pipelines/${pipelineId}/erasures/${id}`);
    return erasure.status === 'queued' || erasure.status === 'running' ? null : erasure;
  }, 'the erasure is over');
};

test('a person is taken out of tables, histories, stored batches and rejected records, and it is proved', async () => {
  const before = await traces();
  for (const place of [
    'contacts ',
    'tickets ',
    'tickets_history ',
    'conversations ',
    'batch of tickets ',
    'batch of contacts ',
  ]) {
    expect(
      before.some((trace) => trace.startsWith(place)),
      place,
    ).toBe(true);
  }
  const [rejected] = await deployment.control
    .sql`select count(*)::int as n from freshet.rejected_records where object = 'tickets'`;
  expect(rejected?.['n']).toBeGreaterThan(0);
  const others = (
    await deployment.warehouse.sql.unsafe(
      `select count(*)::int as n from ${deployment.schema}.tickets where requester_id <> ${person}`,
    )
  )[0]?.['n'];

  const erasure = await erase(person);
  expect(erasure).toMatchObject({
    status: 'completed',
    unsearchable: [],
    error: null,
    proof: { rows: 0, versions: 0, staged_records: 0, rejected_records: 0 },
  });
  const of = (object: string) => erasure.removed.find((r) => r.object === object);
  expect(of('contacts')).toMatchObject({ rows: 1 });
  expect(of('tickets')?.versions).toBeGreaterThan(of('tickets')?.rows as number);
  expect(of('tickets')?.rejected_records).toBe(rejected?.['n']);
  expect(of('conversations')?.rows).toBeGreaterThan(0);
  expect(await traces()).toEqual([]);
  // Nobody else has lost anything.
  expect(
    (
      await deployment.warehouse.sql.unsafe(
        `select count(*)::int as n from ${deployment.schema}.tickets where requester_id <> ${person}`,
      )
    )[0]?.['n'],
  ).toBe(others);
});

test('no later reading brings them back: neither a sync, nor one from the start, nor an audit, nor a rebuild', async () => {
  const { account } = deployment.simulator;
  account.update('tickets', ticket, { subject: 'changed again', priority: 1 });
  account.update('contacts', person, { name: 'Changed again' });
  // A new ticket of theirs, with what stands below it.
  const fresh = account.create('tickets', { requester_id: person, subject: 'A new one' });
  account.addChild('conversations', fresh, { body: 'and what was said' });
  for (const object of ['tickets', 'contacts', 'conversations', 'time_entries']) {
    await deployment.api.call('POST', `/v1/pipelines/${pipelineId}/objects/${object}/restart`);
  }
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
  expect(await traces()).toEqual([]);
  expect((await deployment.audit(pipelineId)).status).toBe('succeeded');
  const { run_id } = await deployment.api.call<{ run_id: string }>(
    'POST',
    `/v1/pipelines/${pipelineId}/objects/tickets/rebuild`,
  );
  expect((await deployment.finished(run_id)).status).toBe('succeeded');
  expect(await traces()).toEqual([]);
  // What belongs to others is whole.
  const theirs = [...account.everything('tickets')].filter(
    ({ text }) => (JSON.parse(text) as { requester_id: number }).requester_id === person,
  ).length;
  const all = [...account.everything('tickets')].length;
  const [rows] = await deployment.warehouse.sql.unsafe(
    `select count(*)::int as n from ${deployment.schema}.tickets where _freshet_delete_kind is distinct from 'missing'`,
  );
  expect(rows?.['n']).toBe(all - theirs);
});

test('an erasure in the middle of a reading leaves nothing of what was on its way', async () => {
  const { api, warehouse, schema } = deployment;
  const [other] = await warehouse.sql.unsafe(
    `select requester_id::text as id from ${schema}.tickets where not requester_id in (select id from ${schema}.agents) group by 1 order by count(*) desc limit 1`,
  );
  person = Number(other?.['id']);
  for (const { name } of catalogue.filter((o) => o.way.kind !== 'children'))
    await api.call('POST', `/v1/pipelines/${pipelineId}/objects/${name}/restart`).catch(() => {});
  const { id } = await deployment.startRun(pipelineId);
  const erasure = await erase(person);
  expect(erasure.status).toBe('completed');
  expect((await deployment.finished(id)).status).toBe('succeeded');
  expect(await traces()).toEqual([]);
});

test('who works there is not erased; and an erasure that was a mistake is lifted', async () => {
  const { api, warehouse, schema, simulator } = deployment;
  const [agent] = await warehouse.sql.unsafe(`select id::text from ${schema}.agents limit 1`);
  expect(await erase(Number(agent?.['id']))).toMatchObject({
    status: 'failed',
    proof: null,
    error: { code: 'conflict' },
  });

  const mine = (
    await api.call<{ data: (Erasure & { contact_id: string })[] }>('GET', `/v1/pipelines/${pipelineId}/erasures`)
  ).data.filter((e) => e.contact_id === String(person));
  expect((await api.call<Erasure>('POST', `/v1/pipelines/${pipelineId}/erasures/${mine[0]?.id}/lift`)).status).toBe(
    'lifted',
  );
  simulator.account.update('contacts', person, { name: 'Back again' });
  await deployment.sync(pipelineId);
  expect(await warehouse.sql.unsafe(`select name from ${schema}.contacts where id = ${person}`)).toMatchObject([
    { name: 'Back again' },
  ]);
});
