import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { BenchDeployment } from './deployment.ts';

/**
 * Measures the growth of the control database per million records: after loading, after retention
 * has dropped the partition that contains the batches, and after a second full sync. The reference
 * is the size of the same rows in the warehouse.
 */
const { values } = parseArgs({ options: { tickets: { type: 'string', default: '100000' } } });
const OBJECT = 'tickets';

const cleanups: (() => unknown)[] = [];
const origin = await BenchDeployment.startSimulator(['--tickets', values.tickets, '--span-days', '300'], cleanups);
await using deployment = await BenchDeployment.start(origin, cleanups);
const control = new pg.Client(deployment.controlDatabaseUrl);
const warehouse = new pg.Client(deployment.warehouseUrl);
for (const client of [control, warehouse]) {
  await client.connect();
  cleanups.push(() => client.end());
}
const getSize = async (client: pg.Client, shouldVacuum: boolean) => {
  if (shouldVacuum) await client.query('vacuum');
  await client.query('checkpoint');
  return Number(
    (await client.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes')).rows[0]?.bytes,
  );
};

const pipeline = await deployment.createPipeline({ objects: [OBJECT], schema: 'growth' });
await control.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
// Store batches as if they were stored nine days ago, so that retention (7 days) can drop them.
const DAYS_AGO = 9;
const storedOnSql = (daysAgo: number) => `((now() at time zone 'UTC')::date - ${daysAgo})`;
const formatDay = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
await control.query(
  `create table freshet.batches_${formatDay(DAYS_AGO).replaceAll('-', '')} partition of freshet.batches for values from ('${formatDay(DAYS_AGO)}') to ('${formatDay(DAYS_AGO - 1)}')`,
);
await control.query(`alter table freshet.batches alter stored_on set default ${storedOnSql(DAYS_AGO)}`);
const before = { control: await getSize(control, true), warehouse: await getSize(warehouse, true) };
// Do not start a scheduler, because it would drop the partition while the partition is still empty.
for (const app of ['extract-worker', 'load-worker'] as const) deployment.startWorker(app);
const run = await deployment.waitForRun(await deployment.startRun(pipeline));
const records = run.objects.reduce((sum, o) => sum + o.records_extracted, 0);
// Finished jobs are deleted after an hour. Backdate them so that the next cleanup deletes them.
await control.query(`update pgboss.job set completed_on = now() - interval '2 hours' where state = 'completed'`);
await sleep(10_000);

const afterLoad = await getSize(control, false);
const warehouseSize = await getSize(warehouse, false);
const batches = (await control.query<{ n: number }>(`select count(*)::int as n from freshet.batches`)).rows[0]?.n;
await control.query(`update freshet.batches set loaded_at = loaded_at - interval '8 days'`);
if ((await deployment.store.schedule.maintainBatchPartitions(7)) !== 1)
  throw new Error('Retention did not drop the partition.');
await control.query(`alter table freshet.batches alter stored_on set default ${storedOnSql(0)}`);
const afterRetention = await getSize(control, false);
const afterVacuum = await getSize(control, true);
const { rows: largestTables } = await control.query<{ name: string; bytes: string }>(
  `select n.nspname || '.' || c.relname as name, pg_total_relation_size(c.oid) as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname in ('freshet', 'pgboss') and c.relkind = 'r' order by 2 desc limit 4`,
);
// Restart the object, so that the second run reads and stores all records again.
await deployment.store.runs.restartObject(pipeline.id, OBJECT);
await deployment.waitForRun(await deployment.startRun(pipeline));
const afterSecondSync = await getSize(control, false);

const perMillion = (bytes: number) => `${Math.round(((bytes / records) * 1e6) / 2 ** 20).toLocaleString('en-US')} MiB`;
const printLine = (label: string, bytes: number) =>
  console.log(
    `${label.padEnd(58)}${perMillion(bytes).padStart(12)}${(bytes / (warehouseSize - before.warehouse)).toFixed(2).padStart(18)}`,
  );
console.log(`\n${records.toLocaleString('en-US')} records in ${batches} batches, Node ${process.versions.node}\n`);
console.log(`${''.padEnd(58)}${'per million'.padStart(12)}${'vs. warehouse'.padStart(18)}`);
printLine('warehouse', warehouseSize - before.warehouse);
printLine('control database, after loading', afterLoad - before.control);
printLine('  after retention', afterRetention - before.control);
printLine('  after vacuum', afterVacuum - before.control);
printLine('  after a second full sync', afterSecondSync - before.control);
console.log('\nlargest tables after retention:');
for (const { name, bytes } of largestTables)
  console.log(`  ${name.padEnd(40)}${perMillion(Number(bytes)).padStart(12)}`);
