import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { eq } from 'drizzle-orm';
import type { Database } from './database.ts';
import { uuidv7 } from './ids.ts';
import { apiTokens, type TokenRole } from './schema.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX = 'frt_';
const RANDOM_DIGITS = 30; // 178 bits
const CHECK_DIGITS = 6;

/** `frt_`, 30 random base-62 digits, and 6 of a checksum that lets a mistyped one be told without asking anybody. */
export function newToken(): string {
  let random = '';
  // 248 = 4 × 62: greater bytes are thrown away, so that every digit is equally likely.
  while (random.length < RANDOM_DIGITS) for (const byte of randomBytes(64)) if (byte < 248 && random.length < RANDOM_DIGITS) random += DIGITS[byte % 62];
  return `${PREFIX}${random}${checksum(random)}`;
}

export function isToken(text: string): boolean {
  const random = text.slice(PREFIX.length, PREFIX.length + RANDOM_DIGITS);
  return text.length === PREFIX.length + RANDOM_DIGITS + CHECK_DIGITS && text === `${PREFIX}${random}${checksum(random)}`;
}

function checksum(random: string): string {
  let rest = crc32(random);
  let text = '';
  for (let i = 0; i < CHECK_DIGITS; i++) {
    text = (DIGITS[rest % 62] as string) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

export interface TokenIdentity {
  readonly id: string;
  readonly name: string;
  readonly role: TokenRole;
}

/** API tokens, known by their digests only. */
export class Tokens {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Makes sure that a `team_admin` token of this value exists. */
  async ensureBootstrap(token: string): Promise<void> {
    await this.#db
      .insert(apiTokens)
      .values({ id: uuidv7(), name: 'bootstrap', role: 'team_admin', digest: digestOf(token) })
      .onConflictDoNothing();
  }

  /** Whose token it is; null when nobody's. */
  async identify(token: string): Promise<TokenIdentity | null> {
    const [row] = await this.#db
      .select({ id: apiTokens.id, name: apiTokens.name, role: apiTokens.role })
      .from(apiTokens)
      .where(eq(apiTokens.digest, digestOf(token)));
    return row ?? null;
  }
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
