import { parseWarehouseUrl, type WarehouseUrl } from '@freshet/contracts';
import { buildAccount, parseAccountSettings } from '@freshet/freshdesk-extractor';
import { readSettings, settings } from '@freshet/runtime';
import { resolveDataDir } from '../cli/data-dir.ts';

/** The settings that `freshet doctor` checks. Null: the variable is not set. */
export interface DoctorSettings {
  /**
   * Whether the settings belong to `freshet standalone`. Otherwise, they belong to the separate
   * processes of a deployment, which have no data folder.
   */
  readonly isStandalone: boolean;
  readonly dataDir: string;
  readonly databaseUrl: string | null;
  readonly secretKeys: string | null;
  readonly warehouse: WarehouseUrl | null;
  readonly account: (ReturnType<typeof buildAccount> & { readonly apiKey: string }) | null;
  readonly allowedAddresses: string;
  readonly host: string;
  readonly port: number | null;
  readonly api: { readonly url: string; readonly token: string } | null;
}

/** `freshet standalone` allows the loopback addresses. */
const LOOPBACK = '127.0.0.0/8,::1/128';

/**
 * Reads the settings.
 * @param dataDir the value of the option `--data-dir`.
 * @throws AppError `configuration` or `invalid_input` that names the malformed variables.
 */
export function readDoctorSettings(environment: NodeJS.ProcessEnv, dataDir: string | undefined): DoctorSettings {
  const env = readSettings(
    {
      DATABASE_URL: settings.DATABASE_URL.optional(),
      FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS.optional(),
      WAREHOUSE_URL: settings.WAREHOUSE_URL.optional(),
      FRESHDESK_SUBDOMAIN: settings.string.optional(),
      FRESHDESK_API_KEY: settings.string.optional(),
      FRESHDESK_ORIGIN: settings.FRESHDESK_ORIGIN,
      FRESHET_ALLOWED_ADDRESSES: settings.FRESHET_ALLOWED_ADDRESSES,
      HOST: settings.HOST,
      PORT: settings.PORT.optional(),
      FRESHET_URL: settings.serverUrl(['http:', 'https:']).optional(),
      FRESHET_TOKEN: settings.string.optional(),
    },
    environment,
  );
  const isStandalone =
    env.DATABASE_URL === undefined || env.WAREHOUSE_URL !== undefined || env.FRESHDESK_SUBDOMAIN !== undefined;
  // Separate processes read the account of each pipeline from the control database.
  const account = isStandalone ? parseAccountSettings(env) : null;
  return {
    isStandalone,
    dataDir: resolveDataDir(dataDir, environment),
    databaseUrl: env.DATABASE_URL ?? null,
    secretKeys: env.FRESHET_SECRET_KEYS ?? null,
    warehouse: env.WAREHOUSE_URL === undefined ? null : parseWarehouseUrl(env.WAREHOUSE_URL),
    account:
      account === null
        ? null
        : { ...buildAccount(account.subdomain, env.FRESHDESK_ORIGIN ?? null), apiKey: account.apiKey },
    allowedAddresses: isStandalone ? LOOPBACK : env.FRESHET_ALLOWED_ADDRESSES,
    host: env.HOST,
    port: env.PORT ?? null,
    api:
      env.FRESHET_URL === undefined || env.FRESHET_TOKEN === undefined
        ? null
        : { url: env.FRESHET_URL, token: env.FRESHET_TOKEN },
  };
}

/** Lists the values that the report must not contain. */
export function listSecrets({ databaseUrl, secretKeys, warehouse, account, api }: DoctorSettings): string[] {
  const databasePassword = databaseUrl === null ? '' : decodeURIComponent(new URL(databaseUrl).password);
  const keys = (secretKeys ?? '').split(',').map((key) => key.split(':')[1] ?? '');
  return [databasePassword, warehouse?.password ?? '', account?.apiKey ?? '', api?.token ?? '', ...keys];
}
