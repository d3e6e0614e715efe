import type { DeletionCandidate, ErrorCode } from '@freshet/contracts';
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  date,
  index,
  integer,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { bytea, freshet, time } from './columns.ts';
import { pipelines } from './resources.ts';

/**
 * Batches: records that are stored durably between extraction and load. The table has one partition
 * for each day. A partition is dropped when none of its batches is needed any more; see
 * `batch-partitions.ts`.
 */
export const batches = freshet.table(
  'batches',
  {
    id: uuid('id').notNull(),
    /** The day (UTC) on which the batch was stored. It is the partition key. */
    stored_on: date('stored_on', { mode: 'string' }).notNull().default(sql`(now() at time zone 'UTC')::date`),
    /**
     * The sequence number of the batch in the order of storage. The batches of a table are loaded
     * in this order.
     */
    seq: bigint('seq', { mode: 'number' }).notNull().default(sql`nextval('freshet.batches_order')`),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    object_run_id: uuid('object_run_id').notNull(),
    /**
     * The generation that the records belong to. Null: the records belong to no generation, so they
     * cannot reveal deletions.
     */
    generation: text('generation'),
    /** The number of records. */
    records: integer('records').notNull(),
    /** The uncompressed size, in bytes. */
    raw_bytes: integer('raw_bytes').notNull(),
    extracted_at: time('extracted_at').notNull(),
    /** The records as NDJSON, compressed with zstd. */
    body: bytea('body').notNull(),
    /**
     * When the batch was marked as loaded, after the warehouse had committed it. Null: the batch is
     * pending.
     */
    loaded_at: time('loaded_at'),
  },
  (t) => [
    primaryKey({ columns: [t.id, t.stored_on] }),
    index('batches_pending_idx').on(t.pipeline_id, t.object, t.seq).where(sql`loaded_at is null`),
    index('batches_object_run_idx').on(t.object_run_id),
  ],
);

/**
 * Child work: one row for each known parent of a child object. The children of a parent are pending
 * while `version` differs from `done_version`.
 */
export const childWork = freshet.table(
  'child_work',
  {
    /**
     * This column has no foreign key, because checking the key for each parent of a page would make
     * the insert take 1.5 times as long. `Pipelines.delete` deletes the rows.
     */
    pipeline_id: uuid('pipeline_id').notNull(),
    /** The child object. */
    object: text('object').notNull(),
    parent_id: text('parent_id').notNull(),
    /** The latest known version of the parent. */
    version: text('version').notNull(),
    /**
     * The version of the parent for which the children were extracted. Null: the children must be
     * extracted.
     */
    done_version: text('done_version'),
    /**
     * Whether the child list was empty although the table contains children of the parent. A second
     * empty list confirms that the children were deleted.
     */
    needs_confirmation: boolean('needs_confirmation').notNull().default(false),
    /** When `version` last changed. Pending work is ordered by this time. */
    changed_at: time('changed_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.pipeline_id, t.object, t.parent_id] }),
    index('child_work_pending_idx')
      .on(t.pipeline_id, t.object, t.changed_at, t.parent_id)
      .where(sql`done_version is distinct from version`),
  ],
);

/**
 * Lookups of audits and refreshes: keys that an audit did not return, id gaps, parents whose
 * children are extracted again, and records that a user wants to refresh.
 */
export const auditWork = freshet.table(
  'audit_work',
  {
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    key: text('key').notNull(),
    /** Why the key is looked up: `unseen`, `gap`, `parent` or `requested`. */
    reason: text('reason').$type<DeletionCandidate['reason'] | 'parent' | 'requested'>().notNull(),
    /** The object run that looks the key up. */
    object_run_id: uuid('object_run_id').notNull(),
    /** The result of the lookup. Null: pending. */
    outcome: text('outcome'),
    /** Whether the outcome cannot change. The row is then retained, and audits skip the key. */
    is_final: boolean('is_final').notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.pipeline_id, t.object, t.key] }),
    index('audit_work_pending_idx').on(t.object_run_id, t.key).where(sql`outcome is null`),
  ],
);

/**
 * Failed units: parents whose children cannot be read, and records that cannot be read from their
 * own endpoint. Each unit is retried at growing intervals, while the rest of its object continues.
 */
export const failedUnits = freshet.table(
  'failed_units',
  {
    id: uuid('id').primaryKey(),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    /** The key of the parent, or of the record. */
    key: text('key').notNull(),
    /** Failed attempts since the unit last succeeded. */
    attempts: integer('attempts').notNull().default(1),
    error_code: text('error_code').$type<ErrorCode>().notNull(),
    error_message: text('error_message').notNull(),
    /** The object run of the last attempt. */
    object_run_id: uuid('object_run_id').notNull(),
    first_failed_at: time('first_failed_at').notNull().defaultNow(),
    last_failed_at: time('last_failed_at').notNull().defaultNow(),
    /** Syncs skip the unit until this time. */
    next_attempt_at: time('next_attempt_at').notNull(),
  },
  (t) => [
    unique('failed_units_key_unique').on(t.pipeline_id, t.object, t.key),
    index('failed_units_pipeline_idx').on(t.pipeline_id, t.id),
  ],
);

/**
 * Rejected records: records that could not be loaded. They are stored until a user replays or
 * discards them.
 */
export const rejectedRecords = freshet.table(
  'rejected_records',
  {
    id: uuid('id').primaryKey(),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    batch_id: uuid('batch_id').notNull(),
    /** Index of the line in the batch, from 0. */
    line: integer('line').notNull(),
    reason: text('reason').notNull(),
    /** When the record was extracted. */
    extracted_at: time('extracted_at'),
    /**
     * SHA-256 of the line. An unchanged record is stored here only once, no matter how often it is
     * extracted.
     */
    fingerprint: text('fingerprint'),
    /** The line of the batch. The line is sealed, because a record is personal data. */
    raw: text('raw').notNull(),
    created_at: time('created_at').notNull().defaultNow(),
  },
  (t) => [
    unique('rejected_records_line_unique').on(t.batch_id, t.line),
    uniqueIndex('rejected_records_fingerprint_unique').on(t.pipeline_id, t.object, t.fingerprint),
    index('rejected_records_pipeline_idx').on(t.pipeline_id, t.id),
  ],
);
