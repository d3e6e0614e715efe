/** Of sockets, of PostgreSQL (class 57P: it stops, has crashed, or starts), and of its drivers. */
const LOST = new Set([
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
/** node-postgres has no code for it. */
const SAID = /Connection terminated|not queryable|server closed the connection/i;

/** Whether an error says that a connection was lost, or cannot be had just now: nothing is wrong that time does not mend. */
export function isConnectionLoss(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if ((typeof code === 'string' && LOST.has(code)) || SAID.test(at.message)) return true;
  }
  return false;
}
