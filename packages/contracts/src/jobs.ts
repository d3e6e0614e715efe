/**
 * The queues of pg-boss and the payloads of their jobs. Payloads hold ids, never secrets or
 * records.
 */
export interface JobPayloads {
  /** Extracts one slice of an object run. */
  extract: { readonly objectRunId: string };
  /** Loads the pending batches of one table. */
  load: { readonly pipelineId: string; readonly object: string };
  /** Delivers one event to one webhook. */
  deliver: { readonly deliveryId: string };
  /** Erases one person from one pipeline. */
  erase: { readonly erasureId: string };
  /**
   * Updates the analytics models of one pipeline. With `removal`, the pipeline was deleted, and the
   * job removes the change tracking from its tables.
   */
  refresh_analytics: { readonly pipelineId: string; readonly removal?: TrackingRemoval };
}

/** The tables of a deleted pipeline, whose changes triggers record. */
export interface TrackingRemoval {
  readonly destinationId: string;
  readonly schema: string;
  readonly tablePrefix: string;
  /** RFC 3339. The time of the deletion, or of a later request to retry the removal. */
  readonly requestedAt: string;
}
export type QueueName = keyof JobPayloads;
export const QUEUES = [
  'extract',
  'load',
  'deliver',
  'erase',
  'refresh_analytics',
] as const satisfies readonly QueueName[];

/**
 * Priorities of requests, the most urgent first. `by_hand` is the class of manual requests, for
 * which a user is waiting.
 */
export const CREDIT_CLASSES = ['by_hand', 'incremental', 'children', 'backfill', 'audit'] as const;
export type CreditClass = (typeof CREDIT_CLASSES)[number];
/** Spent credits for each credit class. */
export type CreditsSpent = Readonly<Partial<Record<CreditClass, number>>>;
