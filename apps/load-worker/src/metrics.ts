import type { Metrics } from '@freshet/runtime';

/**
 * Creates the metrics of a load worker. The label `object` has a few dozen values: the objects of
 * the catalogue.
 */
export function createLoadMetrics(metrics: Metrics) {
  return {
    records: metrics.counter('loaded_records_total', 'Records of applied batches, by their result in the warehouse.', [
      'object',
      'result',
    ]),
    bytes: metrics.counter('loaded_bytes_total', 'Uncompressed bytes of applied batches.', ['object']),
    batches: metrics.counter('loaded_batches_total', 'Applied batches.', ['object']),
    transactionSeconds: metrics.histogram(
      'load_seconds',
      'Duration of warehouse transactions in seconds.',
      ['outcome'],
      [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    ),
    refreshSeconds: metrics.histogram(
      'analytics_refresh_seconds',
      'Duration of refreshes of analytics models in seconds, by outcome: built, rebuilt, refreshed, unchanged or failed.',
      ['outcome'],
      [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 1800],
    ),
  };
}
export type LoadMetrics = ReturnType<typeof createLoadMetrics>;
