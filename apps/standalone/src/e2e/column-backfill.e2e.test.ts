import type { Run } from '@freshet/client';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

let deployment: Deployment;
let pipelineId: string;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 250, contacts: 120, conversations: 2 } });
  pipelineId = await deployment.createPipeline('demo-admin-key', 30, [
    'tickets',
    'conversations',
    'contacts',
    'groups',
  ]);
  await deployment.updateObject(pipelineId, 'tickets', { history: true });
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
});
afterAll(() => deployment[Symbol.asyncDispose]());

const query = async (sql: string) => [
  ...(await deployment.warehouse.sql.unsafe(sql.replaceAll('$s', deployment.schema))),
];
const findObjectRun = (run: Run, object: string) => run.objects.find((o) => o.object === object);

/** Returns a digest of the values of a column, ordered by id. */
async function digestColumn(table: string, column: string): Promise<string> {
  const [row] = await query(
    `select md5(string_agg(id || coalesce(${column}::text, '-'), ',' order by id)) as digest, count(${column})::int as n from $s.${table}`,
  );
  expect(row?.['n']).toBeGreaterThan(0);
  return row?.['digest'] as string;
}

async function waitForCompletion(table: string): Promise<void> {
  await waitFor(
    async () => {
      const [row] = await query(`select completing_since from $s._freshet_objects where table_name = '${table}'`);
      return row?.['completing_since'] === null ? true : null;
    },
    `${table} is complete`,
    60_000,
  );
}

/** Expects that all runs finish, and that a further sync of the unchanged account writes no row. */
async function expectNoPendingWork(): Promise<void> {
  await waitFor(async () => {
    const open = await deployment.control.sql`select 1 from freshet.runs where finished_at is null`;
    return open.length === 0 ? true : null;
  }, 'no run is open');
  const run = await deployment.sync(pipelineId);
  expect(run.status).toBe('succeeded');
  expect(run.objects.filter((o) => o.records_loaded > 0).map((o) => o.object)).toEqual([]);
}

const countScheduledRuns = async (kind: string) =>
  (await deployment.control.sql`select id from freshet.runs where kind = ${kind} and trigger = 'schedule'`).length;

