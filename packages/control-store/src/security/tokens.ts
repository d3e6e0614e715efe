import { AppError } from '@freshet/contracts';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { type Database, retryUntilAvailable } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { List, ListOptions } from '../database/pagination.ts';
import { deleteResource, getResource, listResources, updateResource } from '../database/resource-table.ts';
import { apiTokens, signIns, type TokenRole } from '../database/schema/index.ts';
import { Store } from '../store.ts';
import { SharedLookups } from './shared-lookups.ts';
import { generateToken, hashToken, isTokenFormat } from './token-format.ts';

export type Token = Omit<typeof apiTokens.$inferSelect, 'digest' | 'previous_digest'>;

export interface TokenInput {
  readonly name: string;
  readonly role: TokenRole;
  /** A subset of the permissions of the role. Null: all of them. */
  readonly scopes: readonly string[] | null;
  readonly expires_at: Date | null;
}

/** The token that authenticates a request. */
export interface TokenIdentity {
  readonly id: string;
  readonly name: string;
  readonly role: TokenRole;
  readonly scopes: readonly string[] | null;
  /** The session that the request belongs to. Null: the request contains the token itself. */
  readonly sessionId: string | null;
}

/** A token that was found for a request. */
interface UsedToken extends TokenIdentity {
  readonly wasUsedRecently: boolean;
}

/** A token and its new value. No later response contains this value. */
export interface NewToken {
  readonly token: Token;
  readonly value: string;
}

const RESOURCE = { table: apiTokens, name: 'token' };

/** API tokens. Only their digests are stored. */
export class Tokens extends Store {
  readonly #lookups = new SharedLookups((digest) => this.#findByDigest(digest));
  readonly #sessionLookups = new SharedLookups((digest) => this.#findBySession(digest));

  /**
   * Creates a `team_admin` token with this value, unless a token with this value exists. Waits for
   * the database to become available.
   */
  async ensureBootstrap(token: string): Promise<void> {
    await retryUntilAvailable(() =>
      this.db
        .insert(apiTokens)
        .values({ id: uuidv7(), name: 'bootstrap', role: 'team_admin', digest: hashToken(token) })
        .onConflictDoNothing(),
    );
  }

  /**
   * Finds the token with this value, or the token of the session with this value. Null: the value
   * is unknown, or the token or the session has expired. Concurrent requests with the same value
   * share queries. A change of a token affects every request that arrives after the change.
   */
  async authenticate(value: string): Promise<TokenIdentity | null> {
    if (isTokenFormat(value)) return await this.#lookups.get(hashToken(value));
    return isTokenFormat(value, 'frs_') ? await this.#sessionLookups.get(hashToken(value)) : null;
  }

