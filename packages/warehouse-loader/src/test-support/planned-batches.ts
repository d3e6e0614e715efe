import { createHash } from 'node:crypto';
import type { BatchToLoad } from '../index.ts';
import { batch, moment } from './loading.ts';
import { RandomRecords } from './random-records.ts';

const BATCHES = 90;
const RECORDS = 80;
const KEYS = 900;

/** The same batches for the same seed, in every process: records of which many come again, newer or older. */
export function plannedBatches(
  seed: number,
): { readonly batch: BatchToLoad; readonly records: readonly { id: number; version: number }[] }[] {
  const random = new RandomRecords(seed);
  return Array.from({ length: BATCHES }, (_, n) => {
    const records = Array.from({ length: RECORDS }, () => ({ id: random.below(KEYS), version: random.below(100_000) }));
    const id = createHash('md5').update(`${seed}/${n}`).digest('hex');
    const lines = records.map(({ id: key, version }) => ({
      id: key,
      updated_at: moment(version),
      name: `version ${version}`,
    }));
    return {
      batch: batch(lines, { id: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'), at: n }),
      records,
    };
  });
}
