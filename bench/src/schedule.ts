import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Lab } from './lab.ts';

/**
 * What scheduled pipelines cost while nothing is due, and how long it takes from the moment that one is due to its run, to the first slice of it,
 * and from a page to its rows, for few and for many pipelines. One scheduler, one extract worker, one load worker.
 */
const { values } = parseArgs({
  options: { pipelines: { type: 'string', default: '1,100,10000' }, idle: { type: 'string', default: '15' } },
});
const IDLE_SECONDS = Number(values.idle);
/** Of many pipelines so many fall due, one after the other, as over a day. */
const DUE_MAX = 100;
const DUE_EVERY_MS = 150;
/** Of `/proc/<pid>/stat`: the kernel counts in hundredths of a second everywhere that Linux runs. */
const TICKS_PER_SECOND = 100;
const OBJECT = 'roles';

const cleanups: (() => unknown)[] = [];
const origin = await Lab.simulator(['--tickets', '10'], cleanups);
await using lab = await Lab.open(origin, cleanups);
const first = await lab.pipeline({ objects: [OBJECT], schema: 'first' });
const db = new pg.Client(lab.controlUrl);
await db.connect();
cleanups.push(() => db.end());
await db.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);

const scheduler = lab.worker('scheduler');
lab.worker('extract-worker');
lab.worker('load-worker');

const line = (...cells: string[]) =>
  console.log(cells.map((c, i) => (i === 0 ? c.padStart(10) : c.padStart(16))).join(''));
console.log(`\nNode ${process.versions.node}; milliseconds, p50 / p99\n`);
line('pipelines', 'idle CPU', 'idle tx/s', 'due → run', 'due → slice', 'page → row');
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
  const idle = await idleCost(scheduler);
  const due = await fallDue(Math.min(count, DUE_MAX));
  line(
    count.toLocaleString('en-US'),
    `${idle.cpuPercent.toFixed(1)} %`,
    idle.transactions.toFixed(1),
    due.run,
    due.slice,
    due.row,
  );
}

async function idleCost(child: ChildProcess): Promise<{ cpuPercent: number; transactions: number }> {
  const cpu = () => {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  };
  const transactions = async () => {
    const { rows } = await db.query<{ n: string }>(
      'select xact_commit as n from pg_stat_database where datname = current_database()',
    );
    return Number(rows[0]?.n);
  };
  const [cpuBefore, transactionsBefore] = [cpu(), await transactions()];
  await sleep(IDLE_SECONDS * 1000);
  return {
    cpuPercent: ((cpu() - cpuBefore) / IDLE_SECONDS) * 100,
    transactions: ((await transactions()) - transactionsBefore) / IDLE_SECONDS,
  };
}

async function fallDue(count: number): Promise<{ run: string; slice: string; row: string }> {
  const began = new Date();
  const { rows } = await db.query<{ id: string; due: Date }>(
    `update freshet.pipelines p set next_run_at = now() + interval '1 second' + make_interval(secs => n.number * $2::float8 / 1000)
     from (select id, row_number() over (order by id) as number from (select id from freshet.pipelines limit $1) chosen) n where n.id = p.id
     returning p.id, p.next_run_at as due`,
    [count, DUE_EVERY_MS],
  );
  const due = new Map(rows.map((row) => [row.id, row.due.getTime()]));
  for (;;) {
    const { rows: done } = await db.query<{ pipeline_id: string; created_at: Date; started_at: Date }>(
      `select r.pipeline_id, r.created_at, o.started_at from freshet.runs r join freshet.object_runs o on o.run_id = r.id
       where r.created_at > $1 and r.finished_at is not null`,
      [began],
    );
    if (done.length >= count) {
      const after = (of: 'created_at' | 'started_at') =>
        done.map((run) => run[of].getTime() - (due.get(run.pipeline_id) as number));
      const { rows: batches } = await db.query<{ ms: number }>(
        `select extract(epoch from loaded_at - extracted_at)::float8 * 1000 as ms from freshet.batches where loaded_at > $1`,
        [began],
      );
      await db.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
      return {
        run: spread(after('created_at')),
        slice: spread(after('started_at')),
        row: spread(batches.map((b) => b.ms)),
      };
    }
    await sleep(100);
  }
}

function spread(of: number[]): string {
  const sorted = of.toSorted((a, b) => a - b);
  const at = (part: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN);
  return `${at(0.5)} / ${at(0.99)}`;
}
