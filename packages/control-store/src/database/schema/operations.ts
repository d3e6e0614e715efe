import { bigint, doublePrecision, integer, text, uuid } from 'drizzle-orm/pg-core';
import { freshet, time } from './columns.ts';

/** The processes of the deployment, as of their last heartbeats. */
export const processes = freshet.table('processes', {
  id: uuid('id').primaryKey(),
  /** The kind of the process, such as `api` or `load-worker`. */
  name: text('name').notNull(),
  host: text('host').notNull(),
  pid: integer('pid').notNull(),
  started_at: time('started_at').notNull().defaultNow(),
  /** The time of the last heartbeat. */
  seen_at: time('seen_at').notNull().defaultNow(),
  /** Null: the process has not shut down. */
  stopped_at: time('stopped_at'),
  /** The number of CPU cores that the process used since the previous heartbeat. */
  cpu: doublePrecision('cpu'),
  /** The resident memory, in bytes. */
  memory_bytes: bigint('memory_bytes', { mode: 'number' }),
});
