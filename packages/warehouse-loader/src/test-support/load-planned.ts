import { type BatchToLoad, prepare, Warehouse } from '../index.ts';
import { addressOf, THINGS } from './loading.ts';

/** Loads batches in their order, in transactions of a few, whether they were loaded before or not. */
export async function loadPlanned(url: string, batches: readonly BatchToLoad[], history: boolean): Promise<void> {
  const warehouse = new Warehouse(addressOf(url), 1);
  try {
    for (let at = 0; at < batches.length; at += 3) {
      await warehouse.load({
        schema: 'acme',
        tablePrefix: '',
        table: THINGS,
        below: [],
        epoch: 1,
        policy: 'evolve',
        history,
        restartedAt: null,
        prepared: await prepare(batches.slice(at, at + 3), THINGS),
        generation: async function* () {},
      });
    }
  } finally {
    await warehouse.close();
  }
}
