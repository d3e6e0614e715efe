/** Queues of pg-boss, and what a job in each carries. Never a secret, never a record: ids only. */
export interface Jobs {
  /** One slice of one object run. */
  extract: { readonly objectRunId: string };
  /** Pending batches of one object of one pipeline. */
  load: { readonly pipelineId: string; readonly object: string };
  /** One delivery of an event to a webhook. */
  deliver: { readonly deliveryId: string };
  /** Taking a person out of one pipeline. */
  erase: { readonly erasureId: string };
}
export type QueueName = keyof Jobs;
export const QUEUES = ['extract', 'load', 'deliver', 'erase'] as const satisfies readonly QueueName[];

/** Credits go to the lower number first. `by_hand` is a person waiting; an audit can always wait. */
export const CREDIT_CLASSES = ['by_hand', 'incremental', 'children', 'backfill', 'audit'] as const;
export type CreditClass = (typeof CREDIT_CLASSES)[number];
/** Credits by what they were spent for. */
export type CreditsSpent = Readonly<Partial<Record<CreditClass, number>>>;
