import { waitFor } from '@freshet/testing';
import { describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

describe('killed processes and paused pipelines (I8)', () => {
  /**
   * Blocks the requests to the account after a given number of requests, until the gate is opened.
   */
  function createGate(afterCalls: number) {
    let openGate: () => void = () => {};
    const isOpen = new Promise<void>((resolve) => {
      openGate = resolve;
    });
    let waiting = 0;
    return {
      open: () => openGate(),
      countWaiting: () => waiting,
      intercept: async ({ number }: { number: number }) => {
        if (number <= afterCalls) return false;
        waiting++;
        await isOpen;
        return false;
      },
    };
  }

  test('a different worker continues a sync whose extract worker was killed, and no record is lost', async () => {
    const gate = createGate(200);
    await using deployment = await Deployment.start({ counts: { tickets: 300 }, intercept: gate.intercept });
    const { id } = await deployment.startRun(await deployment.createPipeline());
    await waitFor(() => gate.countWaiting() > 0, 'requests are in flight');
    await deployment.kill('extract-worker');
    gate.open();
    await deployment.launch('extract-worker');
    expect((await deployment.waitForRun(id)).status).toBe('succeeded');
    expect(await deployment.findDifferences()).toEqual([]);
  });

  test('the batches of a load worker that was killed during a transaction are loaded only once, by a different worker', async () => {
    await using deployment = await Deployment.start({ counts: { tickets: 300 } });
    const pipelineId = await deployment.createPipeline();
    await deployment.sync(pipelineId);
    for (let id = 1; id <= 250; id++) deployment.simulator.account.update('tickets', id, { subject: `after ${id}` });
    const { sql } = deployment.warehouse;
    let runId = '';
    // The lock blocks the transaction of the load worker after the ledger row is inserted and
    // before the commit.
    await sql.begin(async (tx) => {
      await tx.unsafe(`lock table ${deployment.schema}.tickets in exclusive mode`);
      runId = (await deployment.startRun(pipelineId)).id;
      await waitFor(async () => {
        const [row] =
          await sql`select count(*)::int as n from pg_stat_activity where datname = ${deployment.warehouse.name} and wait_event_type = 'Lock'`;
        return (row?.['n'] as number) > 0;
      }, 'the load waits for the lock');
      await deployment.kill('load-worker');
    });
    await deployment.launch('load-worker');
    expect((await deployment.waitForRun(runId)).status).toBe('succeeded');
    expect(await deployment.findDifferences()).toEqual([]);
    const [sum] = await sql.unsafe(
      `select (select sum(inserted) from ${deployment.schema}._freshet_batches where table_name = 'tickets')::int as ledger, (select count(*) from ${deployment.schema}.tickets)::int as rows`,
    );
    expect(sum?.['ledger']).toBe(sum?.['rows']);
  });

  test('the workers continue a sync while the API is down, and a restarted API reports the run', async () => {
    const gate = createGate(100);
    await using deployment = await Deployment.start({ counts: { tickets: 200 }, intercept: gate.intercept });
    const { id } = await deployment.startRun(await deployment.createPipeline());
    await waitFor(() => gate.countWaiting() > 0, 'requests are in flight');
    await deployment.kill('api');
    gate.open();
    await deployment.launch('api');
    expect((await deployment.waitForRun(id)).status).toBe('succeeded');
    expect(await deployment.findDifferences()).toEqual([]);
  });

  test('two workers of each kind produce the same warehouse as one worker', async () => {
    await using deployment = await Deployment.start({ counts: { tickets: 300 } });
    await deployment.launch('extract-worker', 'second extract-worker');
    await deployment.launch('load-worker', 'second load-worker');
    expect((await deployment.sync(await deployment.createPipeline())).status).toBe('succeeded');
    expect(await deployment.findDifferences()).toEqual([]);
  });

  test('pausing a pipeline stops its extraction, and resuming the pipeline continues from the stored position', async () => {
    const gate = createGate(150);
    await using deployment = await Deployment.start({ counts: { tickets: 300 }, intercept: gate.intercept });
    const pipelineId = await deployment.createPipeline();
    const { id } = await deployment.startRun(pipelineId);
    await waitFor(() => gate.countWaiting() > 0, 'requests are in flight');
    await deployment.api.post('/v1/pipelines/{id}/pause', { params: { path: { id: pipelineId } } });
    gate.open();
    await waitFor(async () => {
      const [row] = await deployment.control
        .sql`select count(*)::int as n from pgboss.job where name = 'extract' and state < 'completed'`;
      return row?.['n'] === 0;
    }, 'no slice is running');
    const calls = deployment.simulator.requestCount;
    expect((await deployment.getRun(id)).status).toBe('running');
    expect(deployment.simulator.requestCount).toBe(calls);
    await deployment.api.post('/v1/pipelines/{id}/resume', { params: { path: { id: pipelineId } } });
    expect((await deployment.waitForRun(id)).status).toBe('succeeded');
    expect(await deployment.findDifferences()).toEqual([]);
  });
});
