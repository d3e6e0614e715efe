import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { BenchDeployment } from './deployment.ts';

/**
 * Measures how throughput scales with the number of workers. Runs the first syncs of several
 * pipelines at once with 1, 2 and 4 workers of each kind, and compares each throughput with that of
 * the first measurement. Then measures the recovery time, from `kill -9` of a busy worker until a
 * second worker acquires the lease.
 */
const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '1,2,4' },
    pipelines: { type: 'string', default: '4' },
    tickets: { type: 'string', default: '20000' },
    kills: { type: 'string', default: '5' },
  },
});
const PIPELINES = Number(values.pipelines);
const OBJECT = 'tickets';

const cleanups: (() => unknown)[] = [];
const simulator = await BenchDeployment.startSimulatorProcess(
  ['--tickets', values.tickets, '--span-days', '300'],
  cleanups,
);
await using deployment = await BenchDeployment.start(simulator.origin, cleanups);
const control = await connect(deployment.controlDatabaseUrl);
const warehouse = await connect(deployment.warehouseUrl);
deployment.startWorker('scheduler');

const printLine = (...cells: string[]) =>
  console.log(cells.map((c, i) => (i === 0 ? c.padEnd(34) : c.padStart(16))).join(''));
console.log(
  `\nNode ${process.versions.node}, ${availableParallelism()} cores for workers, simulator and PostgreSQL together\n`,
);
printLine('workers of each kind', 'seconds', 'records/s', 'vs. first');
let first = 0;
for (const count of values.workers.split(',').map(Number)) {
  const { records, seconds } = await measureSyncs(count);
  const rate = records / seconds;
  first ||= rate;
  printLine(String(count), seconds.toFixed(1), Math.round(rate).toLocaleString('en-US'), (rate / first).toFixed(2));
}

console.log('\nseconds from kill -9 until another worker acquires the lease');
const kills = Number(values.kills);
printLine('extract worker during a slice', ...formatPercentiles(await measureRepeatedly(kills, killExtractWorker)));
printLine('load worker during a transaction', ...formatPercentiles(await measureRepeatedly(kills, killLoadWorker)));

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  cleanups.push(() => client.end());
  return client;
}

/**
 * Measures the first syncs of all pipelines, from the start of the runs until the last row is
 * loaded.
 */
async function measureSyncs(count: number): Promise<{ records: number; seconds: number }> {
  const pipelines = await Promise.all(
    Array.from({ length: PIPELINES }, (_, n) =>
      deployment.createPipeline({ objects: [OBJECT], schema: `w${count}_${n}` }),
    ),
  );
  // Keep the scheduler from starting the pipelines.
  await control.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
  const workers = Array.from({ length: count }, () => [
    deployment.startWorker('extract-worker'),
    deployment.startWorker('load-worker'),
  ]).flat();
  await deployment.waitForStart(...workers);
  const startedAt = performance.now();
  const runs = await Promise.all(pipelines.map((pipeline) => deployment.startRun(pipeline)));
  const finishedRuns = await Promise.all(runs.map((run) => deployment.waitForRun(run)));
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all(workers.map(kill));
  return {
    records: finishedRuns.flatMap((run) => run.objects).reduce((sum, o) => sum + o.records_extracted, 0),
    seconds,
  };
}

/**
 * Kills an extract worker during a request. The simulator is suspended, so that the request cannot
 * finish.
 * @returns the recovery time in seconds.
 */
async function killExtractWorker(n: number): Promise<number> {
  const pipeline = await deployment.createPipeline({ objects: [OBJECT], schema: `reader_${n}` });
  await control.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
  const victim = deployment.startWorker('extract-worker');
  const run = await deployment.startRun(pipeline);
  await waitUntil(async () => (await getEpoch(pipeline.id, 'extract_epoch')) === 1);
  simulator.child.kill('SIGSTOP');
  const successor = deployment.startWorker('extract-worker');
  await deployment.waitForStart(successor);
  const seconds = await killAndMeasure(victim, pipeline.id, 'extract_epoch');
  simulator.child.kill('SIGCONT');
  await deployment.store.runs.cancel(run);
  await kill(successor);
  return seconds;
}

/**
 * Kills a load worker during a transaction. The benchmark holds a lock that the transaction needs,
 * so that the transaction cannot finish.
 * @returns the recovery time in seconds.
 */
async function killLoadWorker(n: number): Promise<number> {
  const schema = `loader_${n}`;
  const pipeline = await deployment.createPipeline({ objects: [OBJECT], schema });
  await control.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
  const extractWorker = deployment.startWorker('extract-worker');
  const victim = deployment.startWorker('load-worker');
  const run = await deployment.startRun(pipeline);
  await waitUntil(
    async () =>
      (await warehouse.query(`select to_regclass($1) is not null as exists`, [`${schema}._freshet_objects`])).rows[0]
        ?.exists,
  );
  await warehouse.query('begin');
  await warehouse.query(`lock table ${schema}._freshet_objects`);
  const successor = deployment.startWorker('load-worker');
  await deployment.waitForStart(successor);
  const seconds = await killAndMeasure(victim, pipeline.id, 'load_epoch');
  await warehouse.query('rollback');
  await deployment.store.runs.cancel(run);
  await Promise.all([extractWorker, successor].map(kill));
  return seconds;
}

async function killAndMeasure(
  victim: ChildProcess,
  pipelineId: string,
  epoch: 'extract_epoch' | 'load_epoch',
): Promise<number> {
  const before = await getEpoch(pipelineId, epoch);
  await kill(victim);
  const startedAt = performance.now();
  await waitUntil(async () => (await getEpoch(pipelineId, epoch)) > before);
  return (performance.now() - startedAt) / 1000;
}

async function getEpoch(pipelineId: string, epoch: 'extract_epoch' | 'load_epoch'): Promise<number> {
  const { rows } = await control.query<{ epoch: string }>(
    `select ${epoch} as epoch from freshet.pipeline_objects where pipeline_id = $1`,
    [pipelineId],
  );
  return Number(rows[0]?.epoch ?? 0);
}

async function measureRepeatedly(count: number, measure: (n: number) => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) times.push(await measure(n));
  return times;
}

function formatPercentiles(times: readonly number[]): string[] {
  const sorted = times.toSorted((a, b) => a - b);
  return [
    `p50 ${(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(1)}`,
    `max ${(sorted.at(-1) ?? Number.NaN).toFixed(1)}`,
  ];
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

async function waitUntil(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(20);
}
