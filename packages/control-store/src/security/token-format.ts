import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/**
 * The prefixes of the values that authenticate a client: an API token, the session of a browser,
 * and a one-time sign-in code.
 */
type Prefix = 'frt_' | 'frs_' | 'frc_';
const PREFIX_LENGTH = 4;
const RANDOM_DIGITS = 30; // 178 bits
const CHECK_DIGITS = 6;
const RANDOM_BYTES = 64;

/**
 * Generates a value: the prefix, 30 random base-62 digits, and a checksum of 6 digits. The checksum
 * reveals a mistyped value without a database query.
 */
export function generateToken(prefix: Prefix = 'frt_'): string {
  let random = '';
  // Bytes of 248 (4 × 62) or more are discarded, so that every digit is equally likely.
  while (random.length < RANDOM_DIGITS) {
    for (const byte of randomBytes(RANDOM_BYTES)) {
      if (byte < 248 && random.length < RANDOM_DIGITS) random += DIGITS[byte % 62];
    }
  }
  return `${prefix}${random}${buildChecksum(random)}`;
}

/** Whether a string has the prefix, the format and the checksum of a value. */
export function isTokenFormat(value: string, prefix: Prefix = 'frt_'): boolean {
  const random = value.slice(PREFIX_LENGTH, PREFIX_LENGTH + RANDOM_DIGITS);
  return (
    value.length === PREFIX_LENGTH + RANDOM_DIGITS + CHECK_DIGITS &&
    value === `${prefix}${random}${buildChecksum(random)}`
  );
}

/** Computes the digest of a token, a session or a code. Only the digest is stored. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'hex');
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
