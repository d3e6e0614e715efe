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

/** The state of an object of a pipeline that outlasts its runs. */
export const pipelineObjects = freshet.table(
  'pipeline_objects',
  {
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    /** The extraction state. Null: the object was not extracted yet. */
    position: jsonb('position').$type<Record<string, unknown>>(),
    /** The columns of the account's custom fields, as of the last extraction. */
    custom_columns: jsonb('custom_columns').$type<Column[]>().notNull().default([]),
    /** The fencing token of extraction: the current lease holds this number. */
    extract_epoch: counter('extract_epoch'),
    /** The fencing token of loading: the current lease of the table holds this number. */
    load_epoch: counter('load_epoch'),
    /** The table holds every change up to this time. */
    complete_as_of: time('complete_as_of'),
    /** The table holds the history back to this time. */
    complete_back_to: time('complete_back_to'),
    /**
     * When the table missed its freshness objective; `freshness.missed` was emitted. Null: the
     * objective is met.
     */
    stale_since: time('stale_since'),
    /** Whether the API key could read the object when a run last requested it. Null: unknown. */
    availability: text('availability').$type<ObjectAvailability>(),
    /** The reason why the object is unavailable. Null: it is available, or unknown. */
    availability_message: text('availability_message'),
    /** When a run first read the object. Null: no API key has been able to read it yet. */
    first_read_at: time('first_read_at'),
    /**
     * Time of the last restart of the object. Rows written before it are rewritten when their
     * records are read.
     */
    restarted_at: time('restarted_at'),
    /**
     * Since when rows of the table lack values of a column, by the warehouse's clock. Null: the
     * table is complete.
     */
    completing_since: time('completing_since'),
    /**
     * The `completing_since` for which a rebuild or a full sync was started. Each value starts one.
     */
    completion_started_for: time('completion_started_for'),
    /** The next object run extracts the complete object, and has the mode `full`. */
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
    /** The day of `until`. */
    day: date('day', { mode: 'string' }).notNull(),
    /** The `complete_as_of` of the table until the coverage advanced. */
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
     * W3C trace context of the request that started the run: the parent of its spans. Null: tracing
     * was off.
     */
    traceparent: text('traceparent'),
    created_at: time('created_at').notNull().defaultNow(),
    started_at: time('started_at'),
    finished_at: time('finished_at'),
  },
  (t) => [
    // One open run of each kind in a pipeline. Kinds run side by side: an audit takes long, and
    // must not block syncs.
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
    /** The priority of its requests when credits or workers are scarce. */
    credit_class: text('credit_class').$type<CreditClass>().notNull().default('incremental'),
    records_extracted: counter('records_extracted'),
    records_inserted: counter('records_inserted'),
    records_updated: counter('records_updated'),
    records_unchanged: counter('records_unchanged'),
    records_rejected: counter('records_rejected'),
    records_deleted: counter('records_deleted'),
    credits_used: numeric('credits_used', { mode: 'number' }).notNull().default(0),
    /** `credits_used` by credit class, in the order of `CREDIT_CLASSES`. */
    credits_by_class: numeric('credits_by_class', { mode: 'number' }).array().notNull().default(sql`'{0,0,0,0,0}'`),
    /** Uncompressed bytes of its batches. */
    bytes_staged: counter('bytes_staged'),
    /**
     * The object run has used a complete slice: its next jobs rank behind the first slices of other
     * object runs.
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
    /** Outcome of an audit's deletion candidates → number of candidates. */
    explained: jsonb('explained').$type<Record<string, number>>().notNull().default({}),
    /** Completed share of the extraction, from 0 to below 1; it never decreases. Null: unknown. */
    progress: doublePrecision('progress'),
    /** Expected number of records. Null: unknown. */
    records_expected: bigint('records_expected', { mode: 'number' }),
    /** Work units that the object run has read or set aside. */
    units_done: counter('units_done'),
    /** Failed units of the object that were outstanding when the object run finished. */
    units_failed: counter('units_failed'),
    /** Conditions that do not fail the object run but that users should know. */
    warnings: jsonb('warnings').$type<Warning[]>().notNull().default([]),
    /** When the extraction finished; loading may lag behind. Null: extraction is open. */
    extracted_at: time('extracted_at'),
    /** The object run waits until this time, for credits, a backoff or the warehouse. */
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
