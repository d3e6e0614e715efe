import type { z } from 'zod';
import { createLogger, type Logger } from './logger.ts';
import { Metrics } from './metrics.ts';
import { startMonitor } from './monitor.ts';
import { runProcess, type Stoppable } from './process.ts';
import { readSettings, settings } from './settings.ts';

/** The settings of every service. */
const COMMON_SETTINGS = {
  DATABASE_URL: settings.DATABASE_URL,
  FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS,
  HOST: settings.HOST,
  FRESHET_MONITOR_PORT: settings.FRESHET_MONITOR_PORT,
  LOG_LEVEL: settings.LOG_LEVEL,
} as const;

type Environment<S extends z.ZodRawShape> = z.infer<z.ZodObject<typeof COMMON_SETTINGS>> & z.infer<z.ZodObject<S>>;

/** The operations that the runtime requires of every store. */
interface ServiceStore {
  /** Rejects when the database is unreachable. */
  ping(): Promise<void>;
  /** Waits for jobs in progress, then closes all connections. */
  close(): Promise<void>;
}

interface StoreOptions {
  readonly name: string;
  readonly databaseUrl: string;
  readonly secretKeys: string;
  readonly onError: (error: Error) => void;
}

interface ServiceContext<S extends z.ZodRawShape, T extends ServiceStore> {
  readonly env: Environment<S>;
  readonly store: T;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Aborted when the shutdown begins. */
  readonly shutdownSignal: AbortSignal;
}

/** The functions of a running service that the common monitor and the common shutdown call. */
interface ServiceHooks {
  /** Updates gauges before each scrape of `/metrics`. */
  refreshMetrics?(): Promise<void>;
  /**
   * Stops accepting and creating work. Called first in a shutdown, while the store is still open.
   */
  stopIntake?(): Promise<void>;
  /** Closes the resources that jobs use. Called after the store has drained and closed. */
  releaseResources?(): Promise<void>;
}

interface ServiceOptions<S extends z.ZodRawShape, T extends ServiceStore> {
  /** The name of the process in logs, metrics, traces and heartbeats. */
  readonly name: string;
  /** The settings of this service, in addition to the common settings. */
  readonly settings: S;
  readonly openStore: (options: StoreOptions, env: Environment<S>) => Promise<T>;
  readonly start: (context: ServiceContext<S, T>) => Promise<ServiceHooks>;
}

/**
 * Runs a service of a deployment: reads its settings, opens its store, starts the monitor and the
 * service, and shuts all of these parts down when the process stops. The runtime does not depend on
 * a specific store, so each service passes a function that opens its store.
 */
export async function runService<S extends z.ZodRawShape, T extends ServiceStore>(
  options: ServiceOptions<S, T>,
): Promise<void> {
  // A malformed LOG_LEVEL is reported later, together with the other malformed settings.
  const level = settings.LOG_LEVEL.safeParse(process.env['LOG_LEVEL'] || undefined).data ?? 'info';
  const logger = createLogger(options.name, level);
  await runProcess(options.name, logger, () => startService(options, logger));
}

async function startService<S extends z.ZodRawShape, T extends ServiceStore>(
  { name, settings: ownSettings, openStore, start }: ServiceOptions<S, T>,
  logger: Logger,
): Promise<Stoppable> {
  const env = readSettings({ ...COMMON_SETTINGS, ...ownSettings }, process.env) as Environment<S>;
  const storeOptions = {
    name,
    databaseUrl: env.DATABASE_URL,
    secretKeys: env.FRESHET_SECRET_KEYS,
    onError: (error: Error) => logger.warn({ err: error }, 'job queue error'),
  };
  const store = await openStore(storeOptions, env);
  const shutdown = new AbortController();
  const metrics = new Metrics(name);
  let hooks: ServiceHooks = {};
  try {
    const monitor = await startMonitor({
      host: env.HOST,
      port: env.FRESHET_MONITOR_PORT,
      metrics,
      refreshMetrics: async () => await hooks.refreshMetrics?.(),
      checkReadiness: () => store.ping(),
      isDraining: () => shutdown.signal.aborted,
    });
    hooks = await start({ env, store, logger, metrics, shutdownSignal: shutdown.signal });
    logger.info('started');
    return {
      stop: async () => {
        shutdown.abort();
        await hooks.stopIntake?.();
        await store.close();
        monitor.close();
        await hooks.releaseResources?.();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
