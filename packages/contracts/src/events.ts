/** Types of the events that webhooks receive. */
export const EVENT_TYPES = [
  'run.succeeded',
  'run.partial',
  'run.failed',
  'object.failed',
  'schema.changed',
  'records.rejected',
  'records.digest',
  'records.spiked',
  'quota.reached',
  'credential.refused',
  'erasure.completed',
  'erasure.failed',
  'analytics.failed',
  'freshness.missed',
  'freshness.restored',
  'job.died',
  'webhook.disabled',
  'webhook.test',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];
