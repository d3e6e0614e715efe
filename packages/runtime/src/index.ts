/**
 * What every process of Freshet needs: settings from the environment, a logger that keeps secrets out, and a
 * life that starts, drains and ends the same way. An embedded PostgreSQL is beside it, at `./embedded-postgres`.
 */
export { createLogger, type Logger } from './logger.ts';
export { type Count, type Level, Metrics, type Spread } from './metrics.ts';
export { isReady, startMonitor } from './monitor.ts';
export { WORKER_NODE_OPTIONS } from './node-options.ts';
export { type Outbound, outbound } from './outbound.ts';
export { type Process, runProcess } from './process.ts';
export { readSettings, settings } from './settings.ts';
