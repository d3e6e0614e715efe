import type {
  Column,
  CreditClass,
  ObjectAvailability,
  ObjectRunStatus,
  RunKind,
  RunMode,
  RunStatus,
  RunTrigger,
  Warning,
} from '@freshet/contracts';
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { counter, freshet, time } from './columns.ts';
import { pipelines } from './resources.ts';

/** The state of each object of a pipeline. This state is retained between runs. */
export const pipelineObjects = freshet.table(
  'pipeline_objects',
  {
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    /** The extraction state. Null: the object has not been extracted yet, or was restarted. */
    position: jsonb('position').$type<Record<string, unknown>>(),
    /** The columns of the account's custom fields, as of the last extraction. */
    custom_columns: jsonb('custom_columns').$type<Column[]>().notNull().default([]),
    /** The fencing token of extraction. The epoch of the current lease equals this number. */
    extract_epoch: counter('extract_epoch'),
    /**
     * The fencing token of loading. The epoch of the current lease on the table equals this number.
     */
    load_epoch: counter('load_epoch'),
    /** The table contains every change up to this time. */
    complete_as_of: time('complete_as_of'),
    /** The table contains the history back to this time. */
    complete_back_to: time('complete_back_to'),
    /**
     * When Freshet detected that the table misses its freshness objective, and emitted
     * `freshness.missed`. Null: the table is not known to miss an objective.
     */
    stale_since: time('stale_since'),
    /** Whether the API key could read the object when a run last requested it. Null: unknown. */
    availability: text('availability').$type<ObjectAvailability>(),
    /**
     * The reason why the object is unavailable. Null: the object is available, or its availability
     * is unknown.
     */
    availability_message: text('availability_message'),
    /** When a run first read the object. Null: no API key has been able to read it yet. */
    first_read_at: time('first_read_at'),
    /**
     * The time of the last restart of the object. Rows that were written before this time are
     * rewritten when their records are read.
     */
    restarted_at: time('restarted_at'),
    /**
     * The time since which rows of the table lack values of a column, according to the clock of the
     * warehouse. Null: no row lacks values.
     */
    completing_since: time('completing_since'),
    /**
     * The value of `completing_since` for which a rebuild or a full sync was started, or for which
     * none is needed, because every run reads the object completely. For each value, at most one
     * rebuild or full sync is started.
     */
    completion_started_for: time('completion_started_for'),
    /** Whether the next sync extracts the complete object, in the mode `full`. */
    is_full_sync_due: boolean('is_full_sync_due').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.pipeline_id, t.object] })],
);

/** The longest lag of each table on each day (UTC). */
export const lags = freshet.table(
  'lags',
  {
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    /** The day (UTC) of `until`. */
    day: date('day', { mode: 'string' }).notNull(),
    /** The `complete_as_of` of the table before the coverage advanced. */
    since: time('since').notNull(),
    /** When the coverage advanced. The lag is the time between `since` and `until`. */
    until: time('until').notNull(),
  },
  (t) => [primaryKey({ columns: [t.pipeline_id, t.object, t.day] }), index('lags_until_idx').on(t.until)],
);

/** Runs of pipelines: syncs, audits, refreshes, replays and rebuilds. */
export const runs = freshet.table(
  'runs',
  {
    id: uuid('id').primaryKey(),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    kind: text('kind').$type<RunKind>().notNull().default('sync'),
    status: text('status').$type<RunStatus>().notNull().default('queued'),
    trigger: text('trigger').$type<RunTrigger>().notNull(),
    /**
     * W3C trace context of the request that started the run. It is the parent of the run's spans.
     * Null: tracing was off.
     */
    traceparent: text('traceparent'),
    created_at: time('created_at').notNull().defaultNow(),
    started_at: time('started_at'),
    finished_at: time('finished_at'),
  },
  (t) => [
    // A pipeline has at most one open run of each kind. Runs of different kinds can be open at the
    // same time, because an audit takes long and must not block syncs.
    uniqueIndex('runs_open_unique').on(t.pipeline_id, t.kind).where(sql`status in ('queued', 'running')`),
    index('runs_pipeline_idx').on(t.pipeline_id, t.id),
  ],
);

/** The part of a run that concerns one object. */
export const objectRuns = freshet.table(
  'object_runs',
  {
    id: uuid('id').primaryKey(),
    run_id: uuid('run_id')
      .notNull()
      .references(() => runs.id, { onDelete: 'cascade' }),
    pipeline_id: uuid('pipeline_id').notNull(),
    object: text('object').notNull(),
    status: text('status').$type<ObjectRunStatus>().notNull().default('queued'),
    mode: text('mode').$type<RunMode>().notNull(),
    /** The priority of the object run when credits or workers are scarce. */
    credit_class: text('credit_class').$type<CreditClass>().notNull().default('incremental'),
    records_extracted: counter('records_extracted'),
    records_inserted: counter('records_inserted'),
    records_updated: counter('records_updated'),
    records_unchanged: counter('records_unchanged'),
    records_rejected: counter('records_rejected'),
    records_deleted: counter('records_deleted'),
    credits_used: numeric('credits_used', { mode: 'number' }).notNull().default(0),
    /** `credits_used` for each credit class, in the order of `CREDIT_CLASSES`. */
    credits_by_class: numeric('credits_by_class', { mode: 'number' }).array().notNull().default(sql`'{0,0,0,0,0}'`),
    /** The uncompressed size of the object run's batches, in bytes. */
    bytes_staged: counter('bytes_staged'),
    /**
     * Whether a slice of the object run has ended because its time limit expired. The later jobs of
     * the object run then have at most the priority of a backfill.
     */
    is_long: boolean('is_long').notNull().default(false),
    /** Failed attempts since the last committed step. */
    failures: integer('failures').notNull().default(0),
    /** The extraction state of an audit or a refresh; syncs use `pipeline_objects.position`. */
    position: jsonb('position').$type<Record<string, unknown>>(),
    /** The fencing token of an audit or a refresh; syncs use `pipeline_objects.extract_epoch`. */
    extract_epoch: counter('extract_epoch'),
    /** Rows that an audit inserted because the table lacked them. */
    records_missing: counter('records_missing'),
    /** Rows that an audit updated because they were outdated. */
    records_stale: counter('records_stale'),
    /**
     * Outcome of an audit's lookups → number of keys with this outcome. The entry `not_believed`
     * contains the number of rows that a rejected generation lacked.
     */
    explained: jsonb('explained').$type<Record<string, number>>().notNull().default({}),
    /**
     * The completed share of the extraction, from 0 to less than 1. It never decreases. Null:
     * unknown.
     */
    progress: doublePrecision('progress'),
    /** The expected number of records. Null: unknown. */
    records_expected: bigint('records_expected', { mode: 'number' }),
    /** Work units that the object run has read or marked as failed. */
    units_done: counter('units_done'),
    /** Failed units of the object that were outstanding when the object run finished. */
    units_failed: counter('units_failed'),
    /** Conditions that do not fail the object run, but that users should know about. */
    warnings: jsonb('warnings').$type<Warning[]>().notNull().default([]),
    /** When the extraction finished. Loading may finish later. Null: the extraction is open. */
    extracted_at: time('extracted_at'),
    /** The time until which the object run waits, for credits, a backoff or the warehouse. */
    not_before: time('not_before'),
    complete_as_of: time('complete_as_of'),
    complete_back_to: time('complete_back_to'),
    error_code: text('error_code'),
    error_message: text('error_message'),
    started_at: time('started_at'),
    finished_at: time('finished_at'),
  },
  (t) => [unique('object_runs_run_object_unique').on(t.run_id, t.object)],
);
