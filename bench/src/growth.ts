import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Lab } from './lab.ts';

/**
 * What the control database grows by for every million records: right after they were loaded, and when retention has dropped their day. Beside the
 * size of the same rows in the warehouse.
 */
const { values } = parseArgs({ options: { tickets: { type: 'string', default: '100000' } } });
const OBJECT = 'tickets';

const cleanups: (() => unknown)[] = [];
const origin = await Lab.simulator(['--tickets', values.tickets, '--span-days', '300'], cleanups);
await using lab = await Lab.open(origin, cleanups);
const control = new pg.Client(lab.controlUrl);
const warehouse = new pg.Client(lab.warehouseUrl);
for (const client of [control, warehouse]) {
  await client.connect();
  cleanups.push(() => client.end());
}
const size = async (client: pg.Client, vacuum: boolean) => {
  if (vacuum) await client.query('vacuum');
  await client.query('checkpoint');
  return Number(
    (await client.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes')).rows[0]?.bytes,
  );
};

const pipeline = await lab.pipeline({ objects: [OBJECT], schema: 'growth' });
await control.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
// What is read is of nine days ago: by then it is older than it is kept.
const DAYS_AGO = 9;
const storedOn = (daysAgo: number) => `((now() at time zone 'UTC')::date - ${daysAgo})`;
const day = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
await control.query(
  `create table freshet.batches_${day(DAYS_AGO).replaceAll('-', '')} partition of freshet.batches for values from ('${day(DAYS_AGO)}') to ('${day(DAYS_AGO - 1)}')`,
);
await control.query(`alter table freshet.batches alter stored_on set default ${storedOn(DAYS_AGO)}`);
const before = { control: await size(control, true), warehouse: await size(warehouse, true) };
// No scheduler: it would drop a day that has nothing yet.
for (const app of ['extract-worker', 'load-worker'] as const) lab.worker(app);
const run = await lab.finished(await lab.startRun(pipeline));
const records = run.objects.reduce((sum, o) => sum + o.records_extracted, 0);
// The jobs that are done go after an hour; here at once.
await control.query(`update pgboss.job set completed_on = now() - interval '2 hours' where state = 'completed'`);
await sleep(10_000);

const after = await size(control, false);
const rows = await size(warehouse, false);
const batches = (await control.query<{ n: number }>(`select count(*)::int as n from freshet.batches`)).rows[0]?.n;
await control.query(`update freshet.batches set loaded_at = loaded_at - interval '8 days'`);
if ((await lab.store.schedule.keepBatchPartitions(7)) !== 1) throw new Error('The day was not dropped.');
await control.query(`alter table freshet.batches alter stored_on set default ${storedOn(0)}`);
const deleted = await size(control, false);
const vacuumed = await size(control, true);
const { rows: left } = await control.query<{ name: string; bytes: string }>(
  `select n.nspname || '.' || c.relname as name, pg_total_relation_size(c.oid) as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname in ('freshet', 'pgboss') and c.relkind = 'r' order by 2 desc limit 4`,
);
// What is read next finds the room that was given up.
await lab.store.runs.restartObject(pipeline.id, OBJECT);
await lab.finished(await lab.startRun(pipeline));
const again = await size(control, false);

const perMillion = (bytes: number) => `${Math.round(((bytes / records) * 1e6) / 2 ** 20).toLocaleString('en-US')} MiB`;
const line = (what: string, bytes: number) =>
  console.log(
    `${what.padEnd(58)}${perMillion(bytes).padStart(12)}${(bytes / (rows - before.warehouse)).toFixed(2).padStart(18)}`,
  );
console.log(`\n${records.toLocaleString('en-US')} records in ${batches} batches, Node ${process.versions.node}\n`);
console.log(`${''.padEnd(58)}${'a million'.padStart(12)}${'of the warehouse'.padStart(18)}`);
line('the warehouse', rows - before.warehouse);
line('the control database, all loaded', after - before.control);
line('  when retention has dropped the day', deleted - before.control);
line('  and a vacuum has been', vacuumed - before.control);
line('  and all was read a second time', again - before.control);
console.log('\nwhat is left, by table:');
for (const { name, bytes } of left) console.log(`  ${name.padEnd(40)}${perMillion(Number(bytes)).padStart(12)}`);
