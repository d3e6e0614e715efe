import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AppError } from '@freshet/contracts';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { type Database, patiently, type Sql } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { List, ListOptions } from '../database/pagination.ts';
import { apiTokens, type TokenRole } from '../database/schema.ts';
import { changeResource, deleteResource, findResource, listResources } from '../resources/resource.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX = 'frt_';
const RANDOM_DIGITS = 30; // 178 bits
const CHECK_DIGITS = 6;

/** `frt_`, 30 random base-62 digits, and 6 of a checksum that lets a mistyped one be told without asking anybody. */
export function newToken(): string {
  let random = '';
  // 248 = 4 × 62: greater bytes are thrown away, so that every digit is equally likely.
  while (random.length < RANDOM_DIGITS)
    for (const byte of randomBytes(64)) if (byte < 248 && random.length < RANDOM_DIGITS) random += DIGITS[byte % 62];
  return `${PREFIX}${random}${checksum(random)}`;
}

export function isToken(text: string): boolean {
  const random = text.slice(PREFIX.length, PREFIX.length + RANDOM_DIGITS);
  return (
    text.length === PREFIX.length + RANDOM_DIGITS + CHECK_DIGITS && text === `${PREFIX}${random}${checksum(random)}`
  );
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

export type Token = Omit<typeof apiTokens.$inferSelect, 'digest' | 'previous_digest'>;

export interface TokenInput {
  readonly name: string;
  readonly role: TokenRole;
  /** Fewer permissions than the role has; null: all of them. */
  readonly scopes: readonly string[] | null;
  readonly expires_at: Date | null;
}

export interface TokenIdentity {
  readonly id: string;
  readonly name: string;
  readonly role: TokenRole;
  readonly scopes: readonly string[] | null;
}

/** A token that was just made, with its text: the only time that it is known. */
export interface NewToken {
  readonly token: Token;
  readonly text: string;
}

/** API tokens, known by their digests only. */
export class Tokens {
  readonly #db: Database;
  readonly #sql: Sql;

  constructor(db: Database, sql: Sql) {
    this.#db = db;
    this.#sql = sql;
  }

  /** Makes sure that a `team_admin` token of this value exists. */
  async ensureBootstrap(token: string): Promise<void> {
    await patiently(() =>
      this.#db
        .insert(apiTokens)
        .values({ id: uuidv7(), name: 'bootstrap', role: 'team_admin', digest: digestOf(token) })
        .onConflictDoNothing(),
    );
  }

  /** Whose token it is; null when nobody's, or one that has expired. */
  async identify(text: string): Promise<TokenIdentity | null> {
    const digest = digestOf(text);
    const [row] = await this.#sql<(TokenIdentity & { isUseNoted: boolean })[]>`
      select id, name, role, scopes, coalesce(last_used_at > now() - interval '1 minute', false) as "isUseNoted" from freshet.api_tokens
      where (digest = ${digest} or (previous_digest = ${digest} and previous_until > now())) and (expires_at is null or expires_at > now())`;
    if (!row) return null;
    const { isUseNoted, ...identity } = row;
    if (!isUseNoted) await this.#db.update(apiTokens).set({ last_used_at: sql`now()` }).where(eq(apiTokens.id, row.id));
    return identity;
  }

  async create(input: TokenInput): Promise<NewToken> {
    const text = newToken();
    const [row] = await this.#db
      .insert(apiTokens)
      .values({
        id: uuidv7(),
        ...input,
        scopes: input.scopes === null ? null : [...input.scopes],
        digest: digestOf(text),
      })
      .returning();
    return { token: withoutDigests(row as typeof apiTokens.$inferSelect), text };
  }

  async get(id: string): Promise<Token> {
    return withoutDigests(await findResource(this.#sql, apiTokens, 'token', id));
  }

  async list(
    options: ListOptions,
    filter: { readonly name?: string | undefined; readonly role?: string | undefined } = {},
  ): Promise<List<Token>> {
    const { data, nextCursor } = await listResources(this.#sql, apiTokens, options, filter);
    return { data: data.map(withoutDigests), nextCursor };
  }

  /** @throws AppError `conflict` when nobody could manage tokens any more. */
  async change(id: string, input: Partial<TokenInput>, expected: number | null): Promise<Token> {
    const { scopes, ...rest } = input;
    const changes = { ...rest, ...(scopes === undefined ? {} : { scopes: scopes === null ? null : [...scopes] }) };
    return await this.#db.transaction(async (tx) => {
      const changed = await changeResource(tx as unknown as Database, apiTokens, 'token', id, changes, expected);
      await refuseLockout(tx as unknown as Database);
      return withoutDigests(changed);
    });
  }

  /** A new text for the token; the old one opens for so long beside it, so that whoever uses it can be told. */
  async rotate(id: string, overlapMinutes: number, expected: number | null): Promise<NewToken> {
    const text = newToken();
    const changes = {
      digest: digestOf(text),
      previous_digest: apiTokens.digest as unknown as string,
      previous_until: sql`now() + make_interval(mins => ${overlapMinutes})` as unknown as Date,
      rotated_at: sql`now()` as unknown as Date,
    };
    return { token: withoutDigests(await changeResource(this.#db, apiTokens, 'token', id, changes, expected)), text };
  }

  /** @throws AppError `conflict` when nobody could manage tokens any more. */
  async delete(id: string, expected: number | null): Promise<void> {
    await this.#db.transaction(async (tx) => {
      await deleteResource(tx as unknown as Database, apiTokens, 'token', id, expected);
      await refuseLockout(tx as unknown as Database);
    });
  }
}

/** Somebody must be able to make tokens: one of the role that may, with all its permissions, that does not expire. */
async function refuseLockout(db: Database): Promise<void> {
  // Two that give up the last two at once wait for each other here.
  await db.execute(sql`select pg_advisory_xact_lock(hashtextextended('freshet.tokens', 0))`);
  const [admin] = await db
    .select({ id: apiTokens.id })
    .from(apiTokens)
    .where(and(eq(apiTokens.role, 'team_admin'), isNull(apiTokens.scopes), isNull(apiTokens.expires_at)))
    .limit(1);
  if (!admin)
    throw new AppError(
      'conflict',
      'It is the last token of the role team_admin that has no scopes and does not expire. Make another one first.',
    );
}

function withoutDigests({
  digest: _digest,
  previous_digest: _previous,
  ...rest
}: typeof apiTokens.$inferSelect): Token {
  return rest;
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
