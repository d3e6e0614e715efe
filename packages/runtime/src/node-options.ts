/**
 * The Node options of all processes. Stack traces name the lines of the sources even if the process
 * runs from a bundle.
 *
 * By default, V8 lets the heap grow far beyond the live data before it
 * collects garbage, and does not return the memory to the operating system. A worker's garbage is
 * short-lived and its live data is small. These options keep the resident memory of a worker below
 * 256 MiB and cost a few percent of throughput (measured with `bench/src/memory.ts` and
 * `bench/src/sync.ts`).
 */
export const NODE_OPTIONS: readonly string[] = [
  '--enable-source-maps',
  '--max-semi-space-size=4',
  '--heap-growing-percent=100',
];
