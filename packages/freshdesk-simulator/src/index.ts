/**
 * A simulated Freshdesk account for the demo, the tests and the benchmarks.
 *
 * Its endpoints, parameters, columns and list behavior are derived from the catalogue. Its records
 * are generated from a seed. The simulator listens on a real socket, and runs within a process
 * (`new FreshdeskSimulator(…).listen()`) or as a separate process (`src/main.ts`).
 */
export { SimulatedAccount } from './account.ts';
export type { Activity } from './activity-log.ts';
export type { ExportFault } from './export-files.ts';
export { PLANS, type Plan } from './limits.ts';
export { DEFAULT_KEYS, FreshdeskSimulator, type SimulatorOptions } from './server.ts';
