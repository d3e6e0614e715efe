import type { Metrics } from '@freshet/runtime';

export type SliceOutcome = 'finished' | 'handed_on' | 'behind' | 'no_credits' | 'retried' | 'stopped' | 'taken_over';

/**
 * Registers the metrics of an extract worker. The label `object` has a few dozen values: the names
 * of the objects in the catalogue.
 */
export function extractMetrics(metrics: Metrics) {
  return {
    slices: metrics.counter('slices_total', 'Slices of object runs, by outcome.', ['object', 'outcome']),
    records: metrics.counter('extracted_records_total', 'Records extracted into batches.', ['object']),
    bytes: metrics.counter('extracted_bytes_total', 'Bytes extracted into batches, before compression.', ['object']),
    credits: metrics.counter('credits_used_total', 'Freshdesk credits used, by credit class.', ['credit_class']),
    clockSkew: metrics.gauge(
      'source_clock_skew_seconds',
      'Clock of the Freshdesk account that the latest slice read, minus the clock of this deployment.',
      [],
    ),
    slice: metrics.histogram('slice_seconds', 'Duration of a slice.', [], [0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60]),
  };
}
export type ExtractMetrics = ReturnType<typeof extractMetrics>;
