/**
 * The vocabulary that the rooms of Freshet share, as types: columns and tables, batches, jobs,
 * statuses, errors, and JSON that keeps every digit. No behaviour beyond that, no dependency.
 *
 * The extractor and the loader meet only here.
 */
export * from './batches.ts';
export * from './connections.ts';
export * from './erasing.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './jobs.ts';
export * from './json.ts';
export * from './scan.ts';
export * from './shrink.ts';
export * from './statuses.ts';
export * from './tables.ts';
