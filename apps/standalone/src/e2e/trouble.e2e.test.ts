import { afterAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

/** Records that change, calls that fail, and a limit: all at once, as on a bad day. */
/** Runs wait here for some of the limit's windows, of a minute each. */
const WINDOWS_MS = 240_000;

describe.each([1, 4])('I3, I5: with %i extract workers', (workers) => {
  const changes = { left: 150 };
  const started: Promise<Deployment> = Deployment.start({
    seed: workers,
    counts: { tickets: 150 },
    plan: 'enterprise',
    faults: { seed: workers, oneIn: 25 },
    intercept: ({ number }) => {
      // One change every other call, while there are any left to make.
      if (number % 2 === 0 && changes.left-- > 0) void started.then((deployment) => meddle(deployment, number));
      return false;
    },
  });
  afterAll(async () => (await started)[Symbol.asyncDispose]());

  function meddle({ simulator: { account } }: Deployment, n: number): void {
    const id = 1 + ((n * 29) % 150);
    if (n % 9 === 0) account.create('tickets', { subject: `new ${n}` });
    else if (n % 7 === 0) account.addChild('conversations', id, { body: `note ${n}` });
    else account.update('tickets', id, { subject: `edited ${n}` });
  }

  test('the warehouse equals the account in the end, and no call was made that should not have been', async () => {
    const deployment = await started;
    for (let n = 2; n <= workers; n++) await deployment.launch('extract-worker', `extract-worker ${n}`);
    const pipelineId = await deployment.createPipeline();
    await deployment.sync(pipelineId, WINDOWS_MS);
    changes.left = 0;
    const run = await deployment.sync(pipelineId, WINDOWS_MS);
    expect(run.status, JSON.stringify(run.objects.filter((o) => o.error))).toBe('succeeded');
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
    expect(deployment.simulator.limits.refused).toBe(0);
    expect(deployment.simulator.limits.violations).toEqual([]);
  }, 600_000);
});
