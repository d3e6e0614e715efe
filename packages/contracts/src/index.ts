/**
 * The vocabulary that the rooms of Freshet share, as types: columns and tables, batches, jobs,
 * statuses, errors, JSON that keeps every digit, and spans. No behaviour beyond that, and no dependency but OpenTelemetry's
 * API, which does nothing by itself.
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
export * from './tracing.ts';
export * from './warnings.ts';
