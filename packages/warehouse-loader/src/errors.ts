import { AppError, type ErrorCode } from '@freshet/contracts';

/** SQLSTATEs that callers handle. */
export const SQL_STATES = {
  lockNotAvailable: '55P03',
  insufficientPrivilege: '42501',
  featureNotSupported: '0A000',
  cannotCoerce: '42846',
} as const;

const BY_CODE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ECONNREFUSED: [
    'warehouse_unavailable',
    'The warehouse cannot be reached: no server listens on this host and port. Check host and port.',
  ],
  ENOTFOUND: ['warehouse_unavailable', 'The warehouse cannot be reached: its host name does not resolve. Check host.'],
  EAI_AGAIN: [
    'warehouse_unavailable',
    'The warehouse cannot be reached: the DNS lookup of its host name failed temporarily. Check the DNS server if the failure persists.',
  ],
  ETIMEDOUT: [
    'warehouse_unavailable',
    'The warehouse did not respond in time. Check that the server runs and that no firewall drops the connection.',
  ],
  ECONNRESET: ['warehouse_unavailable', 'The connection to the warehouse was lost. Check the server’s log.'],
  '28P01': ['warehouse_auth', 'The warehouse rejected the password. Change the destination’s credential.'],
  '28000': ['warehouse_auth', 'The warehouse rejected this user. Check username and the server’s pg_hba.conf.'],
  '3D000': ['warehouse_unavailable', 'The warehouse server has no database with this name. Check database.'],
  '42501': ['warehouse_permission', 'The warehouse role lacks a permission. Grant it to the role.'],
  '55P03': ['warehouse_busy', 'Another session holds a lock on the table. The operation is retried.'],
  '40P01': ['warehouse_busy', 'The warehouse aborted the transaction because of a deadlock. The operation is retried.'],
  '40001': [
    'warehouse_busy',
    'The warehouse aborted the transaction because of a serialization failure. The operation is retried.',
  ],
  '57014': [
    'warehouse_busy',
    'The warehouse cancelled the statement after a timeout or at a user’s request. The operation is retried.',
  ],
};

/** By the first two characters of the SQLSTATE. */
const BY_CLASS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  '08': ['warehouse_unavailable', 'The connection to the warehouse was lost. Check the server’s log.'],
  '53': [
    'warehouse_unavailable',
    'The warehouse is out of connections, memory or disk space. Free some or add capacity.',
  ],
  '57': ['warehouse_unavailable', 'The warehouse is shutting down or starting up. Wait until it accepts connections.'],
  '22': ['warehouse_data', 'The warehouse rejected a value. Check the server’s log for the column.'],
  '54': [
    'warehouse_data',
    'The warehouse rejected a row that exceeds its limits. Check the server’s log for the limit.',
  ],
};

/**
 * Converts an error of the driver, the network or PostgreSQL to an {@link AppError}, so that
 * users of this package need no SQLSTATEs. Returns an `AppError` unchanged.
 */
export function toWarehouseError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  // PgBouncer reports each of its errors with this code.
  const sqlState = code === '08P01' && /authentication failed|no such user/i.test(message) ? '28P01' : code;
  const [errorCode, text] = BY_CODE[sqlState] ?? BY_CLASS[code.slice(0, 2)] ?? [];
  if (errorCode && text) return new AppError(errorCode, `${text}${getServerDetail(code, message)}`, { cause: error });
  if (/certificate|self-signed/i.test(message)) {
    const remedy = 'If a private CA has signed the server’s certificate, set ssl_ca to the certificate of this CA.';
    return new AppError('warehouse_unavailable', `The warehouse’s certificate is not trusted: ${message}. ${remedy}`, {
      cause: error,
    });
  }
  if (/timeout|Connection terminated|not queryable|SSL/i.test(message)) {
    return new AppError('warehouse_unavailable', `The connection to the warehouse failed: ${message}.`, {
      cause: error,
    });
  }
  return new AppError('bug', `The warehouse rejected a statement (${code || 'no code'}).`, { cause: error });
}

/**
 * Returns PostgreSQL's message for errors whose message names the missing permission or resource
 * and never contains row data.
 */
function getServerDetail(code: string, message: string): string {
  return code === '42501' || code.startsWith('53') ? ` PostgreSQL reports: ${message}.` : '';
}

/**
 * Builds the error for a worker whose epoch is lower than the epoch of the table.
 * @param epoch the table's epoch. A claim needs a greater one to load the table.
 */
export function createFencedError(tableName: string, epoch: number): AppError {
  return new AppError('fenced', `Lost the lease on table ${tableName}: another worker took the table over.`, {
    context: { epoch },
  });
}

/** Whether PostgreSQL rejected the data of a statement, not the statement. */
export function isDataError(error: unknown): boolean {
  const code = getErrorCode(error);
  return code.startsWith('22') || code.startsWith('54') || code.startsWith('23');
}

/** The error's code (a SQLSTATE, or a code of the network); empty if it has none. */
export function getErrorCode(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}
