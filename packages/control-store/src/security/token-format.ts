import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX = 'frt_';
const RANDOM_DIGITS = 30; // 178 bits
const CHECK_DIGITS = 6;
const RANDOM_BYTES = 64;

/**
 * Generates a token: `frt_`, 30 random base-62 digits, and a checksum of 6 digits. The checksum
 * reveals a mistyped token without a database query.
 */
export function generateToken(): string {
  let random = '';
  // Bytes of 248 (4 × 62) or more are discarded, so that every digit is equally likely.
  while (random.length < RANDOM_DIGITS) {
    for (const byte of randomBytes(RANDOM_BYTES)) {
      if (byte < 248 && random.length < RANDOM_DIGITS) random += DIGITS[byte % 62];
    }
  }
  return `${PREFIX}${random}${buildChecksum(random)}`;
}

/** Whether a string has the format and the checksum of a token. */
export function isTokenFormat(value: string): boolean {
  const random = value.slice(PREFIX.length, PREFIX.length + RANDOM_DIGITS);
  return (
    value.length === PREFIX.length + RANDOM_DIGITS + CHECK_DIGITS &&
    value === `${PREFIX}${random}${buildChecksum(random)}`
  );
}

/** Computes the digest of a token. Only the digest is stored. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function buildChecksum(random: string): string {
  let rest = crc32(random);
  let digits = '';
  for (let i = 0; i < CHECK_DIGITS; i++) {
    digits = (DIGITS[rest % 62] as string) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