describe('a column that a user has dropped, retyped or overwritten', () => {
  test('is filled once, by the next run, if every run reads the complete list', async () => {
    const before = await digestColumn('groups', 'name');
    await query('alter table $s.groups drop column name');
    const run = await deployment.sync(pipelineId);
    expect(await digestColumn('groups', 'name')).toBe(before);
    expect(findObjectRun(run, 'groups')).toMatchObject({
      status: 'succeeded',
      records_loaded: findObjectRun(run, 'groups')?.records_extracted,
      records_unchanged: 0,
    });
    await waitForCompletion('groups');
    await expectNoPendingWork();
    expect(await countScheduledRuns('rebuild')).toBe(0);
  });

  test('is filled from stored batches, without new history versions, if the object is incremental or a child object', async () => {
    const subjects = await digestColumn('tickets', 'subject');
    const bodies = await digestColumn('conversations', 'body_text');
    const versions = await query('select count(*) as n, count(subject) as subjects from $s.tickets_history');
    await query(
      'alter table $s.tickets drop column subject; alter table $s.tickets_history drop column subject; alter table $s.conversations drop column body_text',
    );
    await deployment.sync(pipelineId);
    await waitForCompletion('tickets');
    await waitForCompletion('conversations');
    expect(await digestColumn('tickets', 'subject')).toBe(subjects);
    expect(await digestColumn('conversations', 'body_text')).toBe(bodies);
    expect(await query('select count(*) as n, count(subject) as subjects from $s.tickets_history')).toEqual(versions);
    // The two tables may share one rebuild, so the exact number of rebuilds varies.
    expect(await countScheduledRuns('rebuild')).toBeGreaterThan(0);
    await expectNoPendingWork();
  });

  test('is filled by a run that reads the object completely if the stored batches have been deleted', async () => {
    const subjects = await digestColumn('tickets', 'subject');
    const emails = await digestColumn('contacts', 'email');
    const bodies = await digestColumn('conversations', 'body_text');
    const coverage = await query(
      "select table_name, complete_back_to from $s._freshet_objects where table_name in ('tickets', 'contacts') order by 1",
    );
    await deployment.control.sql`delete from freshet.batches where loaded_at is not null`;
    await query(
      'alter table $s.tickets drop column subject; alter table $s.contacts drop column email; alter table $s.conversations drop column body_text',
    );
    const firstRun = await deployment.sync(pipelineId);
    const states = await query(
      'select table_name from $s._freshet_objects where completing_since is not null order by 1',
    );
    expect(states.map((s) => s['table_name'])).toEqual(expect.arrayContaining(['contacts', 'tickets']));
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('succeeded');
    const modes = [firstRun, run].map((r) => findObjectRun(r, 'tickets')?.mode);
    expect(modes).toContain('full');
    for (const table of ['tickets', 'contacts', 'conversations']) await waitForCompletion(table);
    expect(await digestColumn('tickets', 'subject')).toBe(subjects);
    expect(await digestColumn('contacts', 'email')).toBe(emails);
    expect(await digestColumn('conversations', 'body_text')).toBe(bodies);
    expect(
      await query(
        "select table_name, complete_back_to from $s._freshet_objects where table_name in ('tickets', 'contacts') order by 1",
      ),
    ).toEqual(coverage);
    await expectNoPendingWork();
    expect(findObjectRun(await deployment.sync(pipelineId), 'tickets')?.mode).toBe('incremental');
  });

  test('is refilled if Freshet supports its new type; otherwise its values are stored in _freshet_extra', async () => {
    const names = await digestColumn('groups', 'name');
    await query('alter table $s.groups alter column name type varchar(10) using null');
    await deployment.sync(pipelineId);
    await waitForCompletion('groups');
    expect(
      await query(
        "select count(*)::int as n from $s.groups where name is null and _freshet_extra ->> 'name' is not null",
      ),
    ).toEqual([{ n: (await query('select from $s.groups')).length }]);
    await query('alter table $s.groups alter column name type text using null');
    await deployment.sync(pipelineId);
    await waitForCompletion('groups');
    expect(await digestColumn('groups', 'name')).toBe(names);
    expect(await query('select from $s.groups where _freshet_extra is not null')).toEqual([]);
    await expectNoPendingWork();
  });

  test('is rewritten by the run after a restart of the object', async () => {
    const subjects = await digestColumn('tickets', 'subject');
    const names = await digestColumn('groups', 'name');
    await query("update $s.tickets set subject = 'changed'; update $s.groups set name = 'changed'");
    for (const object of ['tickets', 'groups']) await deployment.restartObject(pipelineId, object);
    await deployment.sync(pipelineId);
    expect(await digestColumn('tickets', 'subject')).toBe(subjects);
    expect(await digestColumn('groups', 'name')).toBe(names);
    await expectNoPendingWork();
  });

  test('is filled by an audit, which does not count the affected rows as stale', async () => {
    const subjects = await digestColumn('tickets', 'subject');
    await deployment.control.sql`delete from freshet.batches where loaded_at is not null`;
    await query('alter table $s.tickets drop column subject');
    const audit = await deployment.audit(pipelineId);
    expect(findObjectRun(audit, 'tickets')).toMatchObject({
      status: 'succeeded',
      findings: { stale: 0, missing: 0, repaired: 0 },
    });
    expect(await digestColumn('tickets', 'subject')).toBe(subjects);
    await waitForCompletion('tickets');
    // The audit has filled the column, so the next run stays incremental.
    expect(findObjectRun(await deployment.sync(pipelineId), 'tickets')?.mode).toBe('incremental');
    await expectNoPendingWork();
  });

  test('is filled even if the load worker is killed while it fills the column (I8)', async () => {
    const subjects = await digestColumn('tickets', 'subject');
    const descriptions = await digestColumn('tickets', 'description');
    await query('alter table $s.tickets drop column subject, drop column description');
    const { id } = await deployment.startRun(pipelineId);
    await waitFor(
      async () =>
        (await query("select from $s._freshet_objects where table_name = 'tickets' and completing_since is not null"))
          .length > 0
          ? true
          : null,
      'the completion has started',
    );
    await deployment.kill('load-worker');
    await deployment.launch('load-worker');
    await deployment.waitForRun(id);
    await deployment.sync(pipelineId);
    await waitForCompletion('tickets');
    expect(await digestColumn('tickets', 'subject')).toBe(subjects);
    expect(await digestColumn('tickets', 'description')).toBe(descriptions);
    await expectNoPendingWork();
  });
});
