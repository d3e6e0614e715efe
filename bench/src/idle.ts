import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { BenchDeployment } from './deployment.ts';
import { listProcesses } from './processes.ts';

/**
 * Measures the CPU that a deployment uses while no pipeline is due: one process of each kind, and
 * PostgreSQL. The baseline is the same PostgreSQL without processes of Freshet. CPU is a percentage
 * of one core.
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const seconds = Number(values.seconds);
/** Time after the start of the processes for caches, compilers and the heap to settle. */
const WARM_UP_MS = 45_000;
const START_POLL_MS = 500;
const APPS = ['api', 'extract-worker', 'load-worker', 'scheduler'] as const;

await using deployment = await BenchDeployment.start('http://127.0.0.1:1');
await deployment.createPipeline({ objects: ['roles'] });
// The store of the benchmark supervises the queues, and would cause load.
await deployment.store.close();
const db = new pg.Client(deployment.controlDatabaseUrl);
await db.connect();
await db.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
const { rows } = await db.query<{ pid: number }>('select pg_backend_pid() as pid');
const backend = listProcesses().find(({ pid }) => pid === rows[0]?.pid);
if (backend === undefined) throw new Error('PostgreSQL runs on a different machine.');
const postmasterPid = backend.parentPid;

const baseline = await measure();
await deployment.startApi();
for (const app of ['extract-worker', 'load-worker', 'scheduler'] as const) deployment.startWorker(app);
while ((await countStartedApps()) < APPS.length) await sleep(START_POLL_MS);
await sleep(WARM_UP_MS);
const transactionsBefore = await countTransactions();
const usage = await measure();
const transactions = (await countTransactions()) - transactionsBefore;
await db.end();

const print = (name: string, value: number, unit: string) =>
  console.log(name.padEnd(28), value.toFixed(2).padStart(6), unit);
print('PostgreSQL without Freshet', baseline.get('PostgreSQL') ?? 0, '% of one core');
for (const [name, percent] of usage) print(name, percent, '% of one core');
print(
  'total',
  [...usage.values()].reduce((sum, percent) => sum + percent, 0),
  '% of one core',
);
print('transactions', transactions / seconds, 'per second');

/** Measures the CPU of PostgreSQL and of each process of the deployment, in percent of one core. */
async function measure(): Promise<Map<string, number>> {
  const before = getCpuSeconds();
  await sleep(seconds * 1000);
  return new Map([...getCpuSeconds()].map(([name, cpu]) => [name, ((cpu - (before.get(name) ?? 0)) / seconds) * 100]));
}

function getCpuSeconds(): Map<string, number> {
  const processes = listProcesses();
  const postgres = processes
    .filter(({ parentPid }) => parentPid === postmasterPid)
    .reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const postmaster = processes.find(({ pid }) => pid === postmasterPid);
  const apps = APPS.flatMap((app): [string, number][] => {
    const found = processes.find((p) => p.parentPid === process.pid && p.command.includes(`apps/${app}/`));
    return found === undefined ? [] : [[app, found.cpuSeconds]];
  });
  const server = (postmaster?.cpuSeconds ?? 0) + (postmaster?.childCpuSeconds ?? 0);
  return new Map([['PostgreSQL', postgres + server], ...apps]);
}

/** Counts the kinds of processes that have registered with the queue. */
async function countStartedApps(): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    'select count(distinct name)::int as n from freshet.processes where name = any($1) and stopped_at is null',
    [[...APPS]],
  );
  return rows[0]?.n ?? 0;
}

async function countTransactions(): Promise<number> {
  const { rows } = await db.query<{ n: string }>(
    'select xact_commit as n from pg_stat_database where datname = current_database()',
  );
  return Number(rows[0]?.n);
}
