import { loadPlanned } from './load-planned.ts';
import { plannedBatches } from './planned-batches.ts';

/**
 * A process that loads planned batches, from one end or the other: it is there to be killed. Says `loading` when it begins,
 * and ends by itself when all are there.
 */
const [url, seed, direction, count = 'all', history = 'off'] = process.argv.slice(2) as [
  string,
  string,
  'up' | 'down',
  string?,
  string?,
];
const batches = plannedBatches(Number(seed)).map(({ batch }) => batch);
if (direction === 'down') batches.reverse();
process.stdout.write('loading\n');
await loadPlanned(url, count === 'all' ? batches : batches.slice(0, Number(count)), history === 'on');
