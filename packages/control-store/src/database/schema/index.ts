/**
 * The tables of the control database: everything durable between the API and the workers.
 * `migrations/` creates the tables, and the partitions, functions, triggers and views that Drizzle
 * cannot express.
 */
export * from './analytics.ts';
export * from './columns.ts';
export * from './erasures.ts';
export * from './operations.ts';
export * from './queues.ts';
export * from './resources.ts';
export * from './runs.ts';
export * from './security.ts';
export * from './staging.ts';
export * from './webhooks.ts';
