import { eventually } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunAnswer } from '../api-client.ts';
import { Deployment } from '../test-support/deployment.ts';

let deployment: Deployment;
let pipelineId: string;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 250, contacts: 120, conversations: 2 } });
  pipelineId = await deployment.createPipeline();
  await deployment.api.call('PATCH', `/v1/pipelines/${pipelineId}/objects/tickets`, { history: true });
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
});
afterAll(() => deployment[Symbol.asyncDispose]());

const query = async (text: string) => [
  ...(await deployment.warehouse.sql.unsafe(text.replaceAll('$s', deployment.schema))),
];
const of = (run: RunAnswer, object: string) => run.objects.find((o) => o.object === object);

/** A digest of the values of a column, by key, as the account has them. */
async function digest(table: string, column: string): Promise<string> {
  const [row] = await query(
    `select md5(string_agg(id || coalesce(${column}::text, '-'), ',' order by id)) as digest, count(${column})::int as n from $s.${table}`,
  );
  expect(row?.['n']).toBeGreaterThan(0);
  return row?.['digest'] as string;
}

async function completed(table: string): Promise<void> {
  await eventually(
    async () => {
      const [row] = await query(`select completing_since from $s._freshet_objects where table_name = '${table}'`);
      return row?.['completing_since'] === null ? true : null;
    },
    `${table} is complete`,
    60_000,
  );
}

/** No rebuild or sync is under way, and a further sync of the unchanged account writes nothing. */
async function expectNothingLeft(): Promise<void> {
  await eventually(async () => {
    const open = await deployment.control.sql`select 1 from freshet.runs where finished_at is null`;
    return open.length === 0 ? true : null;
  }, 'no run is open');
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
  expect(run.objects.filter((o) => o.records_loaded > 0).map((o) => o.object)).toEqual([]);
}

const startedRuns = async (kind: string) =>
  (await deployment.control.sql`select id from freshet.runs where kind = ${kind} and trigger = 'schedule'`).length;

