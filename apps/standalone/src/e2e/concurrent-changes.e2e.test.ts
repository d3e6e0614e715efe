import { afterAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** A run waits for several rate-limit windows of one minute each. */
const RUN_TIMEOUT_MS = 240_000;

describe.each([1, 4])('with %i extract workers', (workers) => {
  const changes = { left: 150 };
  const deploymentStart: Promise<Deployment> = Deployment.start({
    seed: workers,
    counts: { tickets: 150 },
    plan: 'enterprise',
    faults: { seed: workers, oneIn: 25 },
    intercept: ({ number }) => {
      // Every second request causes one change in the account, until no changes are left.
      if (number % 2 === 0 && changes.left-- > 0)
        void deploymentStart.then((deployment) => changeAccount(deployment, number));
      return false;
    },
  });
  afterAll(async () => (await deploymentStart)[Symbol.asyncDispose]());

  function changeAccount({ simulator: { account } }: Deployment, n: number): void {
    const id = 1 + ((n * 29) % 150);
    if (n % 9 === 0) account.create('tickets', { subject: `new ${n}` });
    else if (n % 7 === 0) account.createChild('conversations', id, { body: `note ${n}` });
    else account.update('tickets', id, { subject: `edited ${n}` });
  }

  test('the warehouse equals the account despite changes and failures, and no request exceeds the rate limit (I3, I5)', async () => {
    const deployment = await deploymentStart;
    for (let n = 2; n <= workers; n++) await deployment.launch('extract-worker', `extract-worker ${n}`);
    const pipelineId = await deployment.createPipeline();
    await deployment.sync(pipelineId, RUN_TIMEOUT_MS);
    changes.left = 0;
    const run = await deployment.sync(pipelineId, RUN_TIMEOUT_MS);
    expect(run.status, JSON.stringify(run.objects.filter((o) => o.error))).toBe('succeeded');
    expect(await deployment.findDifferences()).toEqual([]);
    expect(deployment.simulator.limits.rejectedRequests).toBe(0);
    expect(deployment.simulator.limits.violations).toEqual([]);
  }, 600_000);
});
