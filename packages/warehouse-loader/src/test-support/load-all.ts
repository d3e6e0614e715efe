import { prepare, Warehouse } from '../index.ts';
import { addressOf, THINGS } from './loading.ts';
import { plannedBatches } from './planned-batches.ts';

/**
 * A process that loads all planned batches, in transactions of a few, from one end or the other, whether they were loaded
 * before or not: it is there to be killed. Says `loading` when it begins, and ends by itself when all are there.
 */
const [url, seed, direction] = process.argv.slice(2) as [string, string, 'up' | 'down'];
const warehouse = new Warehouse(addressOf(url), 1);
const batches = plannedBatches(Number(seed)).map(({ batch }) => batch);
if (direction === 'down') batches.reverse();
process.stdout.write('loading\n');
for (let at = 0; at < batches.length; at += 3) {
  await warehouse.load({
    schema: 'acme',
    tablePrefix: '',
    table: THINGS,
    below: [],
    epoch: 1,
    policy: 'evolve',
    history: false,
    prepared: await prepare(batches.slice(at, at + 3), THINGS),
    generation: async function* () {},
  });
}
await warehouse.close();
