import { once } from 'node:events';
import { waitFor } from '@freshet/testing';
import { expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** Tests probes, metrics, shutdown and dead jobs. */

const PROCESSES = ['api', 'extract-worker', 'load-worker', 'scheduler'] as const;

/** Returns the value of the first metric line that matches. */
const getSample = (text: string, line: RegExp): number =>
  Number(
    text
      .split('\n')
      .find((l) => line.test(l))
      ?.split(' ')
      .at(-1) ?? Number.NaN,
  );

test('every process serves probes and metrics, and is listed by GET /v1/system', async () => {
  await using deployment = await Deployment.start({ counts: { tickets: 60 }, plan: 'enterprise' });
  const run = await deployment.sync(await deployment.createPipeline());
  expect(run.status).toBe('succeeded');
  for (const name of PROCESSES) {
    expect(await deployment.fetchFromMonitor(name, '/livez')).toEqual({ status: 200, text: '{"status":"ok"}' });
    expect((await deployment.fetchFromMonitor(name, '/readyz')).status).toBe(200);
    expect((await deployment.fetchFromMonitor(name, '/metrics')).text).toContain(
      `process_cpu_seconds_total{process="${name}"}`,
    );
    expect((await deployment.fetchFromMonitor(name, '/other')).status).toBe(404);
  }
  const extracted = (await deployment.fetchFromMonitor('extract-worker', '/metrics')).text;
  const tickets = run.objects.find((o) => o.object === 'tickets');
  expect(getSample(extracted, /^freshet_extracted_records_total\{object="tickets"/)).toBe(tickets?.records_extracted);
  const loaded = (await deployment.fetchFromMonitor('load-worker', '/metrics')).text;
  expect(getSample(loaded, /^freshet_loaded_bytes_total\{object="tickets"/)).toBe(tickets?.bytes_staged);
  expect(getSample(loaded, /^freshet_loaded_records_total\{object="tickets",result="inserted"/)).toBe(
    tickets?.records_loaded,
  );
  const deploymentMetrics = (await deployment.fetchFromMonitor('scheduler', '/metrics')).text;
  expect(getSample(deploymentMetrics, /^freshet_unloaded_batches/)).toBe(0);
  expect(getSample(deploymentMetrics, /^freshet_staleness_seconds\{object="tickets"/)).toBeGreaterThan(0);
  expect(deploymentMetrics).toMatch(/^freshet_credits_used_ratio\{account="demo"/m);
  // The endpoint /metrics of the API requires a token with read permission. The label `route`
  // contains the pattern of a route instead of the requested path.
  const metrics = await fetch(`${deployment.url}/metrics`, {
    headers: { authorization: `Bearer ${deployment.token}` },
  });
  expect(await metrics.text()).toContain('route="/v1/runs/:id"');
  expect((await fetch(`${deployment.url}/metrics`)).status).toBe(401);

  const system = await deployment.api.get('/v1/system');
  expect(system.processes.map(({ name, state }) => [name, state])).toEqual(PROCESSES.map((name) => [name, 'alive']));
});

test('on SIGTERM, a worker becomes unready and finishes its page; on a second signal more than two seconds later, it exits immediately (I8)', async () => {
  let isClosed = true;
  let waiting = 0;
  await using deployment = await Deployment.start({
    counts: { tickets: 200 },
    intercept: async ({ number }: { number: number }) => {
      if (number < 60) return false;
      waiting++;
      await waitFor(async () => !isClosed, 'the gate is open');
      waiting--;
      return false;
    },
  });
  const { id } = await deployment.startRun(await deployment.createPipeline());
  await waitFor(async () => waiting > 0, 'a request is in flight');
  const worker = deployment.signal('extract-worker', 'SIGTERM');
  await waitFor(
    async () => (await deployment.fetchFromMonitor('extract-worker', '/readyz')).status === 503,
    'the worker is not ready',
  );
  expect((await deployment.fetchFromMonitor('extract-worker', '/livez')).status).toBe(200);
  const workerExit = once(worker, 'exit');
  isClosed = false;
  expect((await workerExit)[0]).toBe(0);
  await deployment.launch('extract-worker');
  isClosed = true;
  await waitFor(async () => waiting > 0, 'the next worker has a request in flight');
  const nextWorker = deployment.signal('extract-worker', 'SIGTERM');
  await waitFor(
    async () => (await deployment.fetchFromMonitor('extract-worker', '/readyz')).status === 503,
    'the next worker drains',
  );
  const nextWorkerExit = once(nextWorker, 'exit');
  // Signals within two seconds count as one request. A later signal ends the process immediately.
  await waitFor(async () => {
    nextWorker.kill('SIGTERM');
    return nextWorker.exitCode !== null;
  }, 'the second signal ends the worker');
  expect((await nextWorkerExit)[0]).toBe(1);
  isClosed = false;
  await deployment.launch('extract-worker', 'third');
  expect((await deployment.waitForRun(id)).status).toBe('succeeded');
});

test('a job that always fails becomes a dead job with a reason, its object run fails, and the job can be retried', async () => {
  await using deployment = await Deployment.start({ counts: { tickets: 20 } }, ['api', 'load-worker', 'scheduler']);
  const { api, control } = deployment;
  // Reduce the attempts and remove the backoff, so that the test does not wait.
  await control.sql`update pgboss.queue set retry_limit = 2, retry_delay = 0, retry_backoff = false where name = 'extract'`;
  const pipelineId = await deployment.createPipeline();
  const { id } = await deployment.startRun(pipelineId);
  await control.sql`alter table freshet.object_runs add column original_object text`;
  await control.sql`insert into freshet.pipeline_objects (pipeline_id, object) values (${pipelineId}, 'unknown_object')`;
  await control.sql`update freshet.object_runs set original_object = object, object = 'unknown_object' where run_id = ${id} and object = 'roles'`;
  await deployment.launch('extract-worker');
  const run = await deployment.waitForRun(id);
  expect(run.status).toBe('partial');
  expect(run.objects.find((o) => o.object === 'unknown_object')).toMatchObject({
    status: 'failed',
    error: { code: 'bug', message: expect.stringContaining('failed on all 3 attempts') },
  });
  const { data } = await api.get('/v1/dead-jobs', { params: { query: { pipeline_id: pipelineId } } });
  expect(data).toMatchObject([
    { queue: 'extract', attempts: 3, pipeline_id: pipelineId, reason: expect.stringContaining('unknown_object') },
  ]);
  expect((await deployment.fetchFromMonitor('scheduler', '/metrics')).text).toMatch(
    /^freshet_dead_jobs\{process="scheduler"\} 1$/m,
  );

  // After the cause is corrected, the retried job completes the run.
  await control.sql`update freshet.object_runs set object = original_object where run_id = ${id} and original_object is not null`;
  await api.post('/v1/dead-jobs/{id}/redrive', { params: { path: { id: data[0]?.id as string } } });
  const retriedRun = await waitFor(async () => {
    const current = await deployment.getRun(id);
    return current.status === 'succeeded' ? current : null;
  }, 'the run has succeeded');
  expect(retriedRun.objects.every((o) => o.status === 'succeeded')).toBe(true);
  expect((await api.get('/v1/dead-jobs')).data).toEqual([]);
});
