import { bigint, customType, integer, pgSchema, timestamp, uuid } from 'drizzle-orm/pg-core';

/**
 * The PostgreSQL schema of Freshet's own tables. pg-boss stores its queues in the separate schema
 * `pgboss`.
 */
export const freshet = pgSchema('freshet');

export const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
export const counter = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

/** The columns that every API resource has. */
export const resourceColumns = {
  id: uuid('id').primaryKey(),
  created_at: time('created_at').notNull().defaultNow(),
  updated_at: time('updated_at').notNull().defaultNow(),
  /** The ETag of the resource: each update increments it. */
  version: integer('version').notNull().default(1),
};
