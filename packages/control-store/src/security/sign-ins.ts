import { AppError } from '@freshet/contracts';
import { uuidv7 } from '../database/ids.ts';
import { Store } from '../store.ts';
import { generateToken, hashToken } from './token-format.ts';
import type { TokenIdentity } from './tokens.ts';

const CODE_MINUTES = 10;
const SESSION_HOURS = 12;

/** A sign-in code or a session. No later response contains the value. */
export interface ExpiringSecret {
  readonly value: string;
  readonly expiresAt: Date;
}

/** A session that a sign-in code was exchanged for. */
export interface NewSession extends ExpiringSecret {
  readonly identity: TokenIdentity;
}

/**
 * One-time codes that sign in a browser, and the sessions of these browsers. A session ends early
 * if its token expires, is rotated or is deleted.
 */
export class SignIns extends Store {
  /**
   * Creates a code that can be exchanged once for a session of a token. The lock ensures that a
   * concurrent rotation also ends the new code.
   * @param tokenValue the current value of the token. The previous value of a rotated token is
   *   rejected, because a session would outlast the overlap during which this value is valid.
   * @throws AppError `permission_denied`.
   */
  async createCode(tokenValue: string): Promise<ExpiringSecret> {
    const value = generateToken('frc_');
    const [row] = await this.sql<{ code_expires_at: Date }[]>`
      insert into freshet.sign_ins (id, token_id, code_digest, code_expires_at)
      select ${uuidv7()}, id, ${hashToken(value)}, now() + make_interval(mins => ${CODE_MINUTES})
      from freshet.api_tokens where digest = ${hashToken(tokenValue)}
      for share
      returning code_expires_at`;
    if (row !== undefined) return { value, expiresAt: row.code_expires_at };
    throw new AppError(
      'permission_denied',
      'The token was rotated, and its previous value cannot create sign-in codes. Send this request with the current value.',
    );
  }

  /**
   * Exchanges a code for a session. If several requests use the same code, only one of them
   * succeeds: the others wait for its row lock, and then find that the code was used.
   * @throws AppError `unauthenticated`.
   */
  async exchange(code: string): Promise<NewSession> {
    const value = generateToken('frs_');
    const [row] = await this.sql<(TokenIdentity & { session_expires_at: Date })[]>`
      update freshet.sign_ins s
      set session_digest = ${hashToken(value)},
        session_expires_at = least(now() + make_interval(hours => ${SESSION_HOURS}), t.expires_at)
      from freshet.api_tokens t
      where s.code_digest = ${hashToken(code)} and s.session_digest is null and s.code_expires_at > now()
        and t.id = s.token_id and (t.expires_at is null or t.expires_at > now())
      returning t.id, t.name, t.role, t.scopes, s.id as "sessionId", s.session_expires_at`;
    if (row === undefined) throw await this.#createRejection(code);
    const { session_expires_at: expiresAt, ...identity } = row;
    return { value, expiresAt, identity };
  }

  /** Ends a session. */
  async endSession(sessionId: string): Promise<void> {
    await this.sql`update freshet.sign_ins set session_expires_at = now() where id = ${sessionId}`;
  }

  /**
   * Deletes codes and sessions that expired more than `hours` hours ago. Until then, an attempt to
   * use a code again states the reason for the rejection.
   * @returns the number of deleted codes.
   */
  async prune(hours: number): Promise<number> {
    const deleted = await this.sql`
      delete from freshet.sign_ins
      where code_expires_at < now() - make_interval(hours => ${hours})
        and (session_expires_at is null or session_expires_at < now() - make_interval(hours => ${hours}))`;
    return deleted.count;
  }

  async #createRejection(code: string): Promise<AppError> {
    const [row] = await this.sql<{ used: boolean; expired: boolean }[]>`
      select session_digest is not null as used, code_expires_at <= now() as expired
      from freshet.sign_ins where code_digest = ${hashToken(code)}`;
    const cause = row?.used
      ? 'was already used'
      : row?.expired
        ? 'has expired'
        : 'is unknown, or its token is no longer valid';
    return new AppError(
      'unauthenticated',
      `The sign-in code ${cause}. Create a new code, or sign in with an API token.`,
    );
  }
}
