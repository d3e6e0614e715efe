import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Deployment } from './test-support/deployment.ts';
import { differences } from './test-support/equality.ts';

/** The drill: the control database is lost, and comes back from a backup that is older than the warehouse. */

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
