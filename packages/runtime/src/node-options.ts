/**
 * How Node runs a worker. By default V8 lets its heap grow generously before it sweeps, and keeps what it grew to; a worker's
 * garbage is short-lived and its live data small. With these its resident memory stays under 256 MiB, for a few percent of
 * its speed (`bench/src/memory.ts`, `bench/src/sync.ts`).
 */
export const WORKER_NODE_OPTIONS: readonly string[] = ['--max-semi-space-size=4', '--heap-growing-percent=100'];
