import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Lab } from './lab.ts';

/**
 * What more workers bring: several pipelines at once with 1, 2 and 4 workers of each kind, beside the first of these. And what a worker's death
 * costs: the time from `kill -9` of one that has work in hand until another has taken it over.
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
const simulator = await Lab.simulatorProcess(['--tickets', values.tickets, '--span-days', '300'], cleanups);
await using lab = await Lab.open(simulator.origin, cleanups);
const control = await connected(lab.controlUrl);
const warehouse = await connected(lab.warehouseUrl);
lab.worker('scheduler');

const line = (...cells: string[]) =>
  console.log(cells.map((c, i) => (i === 0 ? c.padEnd(34) : c.padStart(16))).join(''));
console.log(
  `\nNode ${process.versions.node}, ${availableParallelism()} cores for workers, simulator and PostgreSQL together\n`,
);
line('workers of each kind', 'seconds', 'records/s', 'of the first');
let first = 0;
for (const count of values.workers.split(',').map(Number)) {
  const { records, seconds } = await syncs(count);
  const rate = records / seconds;
  first ||= rate;
  line(String(count), seconds.toFixed(1), Math.round(rate).toLocaleString('en-US'), (rate / first).toFixed(2));
}

console.log('\nseconds from kill -9 until another worker has taken over');
const kills = Number(values.kills);
line('an extract worker in a slice', ...spread(await timesOf(kills, killReader)));
line('a load worker in a transaction', ...spread(await timesOf(kills, killLoader)));

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  cleanups.push(() => client.end());
  return client;
}

/** All pipelines' first syncs, from the start of the runs until the last row has landed. */
async function syncs(count: number): Promise<{ records: number; seconds: number }> {
  const pipelines = await Promise.all(
    Array.from({ length: PIPELINES }, (_, n) => lab.pipeline({ objects: [OBJECT], schema: `w${count}_${n}` })),
  );
  // A scheduler must not start them.
  await control.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
  const workers = Array.from({ length: count }, () => [lab.worker('extract-worker'), lab.worker('load-worker')]).flat();
  await up(...workers);
  const began = performance.now();
  const runs = await Promise.all(pipelines.map((pipeline) => lab.startRun(pipeline)));
  const done = await Promise.all(runs.map((run) => lab.finished(run)));
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(workers.map(kill));
  return { records: done.flatMap((run) => run.objects).reduce((sum, o) => sum + o.records_extracted, 0), seconds };
}

/** Waits until these look for work: one that has come up has entered itself. */
async function up(...children: readonly ChildProcess[]): Promise<void> {
  const pids = children.map(({ pid }) => pid);
  await eventually(async () => {
    const { rows } = await control.query<{ n: number }>(
      'select count(*)::int as n from pgboss.instance where pid = any($1) and stopped_on is null',
      [pids],
    );
    return rows[0]?.n === pids.length;
  });
}

/** In the middle of a call: the account stands still. */
async function killReader(n: number): Promise<number> {
  const pipeline = await lab.pipeline({ objects: [OBJECT], schema: `reader_${n}` });
  await control.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
  const victim = lab.worker('extract-worker');
  const run = await lab.startRun(pipeline);
  await eventually(async () => (await epochOf(pipeline.id, 'extract_epoch')) === 1);
  simulator.child.kill('SIGSTOP');
  const heir = lab.worker('extract-worker');
  await up(heir);
  const seconds = await killed(victim, pipeline.id, 'extract_epoch');
  simulator.child.kill('SIGCONT');
  await lab.store.runs.cancel(run);
  await kill(heir);
  return seconds;
}

/** In the middle of a transaction: somebody else holds the row that it wants. */
async function killLoader(n: number): Promise<number> {
  const schema = `loader_${n}`;
  const pipeline = await lab.pipeline({ objects: [OBJECT], schema });
  await control.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
  const reader = lab.worker('extract-worker');
  const victim = lab.worker('load-worker');
  const run = await lab.startRun(pipeline);
  await eventually(
    async () =>
      (await warehouse.query(`select to_regclass($1) is not null as there`, [`${schema}._freshet_objects`])).rows[0]
        ?.there,
  );
  await warehouse.query('begin');
  await warehouse.query(`lock table ${schema}._freshet_objects`);
  const heir = lab.worker('load-worker');
  await up(heir);
  const seconds = await killed(victim, pipeline.id, 'load_epoch');
  await warehouse.query('rollback');
  await lab.store.runs.cancel(run);
  await Promise.all([reader, heir].map(kill));
  return seconds;
}

async function killed(
  victim: ChildProcess,
  pipelineId: string,
  epoch: 'extract_epoch' | 'load_epoch',
): Promise<number> {
  const before = await epochOf(pipelineId, epoch);
  await kill(victim);
  const began = performance.now();
  await eventually(async () => (await epochOf(pipelineId, epoch)) > before);
  return (performance.now() - began) / 1000;
}

async function epochOf(pipelineId: string, epoch: 'extract_epoch' | 'load_epoch'): Promise<number> {
  const { rows } = await control.query<{ epoch: string }>(
    `select ${epoch} as epoch from freshet.pipeline_objects where pipeline_id = $1`,
    [pipelineId],
  );
  return Number(rows[0]?.epoch ?? 0);
}

async function timesOf(count: number, measure: (n: number) => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) times.push(await measure(n));
  return times;
}

function spread(times: readonly number[]): string[] {
  const sorted = times.toSorted((a, b) => a - b);
  return [
    `p50 ${(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(1)}`,
    `max ${(sorted.at(-1) ?? Number.NaN).toFixed(1)}`,
  ];
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(20);
}
