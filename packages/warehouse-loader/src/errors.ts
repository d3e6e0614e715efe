import { AppError, type ErrorCode } from '@freshet/contracts';

/** SQLSTATEs that callers handle. */
export const SQL_STATES = {
  lockNotAvailable: '55P03',
  insufficientPrivilege: '42501',
  featureNotSupported: '0A000',
  cannotCoerce: '42846',
  undefinedFunction: '42883',
  ambiguousFunction: '42725',
  datatypeMismatch: '42804',
  deadlockDetected: '40P01',
  queryCanceled: '57014',
} as const;

const CONNECTION_LOST = 'The connection to the warehouse was lost. Check the server’s log.';

const BY_CODE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ECONNREFUSED: [
    'warehouse_unavailable',
    'The warehouse cannot be reached: no server listens on this host and port. Check the destination’s host and port.',
  ],
  ENOTFOUND: [
    'warehouse_unavailable',
    'The warehouse cannot be reached: its host name does not resolve. Check the destination’s host.',
  ],
  EAI_AGAIN: [
    'warehouse_unavailable',
    'The warehouse cannot be reached: the DNS lookup of its host name failed temporarily. Check the DNS server if the failure persists.',
  ],
  ETIMEDOUT: [
    'warehouse_unavailable',
    'The warehouse did not respond in time. Check that the server runs and that no firewall drops the connection.',
  ],
  CONNECT_TIMEOUT: [
    'warehouse_unavailable',
    'The warehouse did not respond in time. Check that the server runs and that no firewall drops the connection.',
  ],
  CONNECTION_CLOSED: ['warehouse_unavailable', CONNECTION_LOST],
  CONNECTION_DESTROYED: ['warehouse_unavailable', CONNECTION_LOST],
  ECONNRESET: ['warehouse_unavailable', CONNECTION_LOST],
  '28P01': ['warehouse_auth', 'The warehouse rejected the password. Change the destination’s credential.'],
  '28000': [
    'warehouse_auth',
    'The warehouse rejected this user. Check the destination’s username and the server’s pg_hba.conf.',
  ],
  '3D000': [
    'warehouse_unavailable',
    'The warehouse server has no database with this name. Check the destination’s database.',
  ],
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

/** Class of the SQLSTATE (its first two characters) → error code and message. */
const BY_CLASS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  '08': ['warehouse_unavailable', CONNECTION_LOST],
  '53': [
    'warehouse_unavailable',
    'The warehouse has run out of connections, memory or disk space. Free resources or add capacity.',
  ],
  '57': ['warehouse_unavailable', 'The warehouse is shutting down or starting up. Wait until it accepts connections.'],
  '22': ['warehouse_data', 'The warehouse rejected a value. Find the column in the server’s log.'],
  '54': [
    'warehouse_data',
    'The warehouse rejected a row because the row exceeds a limit of PostgreSQL. Find the limit in the server’s log.',
  ],
};

/**
 * Converts an error of the driver, the network or PostgreSQL to an {@link AppError}, so that
 * callers do not need to know SQLSTATEs. Returns an `AppError` unchanged.
 */
export function toWarehouseError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  // PgBouncer uses the code 08P01 for all errors that it reports itself.
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
 * Returns PostgreSQL's message if the error concerns a missing permission or resource. These
 * messages identify the permission or resource and never contain row data. Returns an empty string
 * for all other errors.
 */
function getServerDetail(code: string, message: string): string {
  return code === '42501' || code.startsWith('53') ? ` PostgreSQL reports: ${message}.` : '';
}

/**
 * Builds the error for a worker whose epoch is lower than the epoch of the table.
 * @param epoch the table's epoch. The caller stores it, so that the next lease has a greater epoch.
 */
export function createFencedError(tableName: string, epoch: number): AppError {
  return new AppError('fenced', `Lost the lease on table ${tableName}: another worker took the table over.`, {
    context: { epoch },
  });
}

/** Whether PostgreSQL rejected the data of a statement and not the statement itself. */
export function isDataError(error: unknown): boolean {
  const code = getErrorCode(error);
  return code.startsWith('22') || code.startsWith('54') || code.startsWith('23');
}

/**
 * Returns the code of an error: a SQLSTATE or the code of a network error. Returns an empty string
 * if the error has no code.
 */
export function getErrorCode(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}
