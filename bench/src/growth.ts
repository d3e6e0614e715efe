import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Lab } from './lab.ts';

/**
 * What the control database grows by for every million records: right after they were loaded, and when retention has deleted their batches. Beside the
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
  return Number((await client.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes')).rows[0]?.bytes);
};

const pipeline = await lab.pipeline({ objects: [OBJECT], schema: 'growth' });
await control.query(`update freshet.pipelines set next_run_at = now() + interval '10 years'`);
const before = { control: await size(control, true), warehouse: await size(warehouse, true) };
for (const app of ['scheduler', 'extract-worker', 'load-worker'] as const) lab.worker(app);
const run = await lab.finished(await lab.startRun(pipeline));
const records = run.objects.reduce((sum, o) => sum + o.records_extracted, 0);
// The jobs that are done go after an hour; here at once.
await control.query(`update pgboss.job set completed_on = now() - interval '2 hours' where state = 'completed'`);
await sleep(10_000);

const after = await size(control, false);
const rows = await size(warehouse, false);
await control.query(`update freshet.batches set loaded_at = loaded_at - interval '8 days'`);
const batches = await lab.store.schedule.deleteLoadedBatches(7);
const deleted = await size(control, false);
const vacuumed = await size(control, true);
// What is read next finds the room that was given up.
await lab.store.runs.restartObject(pipeline.id, OBJECT);
await lab.finished(await lab.startRun(pipeline));
const again = await size(control, false);

const perMillion = (bytes: number) => `${Math.round(((bytes / records) * 1e6) / 2 ** 20).toLocaleString('en-US')} MiB`;
const line = (what: string, bytes: number) =>
  console.log(`${what.padEnd(58)}${perMillion(bytes).padStart(12)}${(bytes / (rows - before.warehouse)).toFixed(2).padStart(18)}`);
console.log(`\n${records.toLocaleString('en-US')} records in ${batches} batches, Node ${process.versions.node}\n`);
console.log(`${''.padEnd(58)}${'a million'.padStart(12)}${'of the warehouse'.padStart(18)}`);
line('the warehouse', rows - before.warehouse);
line('the control database, all loaded', after - before.control);
line('  when retention has deleted the batches', deleted - before.control);
line('  and a vacuum has been', vacuumed - before.control);
line('  and all was read a second time', again - before.control);
