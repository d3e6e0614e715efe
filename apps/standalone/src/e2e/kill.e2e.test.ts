import { eventually } from '@freshet/testing';
import { describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { differences } from '../test-support/equality.ts';

describe('I8: workers are disposable', () => {
  /** A gate in the account: calls wait at it while it is shut. */
  function gate(afterCalls: number) {
    let open: () => void = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    let waiting = 0;
    return {
      open: () => open(),
      waiting: () => waiting,
      intercept: async ({ number }: { number: number }) => {
        if (number <= afterCalls) return false;
        waiting++;
        await opened;
        return false;
      },
    };
  }

  test('kill -9 of the extract worker in the middle of a sync: another goes on, and nothing is lost', async () => {
    const halfWay = gate(200);
    await using deployment = await Deployment.start({ counts: { tickets: 300 }, intercept: halfWay.intercept });
    const { id } = await deployment.startRun(await deployment.createPipeline());
    await eventually(() => halfWay.waiting() > 0, 'calls are in flight');
    await deployment.kill('extract-worker');
    halfWay.open();
    await deployment.launch('extract-worker');
    expect((await deployment.finished(id)).status).toBe('succeeded');
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  });

  test('kill -9 of the load worker in the middle of a transaction: another loads what is pending, once', async () => {
    await using deployment = await Deployment.start({ counts: { tickets: 300 } });
    const pipelineId = await deployment.createPipeline();
    await deployment.sync(pipelineId);
    for (let id = 1; id <= 250; id++) deployment.simulator.account.update('tickets', id, { subject: `after ${id}` });
    const { sql } = deployment.warehouse;
    let killed = '';
    // Holding the table, the test stops the transaction between its ledger row and its end.
    await sql.begin(async (tx) => {
      await tx.unsafe(`lock table ${deployment.schema}.tickets in exclusive mode`);
      killed = (await deployment.startRun(pipelineId)).id;
      await eventually(async () => {
        const [row] =
          await sql`select count(*)::int as n from pg_stat_activity where datname = ${deployment.warehouse.name} and wait_event_type = 'Lock'`;
        return (row?.['n'] as number) > 0;
      }, 'the load waits for the lock');
      await deployment.kill('load-worker');
    });
    await deployment.launch('load-worker');
    expect((await deployment.finished(killed)).status).toBe('succeeded');
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
    const [sum] = await sql.unsafe(
      `select (select sum(inserted) from ${deployment.schema}._freshet_batches where table_name = 'tickets')::int as ledger, (select count(*) from ${deployment.schema}.tickets)::int as rows`,
    );
    expect(sum?.['ledger']).toBe(sum?.['rows']);
  });

  test('kill -9 of the API in the middle of a sync: the workers go on, and it finds the run when it is back', async () => {
    const halfWay = gate(100);
    await using deployment = await Deployment.start({ counts: { tickets: 200 }, intercept: halfWay.intercept });
    const { id } = await deployment.startRun(await deployment.createPipeline());
    await eventually(() => halfWay.waiting() > 0, 'calls are in flight');
    await deployment.kill('api');
    halfWay.open();
    await deployment.launch('api');
    expect((await deployment.finished(id)).status).toBe('succeeded');
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  });

  test('two workers of each kind leave what one of each does', async () => {
    await using deployment = await Deployment.start({ counts: { tickets: 300 } });
    await deployment.launch('extract-worker', 'second extract-worker');
    await deployment.launch('load-worker', 'second load-worker');
    expect((await deployment.sync(await deployment.createPipeline())).status).toBe('succeeded');
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  });

  test('pause stops the reading, resume goes on where it stood', async () => {
    const halfWay = gate(150);
    await using deployment = await Deployment.start({ counts: { tickets: 300 }, intercept: halfWay.intercept });
    const pipelineId = await deployment.createPipeline();
    const { id } = await deployment.startRun(pipelineId);
    await eventually(() => halfWay.waiting() > 0, 'calls are in flight');
    await deployment.api.call('POST', `/v1/pipelines/${pipelineId}/pause`);
    halfWay.open();
    await eventually(async () => {
      const [row] = await deployment.control
        .sql`select count(*)::int as n from pgboss.job where name = 'extract' and state < 'completed'`;
      return row?.['n'] === 0;
    }, 'no slice is under way');
    const calls = deployment.simulator.callCount;
    expect((await deployment.run(id)).status).toBe('running');
    expect(deployment.simulator.callCount).toBe(calls);
    await deployment.api.call('POST', `/v1/pipelines/${pipelineId}/resume`);
    expect((await deployment.finished(id)).status).toBe('succeeded');
    expect(await differences(deployment.simulator, deployment.warehouse, deployment.schema)).toEqual([]);
  });
});
