import { failed, ok, warning } from './check.ts';

const SECOND_MS = 1000;
/** The `Date` header has a resolution of one second, and responses take time. */
const TOLERANCE_MS = 30 * SECOND_MS;
/** Runs report a larger difference as the warning `clock_skew`. */
const SKEW_MAX_MS = 300 * SECOND_MS;

/**
 * Compares a clock with the clock of this machine.
 * @param skewMs how far the other clock is ahead, in milliseconds.
 */
export function compareClocks(server: string, skewMs: number) {
  const seconds = Math.round(Math.abs(skewMs) / SECOND_MS);
  if (Math.abs(skewMs) <= TOLERANCE_MS) return ok(`The clocks of this machine and of ${server} agree.`);
  const message = `The clock of ${server} is ${seconds} seconds ${skewMs > 0 ? 'ahead of' : 'behind'} the clock of this machine.`;
  const remedy = 'Synchronize the clocks with NTP, for example: timedatectl set-ntp true';
  return Math.abs(skewMs) <= SKEW_MAX_MS ? warning(message, remedy) : failed(message, remedy);
}
