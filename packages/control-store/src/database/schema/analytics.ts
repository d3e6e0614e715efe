import type { AnalyticsRefreshKind, AnalyticsStatus } from '@freshet/contracts';
import { bigint, integer, jsonb, text, uuid } from 'drizzle-orm/pg-core';
import { freshet, time } from './columns.ts';
import { pipelines } from './resources.ts';

/** A condition that makes values of the models inexact, such as an unknown time zone. */
export interface AnalyticsWarning {
  readonly kind: string;
  readonly message: string;
}

/**
 * The state of the analytics models of each pipeline. The state is not stored in the pipeline: a
 * transaction that finishes a run already holds the lock of the run, and must not wait for the lock
 * of the pipeline.
 */
export const analyticsRefreshes = freshet.table('analytics_refreshes', {
  pipeline_id: uuid('pipeline_id')
    .primaryKey()
    .references(() => pipelines.id, { onDelete: 'cascade' }),
  status: text('status').$type<AnalyticsStatus>().notNull(),
  /**
   * The number of requests so far. A refresh that ends compares it with the number at its start, to
   * detect a request that was made in the meantime.
   */
  requests: bigint('requests', { mode: 'number' }).notNull(),
  /**
   * The start of the last successful refresh: the models contain all rows that were loaded before
   * this time. Null: the models do not exist yet.
   */
  refreshed_at: time('refreshed_at'),
  kind: text('kind').$type<AnalyticsRefreshKind>(),
  /** The number of tickets that the last successful refresh recomputed. */
  tickets: bigint({ mode: 'number' }),
  warnings: jsonb('warnings').$type<AnalyticsWarning[]>().notNull().default([]),
  /** The failed attempts since the last request. */
  failures: integer('failures').notNull().default(0),
  error_code: text('error_code'),
  error_message: text('error_message'),
});
