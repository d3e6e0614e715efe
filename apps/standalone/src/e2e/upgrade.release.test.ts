import { spawnSync } from 'node:child_process';
import { findProcessModule, waitFor } from '@freshet/testing';
import { expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** The columns that this release added. Load workers of the previous release do not fill them. */
const NEW_COLUMNS = /^stats_/;
/** The folder of the previous release. `scripts/test-upgrade.mjs` sets it. */
const previousRelease = process.env['FRESHET_RELEASED'];

test('processes of the previous release work with the schema and the processes of this release while they are replaced one by one (I8)', async () => {
  if (!previousRelease)
    throw new Error('FRESHET_RELEASED must be a checkout of the previous release. Run: npm run test:upgrade');
  await using deployment = await Deployment.start(
    { counts: { tickets: 60, contacts: 20 } },
    undefined,
    {},
    previousRelease,
  );
  const { account } = deployment.simulator;
  let edits = 0;
  const pipelineId = await deployment.createPipeline('demo-admin-key', null);
  const listDifferences = () => deployment.findDifferences();
  const expectSync = async (combination: string) => {
    edits += 1;
    account.update('tickets', edits, { subject: `changed ${edits}` });
    account.create('tickets', { subject: `new ${edits}` });
    account.createChild('conversations', edits, { body: `note ${edits}` });
    const run = await deployment.sync(pipelineId);
    expect(run.status, `${combination}: ${JSON.stringify(run.objects.filter((o) => o.status !== 'succeeded'))}`).toBe(
      'succeeded',
    );
    const differences = (await listDifferences()).filter(({ problem }) => !NEW_COLUMNS.test(problem));
    expect(differences, combination).toEqual([]);
  };
  await expectSync('the previous release');
  const migration = spawnSync(process.execPath, [findProcessModule('apps/freshet/src/main'), 'migrate'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: deployment.control.url,
      FRESHET_SECRET_KEYS: deployment.secretKeys,
    },
    encoding: 'utf8',
  });
  expect(migration.status, migration.stderr).toBe(0);
  await expectSync('the previous release on this schema');
  const replace = async (app: 'api' | 'load-worker' | 'extract-worker' | 'scheduler', root?: string) => {
    await deployment.kill(app);
    await deployment.launch(app, app, root);
  };
  await replace('load-worker', previousRelease);
  await expectSync('a process of the previous release that starts on this schema');
  await replace('api');
  await expectSync('this API with workers of the previous release');
  await replace('extract-worker');
  await expectSync('this extract worker with a load worker of the previous release');
  await replace('extract-worker', previousRelease);
  await replace('load-worker');
  await expectSync('this load worker with an extract worker of the previous release');
  await replace('extract-worker');
  await replace('scheduler');
  await expectSync('this release');
  await waitFor(async () => (await listDifferences()).length === 0, 'the new columns have values in all rows');
  expect(deployment.runningProcesses.length).toBe(4);
});
