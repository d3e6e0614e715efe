import { setTimeout as sleep } from 'node:timers/promises';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import pg from 'pg';
import { Lab, peakMiB } from './lab.ts';

/**
 * A record of 100 MB and one over the limit of one answer (128 MiB), in an account of 1,000 tickets: what becomes of them, and
 * the most memory that the workers have resident.
 */
const simulator = new FreshdeskSimulator({ seed: 1, counts: { tickets: 1000 }, spanDays: 300, asOf: new Date(Date.now() - 3_600_000) });
const origin = await simulator.listen();
await using lab = await Lab.open(origin, [() => simulator.close()]);
const pipeline = await lab.pipeline({ objects: ['tickets'] });
const [extractor, loader] = [lab.worker('extract-worker'), lab.worker('load-worker')];
await sleep(2000);
await lab.finished(await lab.startRun(pipeline));
console.log(`without them: extract worker ${peakMiB(extractor)} MiB, load worker ${peakMiB(loader)} MiB at most`);

const live = [...simulator.account.everything('tickets')]
  .filter(({ view }) => view.deleted === null)
  .map(({ text }) => (JSON.parse(text) as { id: number }).id);
const [large, over] = live as [number, number];
simulator.account.update('tickets', large, { description: 'words '.repeat(100_000_000 / 6), description_text: '' });
simulator.account.update('tickets', over, { description: 'words '.repeat(140_000_000 / 6), description_text: '' });
const began = performance.now();
const run = await lab.finished(await lab.startRun(pipeline));
const seconds = ((performance.now() - began) / 1000).toFixed(1);
const client = new pg.Client(lab.warehouseUrl);
await client.connect();
const { rows } = await client.query<{ id: string; n: number }>('select id, length(description) as n from bench.tickets where id = any($1)', [[large, over]]);
await client.end();
const landed = rows.find((r) => Number(r.id) === large)?.n ?? 0;
console.log(`with them, in ${seconds} s: ${landed.toLocaleString('en-US')} characters landed, ${run.objects[0]?.records_rejected} record rejected`);
console.log(`extract worker ${peakMiB(extractor)} MiB, load worker ${peakMiB(loader)} MiB at most`);
