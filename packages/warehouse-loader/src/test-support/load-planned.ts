import { type BatchToLoad, prepareBatches, Warehouse } from '../index.ts';
import { DEFAULT_REQUEST, TEST_TABLE, toAddress } from './test-loader.ts';

const BATCHES_PER_TRANSACTION = 3;

/** Loads batches in order, a few in each transaction. Some of the batches may already be loaded. */
export async function loadPlannedBatches(
  url: string,
  batches: readonly BatchToLoad[],
  hasHistory: boolean,
): Promise<void> {
  const warehouse = new Warehouse(toAddress(url), 1);
  try {
    for (let start = 0; start < batches.length; start += BATCHES_PER_TRANSACTION) {
      const prepared = await prepareBatches(batches.slice(start, start + BATCHES_PER_TRANSACTION), TEST_TABLE);
      await warehouse.load({ ...DEFAULT_REQUEST, table: TEST_TABLE, hasHistory, prepared });
    }
  } finally {
    await warehouse.close();
  }
}
