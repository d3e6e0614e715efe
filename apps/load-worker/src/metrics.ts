import type { Metrics } from '@freshet/runtime';

/** What a load worker counts. Objects are those of the catalogue: a few dozen. */
export function loadMetrics(metrics: Metrics) {
  return {
    records: metrics.counter('loaded_records_total', 'Records of batches, by what the warehouse made of them.', [
      'object',
      'result',
    ]),
    bytes: metrics.counter('loaded_bytes_total', 'Bytes of batches that were applied, before compression.', ['object']),
    batches: metrics.counter('loaded_batches_total', 'Batches applied.', ['object']),
    load: metrics.histogram(
      'load_seconds',
      'How long transactions with the warehouse took.',
      ['outcome'],
      [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    ),
  };
}
export type LoadMetrics = ReturnType<typeof loadMetrics>;
