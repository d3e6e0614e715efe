/**
 * The code that all processes of Freshet share: settings from the environment, a logger that
 * redacts secrets, metrics and probes, tracing, and a uniform startup and shutdown. The embedded
 * PostgreSQL is a separate entry point, `./embedded-postgres`.
 */
export { resolveEntryModule } from './entry-modules.ts';
export {
  readLocalDeployment,
  removeLocalDeployment,
  saveLocalDeployment,
} from './local-deployment.ts';
export { createLogger, type Logger } from './logger.ts';
export { type Counter, type Gauge, type Histogram, Metrics } from './metrics.ts';
export { isReady } from './monitor.ts';
export { limitHeapGrowth, NODE_OPTIONS } from './node-options.ts';
export { createOutboundPolicy, type OutboundPolicy } from './outbound-policy.ts';
export { runProcess } from './process.ts';
export { runService } from './service.ts';
export { readSettings, settings } from './settings.ts';
