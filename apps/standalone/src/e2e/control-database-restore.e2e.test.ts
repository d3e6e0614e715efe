import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { findDifferences } from '../test-support/differences.ts';

/**
 * Tests the loss of the control database, both with a backup that is older than the warehouse and
 * without a backup.
 */

const APPS = ['api', 'extract-worker', 'load-worker', 'scheduler'] as const;

let deployment: Deployment;
let admin: postgres.Sql;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 60 } });
  admin = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
});
afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
  await admin.unsafe(`drop database if exists ${deployment.control.name}_backup with (force)`);
  await admin.end();
});

/** Copies a database. The processes that use the database must be stopped. */
async function copyDatabase(from: string, to: string): Promise<void> {
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname in (${from}, ${to})`;
  await admin.unsafe(`drop database if exists ${to} with (force)`);
  await admin.unsafe(`create database ${to} template ${from}`);
}

test('after an older backup is restored, a sync makes the warehouse equal to the account (I3)', async () => {
  const { simulator, control, warehouse, schema } = deployment;
  const pipelineId = await deployment.createPipeline('demo-admin-key', null);
  await deployment.sync(pipelineId);
  for (const app of APPS) await deployment.kill(app);
  await copyDatabase(control.name, `${control.name}_backup`);

  // These changes and runs are not part of the backup.
  for (const app of APPS) await deployment.launch(app);
  for (let n = 0; n < 4; n++) {
    simulator.account.update('tickets', 1 + n, { subject: `after the backup ${n}` });
    simulator.account.createChild('conversations', 10 + n, { body: `after the backup ${n}` });
    simulator.account.create('tickets', { subject: `new after the backup ${n}` });
    expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
  }
  for (const app of APPS) await deployment.kill(app);
  await copyDatabase(`${control.name}_backup`, control.name);

  for (const app of APPS) await deployment.launch(app);
  simulator.account.update('tickets', 2, { subject: 'after the restore' });
  const run = await deployment.sync(pipelineId);
  expect(run.objects.filter((o) => o.status !== 'succeeded')).toEqual([]);
  expect(await findDifferences(simulator, warehouse, schema)).toEqual([]);
  // The sync does not rewrite a row if the warehouse already contains the extracted record.
  const [tickets] = run.objects.filter((o) => o.object === 'tickets');
  expect(tickets?.records_unchanged).toBeGreaterThan(0);
});

test('a recreated pipeline adopts its existing tables and extracts only the changes since their coverage (I3)', async () => {
  const { api, simulator, warehouse, schema } = deployment;
  const [lost] = (await api.get('/v1/pipelines')).data;
  if (!lost) throw new Error('the pipeline does not exist');
  const before = await deployment.sync(lost.id);
  expect(before.status).toBe('succeeded');
  // Deleting the pipeline deletes its positions, epochs and queues. Its tables remain.
  await api.delete('/v1/pipelines/{id}', { params: { path: { id: lost.id } } });
  simulator.account.update('tickets', 5, { subject: 'without a pipeline' });
  simulator.account.createChild('conversations', 6, { body: 'without a pipeline' });
  simulator.account.create('tickets', { subject: 'new without a pipeline' });
  const { name, destination_id, source } = lost;
  const settings = { name, destination_id, source };
  for (const path of ['/v1/pipelines/plan', '/v1/pipelines'] as const)
    await expect(
      api.post(path, { body: { ...settings, destination_schema: 'nothing_there', adopt: true } }),
      path,
    ).rejects.toThrow('adopt: the schema nothing_there has no tables');
  const created = await api.post('/v1/pipelines', {
    body: { ...settings, destination_schema: schema, adopt: true },
  });
  const run = await deployment.sync(created.id);
  expect(run.objects.filter((o) => o.status !== 'succeeded')).toEqual([]);
  // The creation of the pipeline may already have started a run.
  const runs = await deployment.listRuns(created.id);
  const tickets = runs.flatMap((r) => r.objects).filter((o) => o.object === 'tickets');
  expect(tickets.map((o) => o.mode)).toEqual(tickets.map(() => 'incremental'));
  // Of about 60 tickets, each run extracts only the few tickets that have changed or are in the
  // lookback window.
  expect(Math.max(...tickets.map((o) => o.records_extracted))).toBeLessThan(20);
  expect(await findDifferences(simulator, warehouse, schema)).toEqual([]);
});
