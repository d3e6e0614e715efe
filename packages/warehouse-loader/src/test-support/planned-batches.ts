import { createHash } from 'node:crypto';
import type { BatchToLoad } from '../index.ts';
import { RandomRecords } from './random-records.ts';
import { buildBatch, toTime } from './test-loader.ts';

const BATCHES = 90;
const RECORDS = 80;
const KEYS = 900;

export interface PlannedBatch {
  readonly batch: BatchToLoad;
  readonly records: readonly { id: number; version: number }[];
}

/**
 * Builds batches from a seed. The same seed produces the same batches in every process. Many
 * records occur in several versions, in any order.
 */
export function buildPlannedBatches(seed: number): PlannedBatch[] {
  const random = new RandomRecords(seed);
  return Array.from({ length: BATCHES }, (_, n) => {
    const records = Array.from({ length: RECORDS }, () => ({
      id: random.nextInt(KEYS),
      version: random.nextInt(100_000),
    }));
    const digest = createHash('md5').update(`${seed}/${n}`).digest('hex');
    const id = digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    const lines = records.map((record) => ({
      id: record.id,
      updated_at: toTime(record.version),
      name: `version ${record.version}`,
    }));
    return { batch: buildBatch(lines, { id, extractedAt: n }), records };
  });
}
