import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab, peakMiB } from './lab.ts';

/** The most memory that an extract worker and a load worker have resident, for a small account and a large one (I9). */
const { values } = parseArgs({ options: { tickets: { type: 'string', default: '10000,1000000' } } });

for (const tickets of values.tickets.split(',')) {
  const cleanups: (() => unknown)[] = [];
  const origin = await Lab.simulator(['--tickets', tickets, '--span-days', '700'], cleanups);
  await using lab = await Lab.open(origin, cleanups);
  const pipeline = await lab.pipeline({ objects: ['tickets'] });
  const [extractor, loader] = [lab.worker('extract-worker'), lab.worker('load-worker')];
  await sleep(2000);
  const began = performance.now();
  const run = await lab.finished(await lab.startRun(pipeline));
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const records = run.objects[0]?.records_extracted ?? 0;
  console.log(
    `${Number(tickets).toLocaleString('en-US')} tickets, ${records.toLocaleString('en-US')} records in ${seconds} s: ` +
      `extract worker ${peakMiB(extractor)} MiB, load worker ${peakMiB(loader)} MiB at most`,
  );
}
