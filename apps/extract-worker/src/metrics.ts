import type { Metrics } from '@freshet/runtime';

export type SliceOutcome = 'finished' | 'handed_on' | 'behind' | 'no_credits' | 'retried' | 'stopped' | 'taken_over';

/** What an extract worker counts. Objects are those of the catalogue: a few dozen. */
export function extractMetrics(metrics: Metrics) {
  return {
    slices: metrics.counter('slices_total', 'Slices of object runs, by how they ended.', ['object', 'outcome']),
    records: metrics.counter('extracted_records_total', 'Records stored in batches.', ['object']),
    bytes: metrics.counter('extracted_bytes_total', 'Bytes stored in batches, before compression.', ['object']),
    credits: metrics.counter('credits_used_total', 'Credits spent, by what for.', ['credit_class']),
    clockSkew: metrics.gauge(
      'source_clock_skew_seconds',
      'How far the account of the last slice is ahead of this deployment, by its Date header.',
      [],
    ),
    slice: metrics.histogram('slice_seconds', 'How long slices took.', [], [0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60]),
  };
}
export type ExtractMetrics = ReturnType<typeof extractMetrics>;
