import { AppError } from '@freshet/contracts';
import { uuidv7 } from '../database/ids.ts';
import { Store } from '../store.ts';

/** The response to the first request with an `Idempotency-Key`. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: the response has no body. */
  readonly body: string | null;
}

/** A request with an `Idempotency-Key`. */
export interface KeyedRequest {
  readonly tokenId: string;
  readonly key: string;
  /** Digest of method, path and body. */
  readonly fingerprint: string;
}

/** The longest time that a request waits for the first request with the same key. */
const LOCK_TIMEOUT_MS = 20_000;
const LOCK_NOT_AVAILABLE = '55P03';
const RETRY_IN_PROGRESS_MS = 5000;
const RETRY_EXPIRED_MS = 1000;

const buildAssociatedData = (id: string): string => `idempotency_keys/${id}/body`;

/**
 * Responses to requests with an `Idempotency-Key`. Call `reserve` and `storeResponse` in the
 * transaction of the request. The response is then stored if and only if the effects of the request
 * commit. If two requests with the same key are concurrent, the second request waits for the first.
 */
export class Idempotency extends Store {
  /**
   * Reserves a key, or finds the response to the first request with the key.
   * @returns null when this is the first request.
   * @throws AppError `idempotency_key_reused` when the key belongs to a different request, or
   * `request_in_progress` when the first request has not finished.
   */
  async reserve({ tokenId, key, fingerprint }: KeyedRequest): Promise<StoredResponse | null> {
    try {
      // The statements are sent together, and PostgreSQL executes them in this order.
      const [, added] = await Promise.all([
        this.sql`select set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true)`,
        this.sql`
          insert into freshet.idempotency_keys (id, token_id, key, fingerprint)
          values (${uuidv7()}, ${tokenId}, ${key}, ${fingerprint})
          on conflict do nothing`,
        this.sql`select set_config('lock_timeout', '0', true)`,
      ]);
      if (added.count === 1) return null;
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
      throw new AppError(
        'request_in_progress',
        'Idempotency-Key: the first request with this key is still in progress. Retry in a few seconds.',
        { retryAfterMs: RETRY_IN_PROGRESS_MS },
      );
    }
    const response = await this.findResponse({ tokenId, key, fingerprint });
    // The key existed, but retention deleted it between the two statements.
    if (response === null)
      throw new AppError('request_in_progress', 'Idempotency-Key: the key has just expired. Retry the request.', {
        retryAfterMs: RETRY_EXPIRED_MS,
      });
    return response;
  }

  /**
   * Finds the stored response of a key. Null: no response is stored.
   * @throws AppError `idempotency_key_reused`.
   */
  async findResponse({ tokenId, key, fingerprint }: KeyedRequest): Promise<StoredResponse | null> {
    const [row] = await this.sql<
      { id: string; fingerprint: string; status: number; headers: Record<string, string>; body: string | null }[]
    >`
      select id, fingerprint, status, headers, body from freshet.idempotency_keys
      where token_id = ${tokenId} and key = ${key}`;
    if (row === undefined) return null;
    if (row.fingerprint !== fingerprint) {
      throw new AppError(
        'idempotency_key_reused',
        'Idempotency-Key: the key was used for a different request. Use a new key for each operation. Reuse a key only to retry the same request.',
      );
    }
    const body = row.body === null ? null : this.box.open(row.body, buildAssociatedData(row.id));
    return { status: row.status, headers: row.headers, body };
  }

  /** Stores the response of a reserved key. */
  async storeResponse({ tokenId, key }: KeyedRequest, { status, headers, body }: StoredResponse): Promise<void> {
    const [row] = await this.sql<{ id: string }[]>`
      select id from freshet.idempotency_keys where token_id = ${tokenId} and key = ${key}`;
    const { id } = row as { id: string };
    const sealedBody = body === null ? null : this.box.seal(body, buildAssociatedData(id));
    await this.runWithCommit(this.sql`
      update freshet.idempotency_keys set status = ${status}, headers = ${this.sql.json(headers)},
        body = ${sealedBody} where id = ${id}`);
  }

  /** Deletes keys that are older than `hours` hours. @returns the number of deleted keys. */
  async prune(hours: number): Promise<number> {
    const deleted = await this.sql`
      delete from freshet.idempotency_keys where created_at < now() - make_interval(hours => ${hours})`;
    return deleted.count;
  }
}
