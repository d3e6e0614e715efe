import { AppError, type ErrorCode } from '@freshet/contracts';

/** SQLSTATE, or its class (the first two characters) → error code, cause and remedy. */
const BY_SQLSTATE: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  '28': ['warehouse_auth', 'The warehouse rejected the user or the password. Correct the destination’s credential.'],
  '3D': ['warehouse_unavailable', 'The warehouse server has no database with this name. Check the destination.'],
  '42501': ['warehouse_permission', 'The warehouse role lacks a privilege for the models. Grant it to the role.'],
  '55P03': ['warehouse_busy', 'Another session holds a lock on a table of the models. The refresh is retried.'],
  '40': ['warehouse_busy', 'The warehouse aborted the refresh because of a conflict. The refresh is retried.'],
  '57014': ['warehouse_busy', 'The warehouse cancelled the statement because it exceeded its timeout.'],
  '57': ['warehouse_unavailable', 'The warehouse is shutting down or starting up. Wait until it accepts connections.'],
  '53': ['warehouse_unavailable', 'The warehouse has run out of connections, memory or disk space. Add capacity.'],
  '08': ['warehouse_unavailable', 'The connection to the warehouse was lost. Check the server’s log.'],
  '22': ['warehouse_data', 'A value in the warehouse cannot be used by the models. Find it in the server’s log.'],
  '54': ['warehouse_data', 'A row of the models exceeds a limit of PostgreSQL. Find it in the server’s log.'],
  '2BP01': [
    'conflict',
    'An object that is not a view depends on a model whose columns have changed. Drop it, and create it again after the next run.',
  ],
};

/** Codes of the driver and of Node for a connection that failed or was lost. */
const CONNECTION_CODES = /^(CONNECT|CONNECTION_|ECONN|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH)/;

/** Converts an error of the driver or of PostgreSQL to an AppError. */
function toAnalyticsError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const [errorCode, text] = BY_SQLSTATE[code] ?? BY_SQLSTATE[code.slice(0, 2)] ?? [];
  if (errorCode !== undefined && text !== undefined) {
    // These messages name objects of the database, and never contain values of rows.
    const hasDetail = code === '42501' || code === '2BP01' || code.startsWith('53');
    return new AppError(errorCode, hasDetail ? `${text} PostgreSQL reports: ${message}.` : text, { cause: error });
  }
  if (CONNECTION_CODES.test(code))
    return new AppError(
      'warehouse_unavailable',
      `The connection to the warehouse failed (${code}). Check the server.`,
      {
        cause: error,
      },
    );
  return new AppError('bug', `The warehouse rejected a statement of the models (${code || 'no code'}).`, {
    cause: error,
  });
}

/** Runs `work`, and converts its errors with {@link toAnalyticsError}. */
export async function withAnalyticsErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toAnalyticsError(error);
  }
}
