/**
 * A Freshdesk account in a process: for the demonstration, the tests and the benchmarks.
 *
 * Its routes, parameters, columns and behaviours follow from the catalogue; its records from a seed. It answers
 * on a real socket, as a library (`new FreshdeskSimulator(…).listen()`) or as a process (`src/main.ts`).
 */
export { SimulatedAccount } from './account.ts';
export { PLANS, type Plan } from './limits.ts';
export { DEFAULT_KEYS, FreshdeskSimulator, type SimulatorOptions } from './server.ts';
