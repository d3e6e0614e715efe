import type { ErasureStatus } from '@freshet/contracts';
import { index, integer, jsonb, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { freshet, time } from './columns.ts';
import { pipelines } from './resources.ts';

/** The numbers of rows and records that an erasure removed from one object. */
export interface ErasedObject {
  readonly object: string;
  /** The number of rows removed from the object's table. */
  readonly rows: number;
  /** The number of rows removed from the object's history table. */
  readonly versions: number;
  /** The number of records removed from stored batches. */
  readonly staged_records: number;
  readonly rejected_records: number;
}

/** The result of the search that verifies an erasure: every count is 0. */
export interface ErasureProof {
  readonly verified_at: string;
  readonly rows: number;
  readonly versions: number;
  readonly staged_records: number;
  readonly rejected_records: number;
  /** Rows of analytics models. Absent: a release without models verified the erasure. */
  readonly model_rows?: number;
}

/**
 * Erasures: each erasure removes the data of a person from a pipeline, and excludes the data from
 * later runs.
 */
export const erasures = freshet.table(
  'erasures',
  {
    id: uuid('id').primaryKey(),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    /** The object that contains the person, such as contacts. */
    object: text('object').notNull(),
    /** The key of the person in the object. */
    key: text('key').notNull(),
    status: text('status').$type<ErasureStatus>().notNull().default('queued'),
    removed: jsonb('removed').$type<ErasedObject[]>().notNull().default([]),
    /**
     * The owner fields that the pipeline drops, each in the form `object.field`. Freshet cannot
     * search these fields for the person.
     */
    unsearchable: jsonb('unsearchable').$type<string[]>().notNull().default([]),
    proof: jsonb('proof').$type<ErasureProof>(),
    failures: integer('failures').notNull().default(0),
    error_code: text('error_code'),
    error_message: text('error_message'),
    created_at: time('created_at').notNull().defaultNow(),
    finished_at: time('finished_at'),
  },
  (t) => [index('erasures_pipeline_idx').on(t.pipeline_id, t.id)],
);

/**
 * The keys of erased persons and of their records. Freshet must not store these records again, and
 * also excludes new records that belong to these persons or records.
 */
export const erasedKeys = freshet.table(
  'erased_keys',
  {
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    key: text('key').notNull(),
    erasure_id: uuid('erasure_id')
      .notNull()
      .references(() => erasures.id, { onDelete: 'cascade' }),
  },
  (t) => [primaryKey({ columns: [t.pipeline_id, t.object, t.key] }), index('erased_keys_erasure_idx').on(t.erasure_id)],
);
