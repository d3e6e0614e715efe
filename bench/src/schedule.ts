import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { BenchDeployment } from './deployment.ts';

/**
 * Measures the cost of scheduled pipelines while no pipeline is due. Measures three latencies: from
 * the due time to the creation of the run, from the due time to the first slice, and from the
 * extraction of a page to the load of its rows. Repeats the measurements with increasing numbers of
 * pipelines. Runs one process of each kind.
 */
const { values } = parseArgs({
  options: { pipelines: { type: 'string', default: '1,100,10000' }, idle: { type: 'string', default: '15' } },
});
const IDLE_SECONDS = Number(values.idle);
/** At most this number of pipelines becomes due, one pipeline after the other. */
const DUE_MAX = 100;
const DUE_EVERY_MS = 150;
/** The unit of the CPU times in `/proc/<pid>/stat` (`USER_HZ`, which is 100 on Linux). */
const TICKS_PER_SECOND = 100;
const OBJECT = 'roles';

const cleanups: (() => unknown)[] = [];
const origin = await BenchDeployment.startSimulator(['--tickets', '10'], cleanups);
await using deployment = await BenchDeployment.start(origin, cleanups);
const first = await deployment.createPipeline({ objects: [OBJECT], schema: 'first' });
const db = new pg.Client(deployment.controlDatabaseUrl);
await db.connect();
cleanups.push(() => db.end());
await db.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);

const scheduler = deployment.startWorker('scheduler');
deployment.startWorker('extract-worker');
deployment.startWorker('load-worker');

const printLine = (...cells: string[]) =>
  console.log(cells.map((c, i) => (i === 0 ? c.padStart(10) : c.padStart(16))).join(''));
console.log(`\nNode ${process.versions.node}; milliseconds, p50 / p99\n`);
printLine('pipelines', 'idle CPU', 'idle tx/s', 'due → run', 'due → slice', 'page → row');
for (const count of values.pipelines.split(',').map(Number)) {
  await db.query(
    `insert into freshet.pipelines (id, name, subdomain, credential_id, credit_share_percent, destination_id, destination_schema, table_prefix,
       frequency_minutes, objects, schema_policy, next_run_at)
     select gen_random_uuid(), 'p' || n, 'demo', credential_id, 100, destination_id, 's' || n, '', 1440, objects, 'evolve', now() + interval '10 years'
     from freshet.pipelines, generate_series((select count(*)::int from freshet.pipelines), $2::int - 1) n where id = $1`,
    [first.id, count],
  );
  await db.query('analyze freshet.pipelines');
  await sleep(3000);
  const idle = await measureIdleCost(scheduler);
  const latencies = await measureLatencies(Math.min(count, DUE_MAX));
  printLine(
    count.toLocaleString('en-US'),
    `${idle.cpuPercent.toFixed(1)} %`,
    idle.transactions.toFixed(1),
    latencies.run,
    latencies.slice,
    latencies.row,
  );
}

async function measureIdleCost(child: ChildProcess): Promise<{ cpuPercent: number; transactions: number }> {
  const getCpuSeconds = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  };
  const countTransactions = async () => {
    const { rows } = await db.query<{ n: string }>(
      'select xact_commit as n from pg_stat_database where datname = current_database()',
    );
    return Number(rows[0]?.n);
  };
  const [cpuBefore, transactionsBefore] = [getCpuSeconds(), await countTransactions()];
  await sleep(IDLE_SECONDS * 1000);
  return {
    cpuPercent: ((getCpuSeconds() - cpuBefore) / IDLE_SECONDS) * 100,
    transactions: ((await countTransactions()) - transactionsBefore) / IDLE_SECONDS,
  };
}

async function measureLatencies(count: number): Promise<{ run: string; slice: string; row: string }> {
  const startedAt = new Date();
  const { rows } = await db.query<{ id: string; due: Date }>(
    `update freshet.pipelines p set next_run_at =
       now() + interval '1 second' + make_interval(secs => n.number * $2::float8 / 1000)
     from (
       select id, row_number() over (order by id) as number from (select id from freshet.pipelines limit $1) chosen
     ) n where n.id = p.id
     returning p.id, p.next_run_at as due`,
    [count, DUE_EVERY_MS],
  );
  const due = new Map(rows.map((row) => [row.id, row.due.getTime()]));
  for (;;) {
    const { rows: finishedRuns } = await db.query<{ pipeline_id: string; created_at: Date; started_at: Date }>(
      `select r.pipeline_id, r.created_at, o.started_at from freshet.runs r join freshet.object_runs o on o.run_id = r.id
       where r.created_at > $1 and r.finished_at is not null`,
      [startedAt],
    );
    if (finishedRuns.length >= count) {
      const getLatencies = (column: 'created_at' | 'started_at') =>
        finishedRuns.map((run) => run[column].getTime() - (due.get(run.pipeline_id) as number));
      const { rows: batches } = await db.query<{ ms: number }>(
        `select extract(epoch from loaded_at - extracted_at)::float8 * 1000 as ms from freshet.batches where loaded_at > $1`,
        [startedAt],
      );
      await db.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
      return {
        run: formatPercentiles(getLatencies('created_at')),
        slice: formatPercentiles(getLatencies('started_at')),
        row: formatPercentiles(batches.map((b) => b.ms)),
      };
    }
    await sleep(100);
  }
}

function formatPercentiles(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const getPercentile = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
  return `${getPercentile(0.5)} / ${getPercentile(0.99)}`;
}
