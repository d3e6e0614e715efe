import { setFlagsFromString } from 'node:v8';

/**
 * The Node options of all processes. Stack traces name the lines of the sources even if the process
 * runs from a bundle.
 *
 * A worker's garbage is short-lived, so its young generation can be small. `limitHeapGrowth` limits
 * the old generation.
 */
export const NODE_OPTIONS: readonly string[] = ['--enable-source-maps', '--max-semi-space-size=4'];

/**
 * Makes V8 collect garbage when the heap is twice as large as the live data. By default, V8 lets
 * the heap grow much further, and does not return the memory to the operating system. The limit
 * keeps the resident memory of a worker below 256 MiB and costs a few percent of throughput
 * (measured with `bench/src/memory.ts` and `bench/src/sync.ts`).
 *
 * Call this function after the start of the process. V8 rejects cached code that was compiled with
 * different flags. As a command-line option, the limit would make each start compile Node's modules
 * again.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString('--heap-growing-percent=100');
}