describe('a column that is not as the rows were written', () => {
  test('a dropped column of an object that each run reads completely is filled by the next run, once', async () => {
    const before = await digest('groups', 'name');
    await query('alter table $s.groups drop column name');
    const run = await deployment.sync(pipelineId);
    expect(await digest('groups', 'name')).toBe(before);
    expect(of(run, 'groups')).toMatchObject({
      status: 'succeeded',
      records_loaded: of(run, 'groups')?.records_extracted,
      records_unchanged: 0,
    });
    await completed('groups');
    await expectNothingLeft();
    expect(await startedRuns('rebuild')).toBe(0);
  });

  test('dropped columns of incremental objects and children, and of a history, are filled from stored batches, without a new version', async () => {
    const subjects = await digest('tickets', 'subject');
    const bodies = await digest('conversations', 'body_text');
    const versions = await query('select count(*) as n, count(subject) as subjects from $s.tickets_history');
    await query(
      'alter table $s.tickets drop column subject; alter table $s.tickets_history drop column subject; alter table $s.conversations drop column body_text',
    );
    await deployment.sync(pipelineId);
    await completed('tickets');
    await completed('conversations');
    expect(await digest('tickets', 'subject')).toBe(subjects);
    expect(await digest('conversations', 'body_text')).toBe(bodies);
    expect(await query('select count(*) as n, count(subject) as subjects from $s.tickets_history')).toEqual(versions);
    // One for each table, or one for both.
    expect(await startedRuns('rebuild')).toBeGreaterThan(0);
    await expectNothingLeft();
  });

  test('the next run reads rows that stored batches do not reach, in mode full', async () => {
    const subjects = await digest('tickets', 'subject');
    const emails = await digest('contacts', 'email');
    const bodies = await digest('conversations', 'body_text');
    const coverage = await query(
      "select table_name, complete_back_to from $s._freshet_objects where table_name in ('tickets', 'contacts') order by 1",
    );
    await deployment.control.sql`delete from freshet.batches where loaded_at is not null`;
    await query(
      'alter table $s.tickets drop column subject; alter table $s.contacts drop column email; alter table $s.conversations drop column body_text',
    );
    const noticed = await deployment.sync(pipelineId);
    const states = await query(
      'select table_name from $s._freshet_objects where completing_since is not null order by 1',
    );
    expect(states.map((s) => s['table_name'])).toEqual(expect.arrayContaining(['contacts', 'tickets']));
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('succeeded');
    const modes = [noticed, run].map((r) => of(r, 'tickets')?.mode);
    expect(modes).toContain('full');
    for (const table of ['tickets', 'contacts', 'conversations']) await completed(table);
    expect(await digest('tickets', 'subject')).toBe(subjects);
    expect(await digest('contacts', 'email')).toBe(emails);
    expect(await digest('conversations', 'body_text')).toBe(bodies);
    expect(
      await query(
        "select table_name, complete_back_to from $s._freshet_objects where table_name in ('tickets', 'contacts') order by 1",
      ),
    ).toEqual(coverage);
    await expectNothingLeft();
    expect(of(await deployment.sync(pipelineId), 'tickets')?.mode).toBe('incremental');
  });

  test('a column that a user retypes is written again in its new type, and kept in _freshet_extra where Freshet does not know the type', async () => {
    const names = await digest('groups', 'name');
    await query('alter table $s.groups alter column name type varchar(10) using null');
    await deployment.sync(pipelineId);
    await completed('groups');
    expect(
      await query(
        "select count(*)::int as n from $s.groups where name is null and _freshet_extra ->> 'name' is not null",
      ),
    ).toEqual([{ n: (await query('select from $s.groups')).length }]);
    await query('alter table $s.groups alter column name type text using null');
    await deployment.sync(pipelineId);
    await completed('groups');
    expect(await digest('groups', 'name')).toBe(names);
    expect(await query('select from $s.groups where _freshet_extra is not null')).toEqual([]);
    await expectNothingLeft();
  });

  test('restarting an object writes every row again', async () => {
    const subjects = await digest('tickets', 'subject');
    const names = await digest('groups', 'name');
    await query("update $s.tickets set subject = 'changed'; update $s.groups set name = 'changed'");
    for (const object of ['tickets', 'groups'])
      await deployment.api.call('POST', `/v1/pipelines/${pipelineId}/objects/${object}/restart`);
    await deployment.sync(pipelineId);
    expect(await digest('tickets', 'subject')).toBe(subjects);
    expect(await digest('groups', 'name')).toBe(names);
    await expectNothingLeft();
  });

  test('an audit fills the column as well, and counts no row as stale for it', async () => {
    const subjects = await digest('tickets', 'subject');
    await deployment.control.sql`delete from freshet.batches where loaded_at is not null`;
    await query('alter table $s.tickets drop column subject');
    const audit = await deployment.audit(pipelineId);
    expect(of(audit, 'tickets')).toMatchObject({
      status: 'succeeded',
      findings: { stale: 0, missing: 0, repaired: 0 },
    });
    expect(await digest('tickets', 'subject')).toBe(subjects);
    await completed('tickets');
    // What the audit has completed is not read a second time.
    expect(of(await deployment.sync(pipelineId), 'tickets')?.mode).toBe('incremental');
    await expectNothingLeft();
  });

  test('a completion that kill -9 interrupts continues (I8)', async () => {
    const subjects = await digest('tickets', 'subject');
    const descriptions = await digest('tickets', 'description');
    await query('alter table $s.tickets drop column subject, drop column description');
    const { id } = await deployment.startRun(pipelineId);
    await eventually(
      async () =>
        (await query("select from $s._freshet_objects where table_name = 'tickets' and completing_since is not null"))
          .length > 0
          ? true
          : null,
      'the completion has begun',
    );
    await deployment.kill('load-worker');
    await deployment.launch('load-worker');
    await deployment.finished(id);
    await deployment.sync(pipelineId);
    await completed('tickets');
    expect(await digest('tickets', 'subject')).toBe(subjects);
    expect(await digest('tickets', 'description')).toBe(descriptions);
    await expectNothingLeft();
  });
});
