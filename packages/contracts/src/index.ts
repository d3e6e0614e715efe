/**
 * Types and formats that all packages share: tables and columns, batches, job payloads, statuses,
 * error codes, warnings, lossless JSON and tracing spans. The extractor, the loader and the store
 * depend on this package, not on each other.
 *
 * The only dependency is OpenTelemetry's API, which has no effect in a process without a trace
 * exporter.
 */
export * from './batches.ts';
export * from './connections.ts';
export * from './erasure.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './hosts.ts';
export * from './jobs.ts';
export * from './json.ts';
export * from './json-scanner.ts';
export * from './naming.ts';
export * from './plain-times.ts';
export * from './raw-object.ts';
export * from './shrink.ts';
export * from './statuses.ts';
export * from './tables.ts';
export * from './tracing.ts';
export * from './warehouse-url.ts';
export * from './warnings.ts';