  /** Finds a valid token, and records its use at most once a minute. */
  async #findByDigest(digest: string): Promise<TokenIdentity | null> {
    const [row] = await this.lookupSql<UsedToken[]>`
      select id, name, role, scopes, null as "sessionId", coalesce(last_used_at > now() - interval '1 minute', false) as "wasUsedRecently"
      from freshet.api_tokens
      where (digest = ${digest} or (previous_digest = ${digest} and previous_until > now()))
        and (expires_at is null or expires_at > now())`;
    return row === undefined ? null : await this.#recordUse(row);
  }

  /** Finds the token of a valid session, and records its use at most once a minute. */
  async #findBySession(digest: string): Promise<TokenIdentity | null> {
    const [row] = await this.lookupSql<UsedToken[]>`
      select t.id, t.name, t.role, t.scopes, s.id as "sessionId",
        coalesce(t.last_used_at > now() - interval '1 minute', false) as "wasUsedRecently"
      from freshet.sign_ins s join freshet.api_tokens t on t.id = s.token_id
      where s.session_digest = ${digest} and s.session_expires_at > now()
        and (t.expires_at is null or t.expires_at > now())`;
    return row === undefined ? null : await this.#recordUse(row);
  }

  async #recordUse({ wasUsedRecently, ...identity }: UsedToken): Promise<TokenIdentity> {
    if (!wasUsedRecently)
      await this.db.update(apiTokens).set({ last_used_at: sql`now()` }).where(eq(apiTokens.id, identity.id));
    return identity;
  }

  async create(input: TokenInput): Promise<NewToken> {
    return await insertToken(this.db, input);
  }

  /** @throws AppError `not_found`. */
  async get(id: string): Promise<Token> {
    return omitDigests(await getResource(this.lookupSql, RESOURCE, id));
  }

  async list(
    options: ListOptions,
    filter: { readonly name?: string | undefined; readonly role?: string | undefined } = {},
  ): Promise<List<Token>> {
    const { data, nextCursor } = await listResources(this.sql, RESOURCE, options, filter);
    return { data: data.map(omitDigests), nextCursor };
  }

  /**
   * @param expected the expected version. Null: any.
   * @throws AppError `conflict` when no token that can manage tokens would remain.
   */
  async update(id: string, input: Partial<TokenInput>, expected: number | null): Promise<Token> {
    const { scopes, ...rest } = input;
    const changes = { ...rest, ...(scopes === undefined ? {} : { scopes: scopes === null ? null : [...scopes] }) };
    return await this.db.transaction(async (tx) => {
      const updated = await updateResource(tx as unknown as Database, RESOURCE, id, { changes, expected });
      await ensureAdminTokenRemains(tx as unknown as Database);
      return omitDigests(updated);
    });
  }

  /**
   * Rotates a token. The previous value is accepted during the overlap. The sign-in codes and the
   * sessions of the token end.
   */
  async rotate(id: string, overlapMinutes: number, expected: number | null): Promise<NewToken> {
    const value = generateToken();
    const changes = {
      digest: hashToken(value),
      previous_digest: apiTokens.digest as unknown as string,
      previous_until: sql`now() + make_interval(mins => ${overlapMinutes})` as unknown as Date,
      rotated_at: sql`now()` as unknown as Date,
    };
    return await this.db.transaction(async (tx) => {
      const updated = await updateResource(tx as unknown as Database, RESOURCE, id, { changes, expected });
      await tx.delete(signIns).where(eq(signIns.token_id, id));
      return { token: omitDigests(updated), value };
    });
  }

  /** @throws AppError `conflict` when no token that can manage tokens would remain. */
  async delete(id: string, expected: number | null): Promise<void> {
    await this.db.transaction(async (tx) => {
      await deleteResource(tx as unknown as Database, RESOURCE, id, expected);
      await ensureAdminTokenRemains(tx as unknown as Database);
    });
  }
}

/** Creates a token with a new value. */
export async function insertToken(db: Database, input: TokenInput): Promise<NewToken> {
  const value = generateToken();
  const [row] = await db
    .insert(apiTokens)
    .values({
      id: uuidv7(),
      ...input,
      scopes: input.scopes === null ? null : [...input.scopes],
      digest: hashToken(value),
    })
    .returning();
  return { token: omitDigests(row as typeof apiTokens.$inferSelect), value };
}

/**
 * Checks that at least one token can still manage tokens: a token with the role `team_admin` that
 * is not restricted by scopes and does not expire.
 */
async function ensureAdminTokenRemains(db: Database): Promise<void> {
  // Serialize concurrent changes. Otherwise, two transactions could each remove one of the last two
  // such tokens.
  await db.execute(sql`select pg_advisory_xact_lock(hashtextextended('freshet.tokens', 0))`);
  const [admin] = await db
    .select({ id: apiTokens.id })
    .from(apiTokens)
    .where(and(eq(apiTokens.role, 'team_admin'), isNull(apiTokens.scopes), isNull(apiTokens.expires_at)))
    .limit(1);
  if (!admin) {
    throw new AppError(
      'conflict',
      'At least one unrestricted team_admin token (no scope restriction, no expiration) must remain, and this is the last one. Create another such token first.',
    );
  }
}

function omitDigests({ digest: _digest, previous_digest: _previous, ...rest }: typeof apiTokens.$inferSelect): Token {
  return rest;
}
