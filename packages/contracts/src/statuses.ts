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

/** Statuses of object runs that are not finished. */
export const OPEN_OBJECT_RUN_STATUSES = [
  'queued',
  'running',
  'waiting_for_credits',
] as const satisfies readonly ObjectRunStatus[];

export const RUN_TRIGGERS = ['schedule', 'manual', 'created'] as const;
export type RunTrigger = (typeof RUN_TRIGGERS)[number];

/**
 * Kinds of runs that extract objects: `sync` reads each object with the object's strategy; `audit`
 * reads objects completely, to find changes that no filter returns.
 */
export const EXTRACTION_RUN_KINDS = ['sync', 'audit'] as const;
export type ExtractionRunKind = (typeof EXTRACTION_RUN_KINDS)[number];

/**
 * All kinds of runs: `refresh` reads single records, `replay` loads rejected records again,
 * `rebuild` rewrites the rows of a table from stored batches.
 */
export const RUN_KINDS = [...EXTRACTION_RUN_KINDS, 'refresh', 'replay', 'rebuild'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/**
 * The records that an object run reads from Freshdesk. `full`: all records. `incremental`: changes.
 * `audit`: all records, for comparison with the table. `refresh`: single records. `replay` and
 * `rebuild`: none.
 */
export const RUN_MODES = ['full', 'incremental', 'audit', 'refresh', 'replay', 'rebuild'] as const;
export type RunMode = (typeof RUN_MODES)[number];

export const PIPELINE_STATUSES = ['active', 'paused'] as const;
export type PipelineStatus = (typeof PIPELINE_STATUSES)[number];

/**
 * Priorities that order the work of pipelines within a credit class. `high` comes before `normal`.
 */
export const PIPELINE_PRIORITIES = ['normal', 'high'] as const;
export type PipelinePriority = (typeof PIPELINE_PRIORITIES)[number];

/**
 * The reason why a pipeline is paused: a user paused it, or Freshet paused it because a limit that
 * the user had set was exceeded.
 */
export const PAUSED_BY = ['user', 'record_spike', 'monthly_quota'] as const;
export type PausedBy = (typeof PAUSED_BY)[number];

export const ERASURE_STATUSES = ['queued', 'running', 'completed', 'failed', 'lifted'] as const;
export type ErasureStatus = (typeof ERASURE_STATUSES)[number];

/**
 * Statuses of the refresh of a pipeline's analytics models. `pending`: a refresh is queued or
 * running. The other statuses describe the last refresh.
 */
export const ANALYTICS_STATUSES = ['pending', 'succeeded', 'failed'] as const;
export type AnalyticsStatus = (typeof ANALYTICS_STATUSES)[number];

/**
 * Kinds of refreshes. `built`: the models were created. `rebuilt`: all tickets were recomputed.
 * `refreshed`: the changed tickets were recomputed. `unchanged`: there was nothing to recompute.
 */
export const ANALYTICS_REFRESH_KINDS = ['built', 'rebuilt', 'refreshed', 'unchanged'] as const;
export type AnalyticsRefreshKind = (typeof ANALYTICS_REFRESH_KINDS)[number];

/** Result of a connection test for one object. */
export const OBJECT_VERDICTS = ['available', 'forbidden', 'not_in_plan', 'error'] as const;
export type ObjectVerdict = (typeof OBJECT_VERDICTS)[number];

/**
 * Whether the API key of a pipeline can read an object, according to the last run that requested
 * it.
 */
export const OBJECT_AVAILABILITIES = ['available', 'forbidden', 'not_in_plan', 'unknown'] as const;
export type ObjectAvailability = (typeof OBJECT_AVAILABILITIES)[number];
/**
 * Availabilities of an object that the key cannot read. They are also final statuses of an object
 * run.
 */
export type Unavailability = Extract<ObjectAvailability & ObjectRunStatus, string>;
