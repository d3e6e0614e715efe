import type { QueueName } from '@freshet/contracts';
import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, numeric, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { freshet, time } from './columns.ts';

/**
 * Dead jobs: jobs that failed, or crashed their worker, on every attempt. They are stored until a
 * user retries or discards them.
 */
export const deadJobs = freshet.table(
  'dead_jobs',
  {
    id: uuid('id').primaryKey(),
    queue: text('queue').$type<QueueName>().notNull(),
    /** The payload of the job: only ids and object names. */
    data: jsonb('data').$type<Record<string, string>>().notNull(),
    /** The number of attempts. */
    attempts: integer('attempts').notNull(),
    reason: text('reason').notNull(),
    /** Null: the job concerns no pipeline, or the pipeline was deleted. */
    pipeline_id: uuid('pipeline_id'),
    died_at: time('died_at').notNull().defaultNow(),
  },
  (t) => [index('dead_jobs_pipeline_idx').on(t.pipeline_id, t.id)],
);

/**
 * Credit buckets: the rate limits of each account, and the used part of each limit. All workers of
 * an account share these rows.
 */
export const creditBuckets = freshet.table(
  'credit_buckets',
  {
    account: text('account').notNull(),
    /** `account`, or the name of an endpoint with a separate limit. */
    bucket: text('bucket').notNull(),
    /** The credits per window, from the rate-limit headers. Null: unknown. */
    total: numeric('total', { mode: 'number' }),
    /** The credits used in the current window, or the requests if `counts_calls` is set. */
    used: numeric('used', { mode: 'number' }).notNull().default(0),
    /** Whether the account's responses contain no rate-limit headers. */
    unlimited: boolean('unlimited').notNull().default(false),
    window_ends_at: time('window_ends_at').notNull().defaultNow(),
    /** The end of a `Retry-After`. No request is sent before this time. */
    blocked_until: time('blocked_until'),
    /**
     * Whether the bucket counts requests instead of credits. Freshet detects this from a response.
     */
    counts_calls: boolean('counts_calls').notNull().default(false),
    /** `used` for each credit class, in the order of `CREDIT_CLASSES`. */
    used_by_class: numeric('used_by_class', { mode: 'number' }).array().notNull().default(sql`'{0,0,0,0,0}'`),
    /**
     * For each credit class, in the order of `CREDIT_CLASSES`: the time until which the class
     * reserves the bucket against less urgent classes, because it was denied credits.
     */
    reserved_until: timestamp('reserved_until', { withTimezone: true, mode: 'date' })
      .array()
      .notNull()
      .default(sql`array_fill(null::timestamptz, array[5])`),
  },
  (t) => [primaryKey({ columns: [t.account, t.bucket] })],
);
