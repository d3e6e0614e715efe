import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

/** An upgrade, one process after another, while data keeps coming. `scripts/test-upgrade.mjs` says where the last release is. */
const released = process.env['FRESHET_RELEASED'];

test('I8: processes of the last release work on this schema and beside these processes, in whatever order they are replaced', async () => {
  if (!released) throw new Error('FRESHET_RELEASED must be a checkout of the last release: npm run test:upgrade');
  await using deployment = await Deployment.start({ counts: { tickets: 60, contacts: 20 } }, undefined, {}, released);
  const { account } = deployment.simulator;
  let edits = 0;
  const pipelineId = await deployment.createPipeline('demo-admin-key', null);
  const syncsWith = async (what: string) => {
    edits += 1;
    account.update('tickets', edits, { subject: `changed ${edits}` });
    account.create('tickets', { subject: `new ${edits}` });
    account.addChild('conversations', edits, { body: `said ${edits}` });
    const run = await deployment.sync(pipelineId);
    expect(run.status, `${what}: ${JSON.stringify(run.objects.filter((o) => o.status !== 'succeeded'))}`).toBe(
      'succeeded',
    );
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema), what).toEqual([]);
  };
  await syncsWith('the last release');
  const migrated = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('../../../freshet/src/main.ts', import.meta.url)), 'migrate'],
    {
      env: {
        PATH: process.env['PATH'] ?? '',
        DATABASE_URL: deployment.control.url,
        FRESHET_SECRET_KEYS: deployment.secretKeys,
      },
      encoding: 'utf8',
    },
  );
  expect(migrated.status, migrated.stderr).toBe(0);
  await syncsWith('the last release on this schema');
  const replaceBy = async (app: 'api' | 'load-worker' | 'extract-worker' | 'scheduler', root?: string) => {
    await deployment.kill(app);
    await deployment.launch(app, app, root);
  };
  await replaceBy('load-worker', released);
  await syncsWith('a process of the last release that starts on this schema');
  await replaceBy('api');
  await syncsWith('this API with workers of the last release');
  await replaceBy('extract-worker');
  await syncsWith('this extract worker with a load worker of the last release');
  await replaceBy('extract-worker', released);
  await replaceBy('load-worker');
  await syncsWith('this load worker with an extract worker of the last release');
  await replaceBy('extract-worker');
  await replaceBy('scheduler');
  await syncsWith('this release');
  expect(deployment.alive.length).toBe(4);
});
