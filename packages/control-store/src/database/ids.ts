import { randomBytes } from 'node:crypto';

/** A UUID that sorts before every other UUID. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';

let last = 0n;

/**
 * Creates a UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits. The ids that one
 * process creates increase monotonically, so they sort in the order of their creation. Freshet
 * creates the ids itself, because PostgreSQL can generate a UUIDv7 only since version 18.
 */
export function uuidv7(now = Date.now()): string {
  const random = BigInt(`0x${randomBytes(10).toString('hex')}`) >> 6n; // 74 bits
  let value = (BigInt(now) << 74n) | random;
  if (value <= last) value = last + 1n;
  last = value;
  const time = (value >> 74n).toString(16).padStart(12, '0');
  const a = ((value >> 62n) & 0xfffn).toString(16).padStart(3, '0');
  const b = ((value & ((1n << 62n) - 1n)) | (1n << 63n)).toString(16).padStart(16, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-${b.slice(0, 4)}-${b.slice(4)}`;
}
