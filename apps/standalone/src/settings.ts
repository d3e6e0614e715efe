import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@freshet/contracts';
import { parseSubdomain } from '@freshet/freshdesk-extractor';
import { readSettings, settings } from '@freshet/runtime';

export interface StandaloneSettings {
  /** Null: the embedded PostgreSQL's. */
  readonly databaseUrl: string | null;
  /** Null: a database of the embedded PostgreSQL. */
  readonly warehouseUrl: string | null;
  /** Null: the simulator's. */
  readonly account: { readonly subdomain: string; readonly apiKey: string } | null;
  readonly origin: string | null;
  readonly historicalSyncDays: number | null;
  readonly dataDir: string;
  readonly host: string;
  /** Null: the usual one, or any other that is free. */
  readonly port: number | null;
  readonly logLevel: string;
  readonly bootstrapToken: string | null;
  readonly secretKeys: string | null;
  /** End after the first run. */
  readonly once: boolean;
}

const days = settings.wholeNumber(1, 36_500);

/** @throws AppError `configuration` that names what is missing or malformed. */
export function readStandaloneSettings(environment: NodeJS.ProcessEnv, args: readonly string[]): StandaloneSettings {
  const unknown = args.find((arg) => arg !== '--once');
  if (unknown !== undefined)
    throw new AppError('configuration', `"${unknown}" is not known; the only option is --once.`);
  const env = readSettings(
    {
      DATABASE_URL: settings.DATABASE_URL.optional(),
      WAREHOUSE_URL: settings.WAREHOUSE_URL.optional(),
      FRESHDESK_SUBDOMAIN: settings.text.optional(),
      FRESHDESK_API_KEY: settings.text.optional(),
      FRESHDESK_ORIGIN: settings.FRESHDESK_ORIGIN,
      FRESHDESK_HISTORICAL_SYNC_DAYS: days.or(settings.literal('all')).default(30),
      FRESHET_DATA_DIR: settings.text.optional(),
      FRESHET_BOOTSTRAP_TOKEN: settings.FRESHET_BOOTSTRAP_TOKEN,
      FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS.optional(),
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
    account: accountOf(env.FRESHDESK_SUBDOMAIN, env.FRESHDESK_API_KEY, env.FRESHDESK_ORIGIN),
    origin: env.FRESHDESK_ORIGIN ?? null,
    historicalSyncDays: history === 'all' ? null : history,
    dataDir: env.FRESHET_DATA_DIR ?? join(fileURLToPath(new URL('../../..', import.meta.url)), '.freshet'),
    host: env.HOST,
    port: env.PORT ?? null,
    logLevel: env.LOG_LEVEL,
    bootstrapToken: env.FRESHET_BOOTSTRAP_TOKEN ?? null,
    secretKeys: env.FRESHET_SECRET_KEYS ?? null,
    once: args.includes('--once'),
  };
}

function accountOf(
  subdomain: string | undefined,
  apiKey: string | undefined,
  origin: string | undefined,
): StandaloneSettings['account'] {
  if (subdomain === undefined && apiKey === undefined) {
    if (origin !== undefined)
      throw new AppError(
        'configuration',
        'FRESHDESK_ORIGIN needs FRESHDESK_SUBDOMAIN and FRESHDESK_API_KEY beside it.',
      );
    return null;
  }
  if (subdomain === undefined)
    throw new AppError(
      'configuration',
      'FRESHDESK_API_KEY needs FRESHDESK_SUBDOMAIN beside it: the part before .freshdesk.com.',
    );
  if (apiKey === undefined)
    throw new AppError(
      'configuration',
      'FRESHDESK_SUBDOMAIN needs FRESHDESK_API_KEY beside it: an API key from an agent’s profile settings.',
    );
  return { subdomain: parseSubdomain(subdomain), apiKey };
}
