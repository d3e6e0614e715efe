import { once } from 'node:events';
import { eventually } from '@freshet/testing';
import { expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** What whoever runs a deployment sees of it, and does about it. */

interface DeadJob {
  readonly id: string;
  readonly queue: string;
  readonly attempts: number;
  readonly reason: string;
  readonly pipeline_id: string | null;
}

const PROCESSES = ['api', 'extract-worker', 'load-worker', 'scheduler'] as const;

/** The value of a line of the text format, by its beginning. */
const sampleOf = (text: string, line: RegExp): number =>
  Number(
    text
      .split('\n')
      .find((l) => line.test(l))
      ?.split(' ')
      .at(-1) ?? Number.NaN,
  );

test('every process says that it lives, that it is ready, and what it has done', async () => {
  await using deployment = await Deployment.start({ counts: { tickets: 60 }, plan: 'enterprise' });
  const run = await deployment.sync(await deployment.createPipeline());
  expect(run.status).toBe('succeeded');
  for (const name of PROCESSES) {
    expect(await deployment.monitor(name, '/livez')).toEqual({ status: 200, text: '{"status":"ok"}' });
    expect((await deployment.monitor(name, '/readyz')).status).toBe(200);
    expect((await deployment.monitor(name, '/metrics')).text).toContain(`process_cpu_seconds_total{process="${name}"}`);
    expect((await deployment.monitor(name, '/other')).status).toBe(404);
  }
  const extracted = (await deployment.monitor('extract-worker', '/metrics')).text;
  const tickets = run.objects.find((o) => o.object === 'tickets');
  expect(sampleOf(extracted, /^freshet_extracted_records_total\{object="tickets"/)).toBe(tickets?.records_extracted);
  const loaded = (await deployment.monitor('load-worker', '/metrics')).text;
  expect(sampleOf(loaded, /^freshet_loaded_bytes_total\{object="tickets"/)).toBe(tickets?.bytes_staged);
  expect(sampleOf(loaded, /^freshet_loaded_records_total\{object="tickets",result="inserted"/)).toBe(
    tickets?.records_loaded,
  );
  const whole = (await deployment.monitor('scheduler', '/metrics')).text;
  expect(sampleOf(whole, /^freshet_unloaded_batches/)).toBe(0);
  expect(sampleOf(whole, /^freshet_staleness_seconds\{object="tickets"/)).toBeGreaterThan(0);
  expect(whole).toMatch(/^freshet_credits_used_ratio\{account="demo"/m);
  // The API's own are for whoever may read, and name routes by their patterns.
  const metrics = await fetch(`${deployment.url}/metrics`, {
    headers: { authorization: `Bearer ${deployment.token}` },
  });
  expect(await metrics.text()).toContain('route="/v1/runs/:id"');
  expect((await fetch(`${deployment.url}/metrics`)).status).toBe(401);

  const system = await deployment.api.call<{ processes: { name: string; state: string }[]; rejected_records: number }>(
    'GET',
    '/v1/system',
  );
  expect(system.processes.map(({ name, state }) => [name, state])).toEqual(PROCESSES.map((name) => [name, 'alive']));
});

test('I8: on SIGTERM a worker is ready no more, finishes the page in hand, and another goes on; a second signal ends it at once', async () => {
  let shut = true;
  let waiting = 0;
  await using deployment = await Deployment.start({
    counts: { tickets: 200 },
    intercept: async ({ number }: { number: number }) => {
      if (number < 60) return false;
      waiting++;
      await eventually(async () => !shut, 'the gate is open');
      waiting--;
      return false;
    },
  });
  const { id } = await deployment.startRun(await deployment.createPipeline());
  await eventually(async () => waiting > 0, 'a call is in flight');
  const worker = deployment.signal('extract-worker', 'SIGTERM');
  await eventually(
    async () => (await deployment.monitor('extract-worker', '/readyz')).status === 503,
    'it is ready no more',
  );
  expect((await deployment.monitor('extract-worker', '/livez')).status).toBe(200);
  const ended = once(worker, 'exit');
  shut = false;
  expect((await ended)[0]).toBe(0);
  await deployment.launch('extract-worker');
  shut = true;
  await eventually(async () => waiting > 0, 'the other reads');
  const second = deployment.signal('extract-worker', 'SIGTERM');
  await eventually(async () => (await deployment.monitor('extract-worker', '/readyz')).status === 503, 'it drains');
  const gone = once(second, 'exit');
  // Signals within two seconds are one request: a later one ends it at once.
  await eventually(async () => {
    second.kill('SIGTERM');
    return second.exitCode !== null;
  }, 'a second request ends it');
  expect((await gone)[0]).toBe(1);
  shut = false;
  await deployment.launch('extract-worker', 'third');
  expect((await deployment.finished(id)).status).toBe('succeeded');
});

test('a job that always fails is set aside with its reason, ends what waits for it, and is sent again when somebody has seen to it', async () => {
  await using deployment = await Deployment.start({ counts: { tickets: 20 } }, ['api', 'load-worker', 'scheduler']);
  const { api, control } = deployment;
  // Fewer tries, and no waiting: as one who has waited sees it.
  await control.sql`update pgboss.queue set retry_limit = 2, retry_delay = 0, retry_backoff = false where name = 'extract'`;
  const pipelineId = await deployment.createPipeline();
  const { id } = await deployment.startRun(pipelineId);
  await control.sql`alter table freshet.object_runs add column was text`;
  await control.sql`insert into freshet.pipeline_objects (pipeline_id, object) values (${pipelineId}, 'unheard_of')`;
  await control.sql`update freshet.object_runs set was = object, object = 'unheard_of' where run_id = ${id} and object = 'roles'`;
  await deployment.launch('extract-worker');
  const run = await deployment.finished(id);
  expect(run.status).toBe('partial');
  expect(run.objects.find((o) => o.object === 'unheard_of')).toMatchObject({
    status: 'failed',
    error: { code: 'bug', message: expect.stringContaining('set aside after 3 tries') },
  });
  const { data } = await api.call<{ data: DeadJob[] }>('GET', `/v1/dead-jobs?pipeline_id=${pipelineId}`);
  expect(data).toMatchObject([
    { queue: 'extract', attempts: 3, pipeline_id: pipelineId, reason: expect.stringContaining('unheard_of') },
  ]);
  expect((await deployment.monitor('scheduler', '/metrics')).text).toMatch(
    /^freshet_dead_jobs\{process="scheduler"\} 1$/m,
  );

  // Mended, it is sent again, and its run goes on to its end.
  await control.sql`update freshet.object_runs set object = was where run_id = ${id} and was is not null`;
  await api.call('POST', `/v1/dead-jobs/${data[0]?.id}/redrive`);
  const again = await eventually(async () => {
    const now = await deployment.run(id);
    return now.status === 'succeeded' ? now : null;
  }, 'the run has succeeded');
  expect(again.objects.every((o) => o.status === 'succeeded')).toBe(true);
  expect((await api.call<{ data: DeadJob[] }>('GET', '/v1/dead-jobs')).data).toEqual([]);
});
