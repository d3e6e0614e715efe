import type { ControlStore } from '@freshet/control-store';
import type { Logger, OutboundPolicy } from '@freshet/runtime';
import type { ExtractMetrics } from './metrics.ts';

/** The services and limits that all slices of a worker share. */
export interface SliceContext {
  readonly store: ControlStore;
  readonly logger: Logger;
  readonly metrics: ExtractMetrics;
  /**
   * The origin that replaces the origin of each account. It may contain `{subdomain}`. Null: no
   * replacement.
   */
  readonly originTemplate: string | null;
  /**
   * The maximum size of a response. If a response is larger, Freshet requests smaller pages. A
   * single record that exceeds the limit is rejected.
   */
  readonly responseBytesMax: number;
  /**
   * The maximum number of compressed bytes that wait to be loaded, per pipeline. Extraction pauses
   * above this limit.
   */
  readonly unloadedBytesMax: number;
  /** The addresses from which exported files are downloaded. */
  readonly outboundPolicy: OutboundPolicy;
  /**
   * Aborted when the worker shuts down. The slice then commits the pages that it has read, and
   * requeues its job.
   */
  readonly shutdownSignal: AbortSignal;
}
