import { AppError, type ErrorCode } from '@freshet/contracts';

const BY_CODE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ECONNREFUSED: ['warehouse_unavailable', 'No server answers at the warehouse’s host and port.'],
  ENOTFOUND: ['warehouse_unavailable', 'The warehouse’s host name does not resolve.'],
  EAI_AGAIN: ['warehouse_unavailable', 'The warehouse’s host name does not resolve just now.'],
  ETIMEDOUT: ['warehouse_unavailable', 'The warehouse does not answer in time.'],
  ECONNRESET: ['warehouse_unavailable', 'The connection to the warehouse was lost.'],
  '28P01': ['warehouse_auth', 'The warehouse refused the password. Change the destination’s credential.'],
  '28000': ['warehouse_auth', 'The warehouse refused this user. Check username, and the server’s pg_hba.conf.'],
  '3D000': ['warehouse_unavailable', 'The warehouse’s server has no database of that name. Check database.'],
  '42501': ['warehouse_permission', 'The warehouse’s role lacks a permission.'],
  '55P03': ['warehouse_busy', 'Somebody holds a lock on the table; the change of its columns is tried again.'],
  '40P01': ['warehouse_busy', 'The warehouse broke up a deadlock; the batch is tried again.'],
  '40001': ['warehouse_busy', 'The warehouse could not serialise the transaction; the batch is tried again.'],
  '57014': ['warehouse_busy', 'The warehouse cancelled the statement; it is tried again.'],
};

const BY_CLASS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  '08': ['warehouse_unavailable', 'The connection to the warehouse was lost.'],
  '53': ['warehouse_unavailable', 'The warehouse is short of resources (connections, memory or disk).'],
  '57': ['warehouse_unavailable', 'The warehouse is shutting down or starting up.'],
  '22': ['warehouse_data', 'The warehouse refused a value.'],
  '54': ['warehouse_data', 'The warehouse refused a row that exceeds its limits.'],
};

/** Failures of PostgreSQL and of the way to it as codes; nobody outside looks at a SQLSTATE. */
export function warehouseError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  // PgBouncer has one code for all that is its own.
  const [known, text] =
    BY_CODE[code === '08P01' && /authentication failed|no such user/i.test(message) ? '28P01' : code] ??
    BY_CLASS[code.slice(0, 2)] ??
    [];
  if (known && text) return new AppError(known, `${text}${said(code, message)}`, { cause: error });
  if (/certificate|self-signed/i.test(message)) {
    const hint = 'If a CA of your own has signed the server’s certificate, give that CA’s as ssl_ca.';
    return new AppError('warehouse_unavailable', `The warehouse’s certificate is not trusted: ${message}. ${hint}`, {
      cause: error,
    });
  }
  if (/timeout|Connection terminated|not queryable|SSL/i.test(message)) {
    return new AppError('warehouse_unavailable', `The warehouse cannot be used: ${message}.`, { cause: error });
  }
  return new AppError('bug', `The warehouse refused a statement (${code || 'no code'}).`, { cause: error });
}

/** PostgreSQL's own words help where they name what is missing, and hold no data of anybody's there. */
function said(code: string, message: string): string {
  return code === '42501' || code.startsWith('53') ? ` PostgreSQL says: ${message}.` : '';
}
