import type { ControlStore } from '@freshet/control-store';
import type { Logger } from '@freshet/runtime';
import type { ExtractMetrics } from './metrics.ts';

/** What all slices of a worker share. */
export interface SliceContext {
  readonly store: ControlStore;
  readonly logger: Logger;
  readonly metrics: ExtractMetrics;
  /** Replaces the hosts of the accounts. Null: no replacement. */
  readonly originTemplate: string | null;
  /** A larger response is requested in smaller pages. A larger record is rejected. */
  readonly responseBytesMax: number;
  /**
   * Limits the compressed bytes of a pipeline that wait to be loaded. Above it, extraction pauses.
   */
  readonly unloadedBytesMax: number;
  /**
   * Aborted when the worker shuts down: the slice commits its current page and requeues its job.
   */
  readonly shutdownSignal: AbortSignal;
}
