import type { ControlStore } from '@freshet/control-store';
import type { Logger } from '@freshet/runtime';
import type { LoadMetrics } from './metrics.ts';
import type { Warehouses } from './warehouses.ts';

export interface LoadContext {
  readonly store: ControlStore;
  readonly warehouses: Warehouses;
  readonly logger: Logger;
  readonly metrics: LoadMetrics;
  /**
   * Aborted when the process shuts down. The current transaction then completes, and further
   * batches are left to other workers.
   */
  readonly shutdownSignal: AbortSignal;
  /** Consecutive failures in this process: `<pipeline>/<object>` → count. */
  readonly failures: Map<string, number>;
}
