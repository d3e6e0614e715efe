export const RUN_STATUSES = ['queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const OBJECT_RUN_STATUSES = [
  'queued',
  'running',
  'waiting_for_credits',
  'succeeded',
  'partial',
  'failed',
  'cancelled',
  'forbidden',
  'not_in_plan',
  'skipped',
] as const;
export type ObjectRunStatus = (typeof OBJECT_RUN_STATUSES)[number];

/** Object runs in these states have work left. */
export const OPEN_OBJECT_RUN_STATUSES = [
  'queued',
  'running',
  'waiting_for_credits',
] as const satisfies readonly ObjectRunStatus[];

export const RUN_TRIGGERS = ['schedule', 'manual', 'created'] as const;
export type RunTrigger = (typeof RUN_TRIGGERS)[number];

/** What a run that reads is for: to bring what is new, or to find what no changed-since filter shows. */
export const READING_RUN_KINDS = ['sync', 'audit'] as const;
export type ReadingRunKind = (typeof READING_RUN_KINDS)[number];

/** … and those for a part only: single records that were asked for, rejected ones once more, or a table anew from what was stored. */
export const RUN_KINDS = [...READING_RUN_KINDS, 'refresh', 'replay', 'rebuild'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/** How an object run reads: everything, what changed since the last run, everything to compare it, what was asked for, or nothing. */
export const RUN_MODES = ['full', 'incremental', 'audit', 'refresh', 'replay', 'rebuild'] as const;
export type RunMode = (typeof RUN_MODES)[number];

export const PIPELINE_STATUSES = ['active', 'paused'] as const;
export type PipelineStatus = (typeof PIPELINE_STATUSES)[number];

/** Of what is equally urgent, a high one's goes first. */
export const PIPELINE_PRIORITIES = ['normal', 'high'] as const;
export type PipelinePriority = (typeof PIPELINE_PRIORITIES)[number];

/** Who has paused a pipeline: somebody, or Freshet, as it was told to. */
export const PAUSED_BY = ['user', 'record_spike', 'monthly_quota'] as const;
export type PausedBy = (typeof PAUSED_BY)[number];

export const ERASURE_STATUSES = ['queued', 'running', 'completed', 'failed', 'lifted'] as const;
export type ErasureStatus = (typeof ERASURE_STATUSES)[number];

/** Verdict on one object of an account, by a test of the connection. */
export const OBJECT_VERDICTS = ['available', 'forbidden', 'not_in_plan', 'error'] as const;
export type ObjectVerdict = (typeof OBJECT_VERDICTS)[number];

/** Whether the API key of a pipeline can read an object, as the last run that requested it found. */
export const OBJECT_AVAILABILITIES = ['available', 'forbidden', 'not_in_plan', 'unknown'] as const;
export type ObjectAvailability = (typeof OBJECT_AVAILABILITIES)[number];
/** The availabilities of an object that the key cannot read, which are the final states of its object run as well. */
export type Unavailability = Extract<ObjectAvailability & ObjectRunStatus, string>;
