/**
 * Error codes of sockets, of PostgreSQL (class 57P: the server is shutting down, has crashed or is
 * starting up) and of PostgreSQL drivers.
 */
const CONNECTION_LOSS_CODES = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  '57P01',
  '57P02',
  '57P03',
]);
/** Messages of node-postgres, which has no code for a lost connection. */
const CONNECTION_LOSS_MESSAGE = /Connection terminated|not queryable|server closed the connection/i;

/**
 * Whether an error, or one of its causes, reports that a connection was lost or that the server is
 * temporarily unavailable. In both cases, a retry can succeed.
 */
export function isConnectionLoss(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code } = current as { code?: unknown };
    if (typeof code === 'string' && CONNECTION_LOSS_CODES.has(code)) return true;
    if (CONNECTION_LOSS_MESSAGE.test(current.message)) return true;
  }
  return false;
}
