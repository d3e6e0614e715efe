import { parseArgs } from 'node:util';
import { BenchDeployment, getPeakMemoryMiB } from './deployment.ts';

/**
 * Measures the peak resident memory of an extract worker and a load worker, for a small account and
 * for a large account (I9).
 */
const { values } = parseArgs({ options: { tickets: { type: 'string', default: '10000,1000000' } } });

for (const tickets of values.tickets.split(',')) {
  const cleanups: (() => unknown)[] = [];
  const origin = await BenchDeployment.startSimulator(['--tickets', tickets, '--span-days', '700'], cleanups);
  await using deployment = await BenchDeployment.start(origin, cleanups);
  const pipeline = await deployment.createPipeline({ objects: ['tickets'] });
  const [extractor, loader] = [deployment.startWorker('extract-worker'), deployment.startWorker('load-worker')];
  await deployment.waitForStart(extractor, loader);
  const startedAt = performance.now();
  const run = await deployment.waitForRun(await deployment.startRun(pipeline));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  const records = run.objects[0]?.records_extracted ?? 0;
  console.log(
    `${Number(tickets).toLocaleString('en-US')} tickets, ${records.toLocaleString('en-US')} records in ${seconds} s: ` +
      `extract worker ${getPeakMemoryMiB(extractor)} MiB, load worker ${getPeakMemoryMiB(loader)} MiB peak`,
  );
}
