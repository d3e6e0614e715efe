import { AppError } from './errors.ts';

/** The parts of the URL of a PostgreSQL warehouse. */
export interface WarehouseUrl {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly sslMode: 'disable' | 'require' | 'verify-full';
}

const SSL_MODES: readonly string[] = ['disable', 'require', 'verify-full'] satisfies WarehouseUrl['sslMode'][];

/**
 * Parses `WAREHOUSE_URL`. Without the parameter `sslmode`, the connection is encrypted and verified
 * unless the server is on this machine.
 * @throws AppError `configuration` if the URL has no user or no database.
 */
export function parseWarehouseUrl(warehouseUrl: string): WarehouseUrl {
  const url = new URL(warehouseUrl);
  const sslMode = url.searchParams.get('sslmode') ?? '';
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === '' || url.username === '') {
    throw new AppError(
      'configuration',
      'WAREHOUSE_URL must contain a user and a database: postgres://user:password@host:5432/database',
    );
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 5432),
    database,
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    sslMode: SSL_MODES.includes(sslMode) ? (sslMode as WarehouseUrl['sslMode']) : isLocal ? 'disable' : 'verify-full',
  };
}
