import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

/** The drills: the control database comes back from a backup that is older than the warehouse, or not at all. */

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

/** A copy of a database, which nobody may use meanwhile. */
async function copied(from: string, to: string): Promise<void> {
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname in (${from}, ${to})`;
  await admin.unsafe(`drop database if exists ${to} with (force)`);
  await admin.unsafe(`create database ${to} template ${from}`);
}

test('I3: a control database that is restored from an older backup goes on, and the warehouse equals the account again', async () => {
  const { simulator, control, warehouse, schema } = deployment;
  const pipelineId = await deployment.createPipeline('demo-admin-key', null);
  await deployment.sync(pipelineId);
  for (const app of APPS) await deployment.kill(app);
  await copied(control.name, `${control.name}_backup`);

  // A working day that the backup knows nothing of.
  for (const app of APPS) await deployment.launch(app);
  for (let n = 0; n < 4; n++) {
    simulator.account.update('tickets', 1 + n, { subject: `of the lost day ${n}` });
    simulator.account.addChild('conversations', 10 + n, { body: `of the lost day ${n}` });
    simulator.account.create('tickets', { subject: `new on the lost day ${n}` });
    expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
  }
  for (const app of APPS) await deployment.kill(app);
  await copied(`${control.name}_backup`, control.name);

  for (const app of APPS) await deployment.launch(app);
  simulator.account.update('tickets', 2, { subject: 'after the restore' });
  const run = await deployment.sync(pipelineId);
  expect(run.objects.filter((o) => o.status !== 'succeeded')).toEqual([]);
  expect(await differences(simulator, warehouse, schema)).toEqual([]);
  // What the warehouse knew already was not written again.
  const [tickets] = run.objects.filter((o) => o.object === 'tickets');
  expect(tickets?.records_unchanged).toBeGreaterThan(0);
});

test('I3: a control database that is lost: the same pipeline, made again, goes on from what its tables say, for few credits', async () => {
  const { api, simulator, warehouse, schema } = deployment;
  const [lost] = (
    await api.call<{ data: { id: string; name: string; destination_id: string; source: object }[] }>(
      'GET',
      '/v1/pipelines',
    )
  ).data;
  if (!lost) throw new Error('the pipeline is there');
  const before = await deployment.sync(lost.id);
  expect(before.status).toBe('succeeded');
  // With the pipeline goes all that is known of it but its tables: positions, epochs, work lists.
  await api.call('DELETE', `/v1/pipelines/${lost.id}`);
  simulator.account.update('tickets', 5, { subject: 'while nobody read' });
  simulator.account.addChild('conversations', 6, { body: 'while nobody read' });
  simulator.account.create('tickets', { subject: 'new while nobody read' });
  const { name, destination_id, source } = lost;
  const again = { name, destination_id, source };
  for (const path of ['/v1/pipelines/plan', '/v1/pipelines'])
    await expect(
      api.call('POST', path, { ...again, destination_schema: 'nothing_there', adopt: true }),
      path,
    ).rejects.toThrow('adopt: nothing_there holds no tables');
  const made = await api.call<{ id: string }>('POST', '/v1/pipelines', {
    ...again,
    destination_schema: schema,
    adopt: true,
  });
  const run = await deployment.sync(made.id);
  expect(run.objects.filter((o) => o.status !== 'succeeded')).toEqual([]);
  // The first run may be the one that its making has started.
  const { data: runs } = await api.call<{ data: (typeof run)[] }>('GET', `/v1/runs?pipeline_id=${made.id}`);
  const tickets = runs.flatMap((r) => r.objects).filter((o) => o.object === 'tickets');
  expect(tickets.map((o) => o.mode)).toEqual(tickets.map(() => 'incremental'));
  // Of each run what changed just before is read again, of some sixty all together.
  expect(Math.max(...tickets.map((o) => o.records_extracted))).toBeLessThan(20);
  expect(await differences(simulator, warehouse, schema)).toEqual([]);
});
