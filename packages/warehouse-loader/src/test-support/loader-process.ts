import { flushCompileCache } from 'node:module';
import { loadPlannedBatches } from './load-planned.ts';
import { buildPlannedBatches } from './planned-batches.ts';

/**
 * A process that loads planned batches until a test kills it. It prints `loading` when it starts,
 * and exits when all batches are loaded.
 */
const [url, seed, direction, count = 'all', history = 'off'] = process.argv.slice(2) as [
  string,
  string,
  'up' | 'down',
  string?,
  string?,
];
const batches = buildPlannedBatches(Number(seed)).map(({ batch }) => batch);
if (direction === 'down') batches.reverse();
// Store the compiled code now, because tests kill most of these processes.
flushCompileCache();
process.stdout.write('loading\n');
await loadPlannedBatches(url, count === 'all' ? batches : batches.slice(0, Number(count)), history === 'on');
