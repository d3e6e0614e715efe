import { randomFillSync } from 'node:crypto';

/** A UUID that sorts before every other UUID. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';

const DAY_MS = 86_400_000;
/** The number of random bytes of an id. */
const RANDOM_BYTES = 10;
/** Random bytes for the next ids. Generating them for each id would take most of the time. */
const pool = Buffer.alloc(128 * RANDOM_BYTES);
let used = pool.length;

/** The parts of the last id: milliseconds, and 12, 30 and 32 bits. */
let last: readonly [number, number, number, number] = [0, 0, 0, 0];

/**
 * Creates a UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits. The ids that one
 * process creates increase monotonically, so they sort in the order of their creation. Freshet
 * creates the ids itself, because PostgreSQL can generate a UUIDv7 only since version 18.
 */
export function uuidv7(now = Date.now()): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = [
    pool.readUInt16BE(used) >>> 4,
    pool.readUInt32BE(used + 2) >>> 2,
    pool.readUInt32BE(used + 6),
  ] as const;
  used += RANDOM_BYTES;
  const drawn = [now, ...random] as const;
  last = isAfterLast(drawn) ? drawn : incrementLast();
  const [ms, a, b, c] = last;
  const time = toHex(ms, 12);
  const variant = toHex(0x80000000 + b, 8);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${toHex(a, 3)}-${variant.slice(0, 4)}-${variant.slice(4)}${toHex(c, 8)}`;
}

function isAfterLast(parts: typeof last): boolean {
  const i = parts.findIndex((part, index) => part !== last[index]);
  return i >= 0 && (parts[i] as number) > (last[i] as number);
}

function incrementLast(): typeof last {
  const [ms, a, b, c] = last;
  if (c < 2 ** 32 - 1) return [ms, a, b, c + 1];
  if (b < 2 ** 30 - 1) return [ms, a, b + 1, 0];
  return a < 2 ** 12 - 1 ? [ms, a + 1, 0, 0] : [ms + 1, 0, 0, 0];
}

function toHex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/**
 * Returns an id that is lower than the ids of all rows that were created at this time or later. A
 * UUIDv7 starts with its time of creation, so the id limits the rows that a statement reads. The
 * clocks of the processes and of the database may differ by up to a day.
 */
export function getLowestId(time: number): string {
  const hex = Math.max(0, Math.floor(time / DAY_MS - 1) * DAY_MS)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
