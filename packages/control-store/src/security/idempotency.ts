import { AppError } from '@freshet/contracts';
import type { Sql } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { SecretBox } from './secret-box.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: it had none. */
  readonly body: string | null;
}

/** Whose key it is, and what it was used for. */
export interface KeyedRequest {
  readonly tokenId: string;
  readonly key: string;
  /** Of method, path and body. */
  readonly fingerprint: string;
}

/** Whoever sends a key again while its first request is still worked on waits at most so long. */
const WAIT_MS = 20_000;

/**
 * First answers to requests that named a key. `begin` and `keep` belong into the transaction that does what is asked for: the
 * answer is there exactly if its effects are, whatever crashes in between, and of two requests at once the second waits.
 */
export class Idempotency {
  readonly #sql: Sql;
  readonly #box: SecretBox;

  constructor(sql: Sql, box: SecretBox) {
    this.#sql = sql;
    this.#box = box;
  }

  /**
   * The first answer; null when this is the first request.
   * @throws AppError `idempotency_key_reused` when the key was used for something else, `request_in_progress` when the first is still worked on.
   */
  async begin({ tokenId, key, fingerprint }: KeyedRequest): Promise<Answer | null> {
    try {
      await this.#sql`select set_config('lock_timeout', ${String(WAIT_MS)}, true)`;
      const added = await this.#sql`
        insert into freshet.idempotency_keys (id, token_id, key, fingerprint) values (${uuidv7()}, ${tokenId}, ${key}, ${fingerprint}) on conflict do nothing`;
      await this.#sql`select set_config('lock_timeout', '0', true)`;
      if (added.count === 1) return null;
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
      throw new AppError(
        'request_in_progress',
        'The first request with this Idempotency-Key is still worked on. Send it again in a while.',
        {
          retryAfterMs: 5000,
        },
      );
    }
    const known = await this.find({ tokenId, key, fingerprint });
    // It was there, and has been forgotten at this very moment.
    if (known === null)
      throw new AppError('request_in_progress', 'The Idempotency-Key has just expired. Send it again.', {
        retryAfterMs: 1000,
      });
    return known;
  }

  /** The answer that is kept; null: there is none. @throws AppError `idempotency_key_reused` as well. */
  async find({ tokenId, key, fingerprint }: KeyedRequest): Promise<Answer | null> {
    const [row] = await this.#sql<
      { id: string; fingerprint: string; status: number; headers: Record<string, string>; body: string | null }[]
    >`
      select id, fingerprint, status, headers, body from freshet.idempotency_keys where token_id = ${tokenId} and key = ${key}`;
    if (row === undefined) return null;
    if (row.fingerprint !== fingerprint) {
      throw new AppError(
        'idempotency_key_reused',
        'Idempotency-Key: it was used for another request. Use a new key for each thing that you ask for.',
      );
    }
    return {
      status: row.status,
      headers: row.headers,
      body: row.body === null ? null : this.#box.open(row.body, boundTo(row.id)),
    };
  }

  async keep({ tokenId, key }: KeyedRequest, { status, headers, body }: Answer): Promise<void> {
    const [row] = await this.#sql<
      { id: string }[]
    >`select id from freshet.idempotency_keys where token_id = ${tokenId} and key = ${key}`;
    const { id } = row as { id: string };
    await this.#sql`
      update freshet.idempotency_keys
      set status = ${status}, headers = ${this.#sql.json(headers)}, body = ${body === null ? null : this.#box.seal(body, boundTo(id))} where id = ${id}`;
  }

  async deleteOlderThan(hours: number): Promise<number> {
    const deleted = await this
      .#sql`delete from freshet.idempotency_keys where created_at < now() - make_interval(hours => ${hours})`;
    return deleted.count;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';
const boundTo = (id: string): string => `idempotency_keys/${id}/body`;
