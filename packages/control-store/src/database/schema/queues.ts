import type { QueueName } from '@freshet/contracts';
import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, numeric, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { freshet, time } from './columns.ts';

/**
 * Dead jobs: jobs that failed, or stopped their worker, too often. A user retries or discards them.
 */
export const deadJobs = freshet.table(
  'dead_jobs',
  {
    id: uuid('id').primaryKey(),
    queue: text('queue').$type<QueueName>().notNull(),
    /** The payload of the job: ids only. */
    data: jsonb('data').$type<Record<string, string>>().notNull(),
    /** Number of attempts. */
    attempts: integer('attempts').notNull(),
    reason: text('reason').notNull(),
    /** Null: the job concerns no pipeline, or a deleted one. */
    pipeline_id: uuid('pipeline_id'),
    died_at: time('died_at').notNull().defaultNow(),
  },
  (t) => [index('dead_jobs_pipeline_idx').on(t.pipeline_id, t.id)],
);

/**
 * Credit buckets: the rate limits of each account and how much of them is used. All workers of an
 * account share these rows.
 */
export const creditBuckets = freshet.table(
  'credit_buckets',
  {
    account: text('account').notNull(),
    /** `account`, or the name of an endpoint with a separate limit. */
    bucket: text('bucket').notNull(),
    /** Credits of one window, from the rate-limit headers. Null: unknown. */
    total: numeric('total', { mode: 'number' }),
    /** Credits used in the current window. */
    used: numeric('used', { mode: 'number' }).notNull().default(0),
    /** The account's responses carry no rate limit. */
    unlimited: boolean('unlimited').notNull().default(false),
    window_ends_at: time('window_ends_at').notNull().defaultNow(),
    /** No request is sent before this time: the end of a `Retry-After`. */
    blocked_until: time('blocked_until'),
    /** The bucket counts requests instead of credits. Freshet detects this from a response. */
    counts_calls: boolean('counts_calls').notNull().default(false),
    /** `used` by credit class, in the order of `CREDIT_CLASSES`. */
    used_by_class: numeric('used_by_class', { mode: 'number' }).array().notNull().default(sql`'{0,0,0,0,0}'`),
    /**
     * Credit class → until when lower classes leave the bucket to it, because it was denied
     * credits.
     */
    reserved_until: timestamp('reserved_until', { withTimezone: true, mode: 'date' })
      .array()
      .notNull()
      .default(sql`array_fill(null::timestamptz, array[5])`),
  },
  (t) => [primaryKey({ columns: [t.account, t.bucket] })],
);
