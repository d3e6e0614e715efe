import { resolve } from 'node:path';
import { AppError } from '@freshet/contracts';
import { parseAccountSettings } from '@freshet/freshdesk-extractor';
import { readSettings, settings } from '@freshet/runtime';

export interface StandaloneSettings {
  /** Null: a database of the embedded PostgreSQL. */
  readonly databaseUrl: string | null;
  /** Null: a database of the embedded PostgreSQL. */
  readonly warehouseUrl: string | null;
  /** Null: the simulated account. */
  readonly account: { readonly subdomain: string; readonly apiKey: string } | null;
  readonly origin: string | null;
  /** Null: all history. */
  readonly historicalSyncDays: number | null;
  /**
   * Whether the pipeline has analytics models. Null: a new pipeline has them, and an existing
   * pipeline is not changed.
   */
  readonly analytics: boolean | null;
  readonly dataDir: string;
  readonly host: string;
  /** Null: the default port or, if the default port is in use, a free port. */
  readonly port: number | null;
  readonly logLevel: string;
  readonly bootstrapToken: string | null;
  readonly secretKeys: string | null;
  /** The command that starts the deployment, for the texts of the output. */
  readonly startCommand: string;
  /** Whether to exit after the first run. */
  readonly once: boolean;
}

/**
 * Reads the settings of `npm start`.
 * @param args the command-line arguments: none, or `--once`.
 * @throws AppError `configuration` that lists the unknown option, or the missing and malformed
 *   variables.
 */
export function readStandaloneSettings(environment: NodeJS.ProcessEnv, args: readonly string[]): StandaloneSettings {
  const unknownOption = args.find((arg) => arg !== '--once');
  if (unknownOption !== undefined)
    throw new AppError('configuration', `Unknown option "${unknownOption}". Usage: npm start [-- --once]`);
  const env = readSettings(
    {
      DATABASE_URL: settings.DATABASE_URL.optional(),
      WAREHOUSE_URL: settings.WAREHOUSE_URL.optional(),
      FRESHDESK_SUBDOMAIN: settings.string.optional(),
      FRESHDESK_API_KEY: settings.string.optional(),
      FRESHDESK_ORIGIN: settings.FRESHDESK_ORIGIN,
      FRESHDESK_HISTORICAL_SYNC_DAYS: settings.integer(1, 36_500).or(settings.literal('all')).default(30),
      FRESHET_ANALYTICS: settings.boolean.optional(),
      FRESHET_DATA_DIR: settings.string.optional(),
      FRESHET_BOOTSTRAP_TOKEN: settings.FRESHET_BOOTSTRAP_TOKEN,
      FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS.optional(),
      FRESHET_START_COMMAND: settings.string.default('npm start'),
      HOST: settings.HOST,
      PORT: settings.PORT.optional(),
      LOG_LEVEL: settings.LOG_LEVEL,
    },
    environment,
  );
  const history = env.FRESHDESK_HISTORICAL_SYNC_DAYS;
  return {
    databaseUrl: env.DATABASE_URL ?? null,
    warehouseUrl: env.WAREHOUSE_URL ?? null,
    account: parseAccountSettings(env),
    origin: env.FRESHDESK_ORIGIN ?? null,
    historicalSyncDays: history === 'all' ? null : history,
    analytics: env.FRESHET_ANALYTICS ?? null,
    dataDir: resolve(env.FRESHET_DATA_DIR ?? '.freshet'),
    host: env.HOST,
    port: env.PORT ?? null,
    logLevel: env.LOG_LEVEL,
    bootstrapToken: env.FRESHET_BOOTSTRAP_TOKEN ?? null,
    secretKeys: env.FRESHET_SECRET_KEYS ?? null,
    startCommand: env.FRESHET_START_COMMAND,
    once: args.includes('--once'),
  };
}
