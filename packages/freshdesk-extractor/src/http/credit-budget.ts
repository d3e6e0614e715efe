import type { CreditClass } from '@freshet/contracts';
import { getNumberHeader, type Headers } from './headers.ts';

/** The rate-limit bucket that every request draws from, in addition to an endpoint's own bucket. */
export const ACCOUNT_BUCKET = 'account';

/** The price of a request. */
export interface RequestCost {
  readonly credits: number;
  /**
   * The endpoint's own bucket, charged in addition to the account's bucket. Null: the endpoint has
   * no separate bucket.
   */
  readonly bucket: string | null;
  /** The credit class of the request. Absent: the client's credit class. */
  readonly creditClass?: CreditClass | undefined;
}

/** The values of the rate-limit headers of one response. Each header may be missing. */
export interface RateLimitReading {
  readonly bucket: string;
  readonly total: number | null;
  readonly remaining: number | null;
  /** The credits that the request was charged. */
  readonly used: number | null;
}

/** The credit budget of an account, which all workers share. The caller implements it. */
export interface CreditBudget {
  /**
   * Reserves credits. Resolves when the request may be sent.
   * @throws AppError `out_of_credits` with `retryAfterMs` if no credits become available soon.
   */
  take(buckets: readonly string[], credits: number, creditClass: CreditClass): Promise<void>;
  /**
   * Corrects the budget according to the rate-limit headers of a response.
   * @param readings the values of the headers. Empty if a response from the API had none.
   */
  learn(readings: readonly RateLimitReading[]): Promise<void>;
  /** Blocks all requests of the account after a 429. */
  block(retryAfterMs: number): Promise<void>;
}

/**
 * Reads the rate-limit headers of a response.
 * @param bucket the endpoint's own bucket. Null: the endpoint has none, and the headers describe
 * the account's bucket. If both buckets exist, the headers describe the one with the tighter limit.
 */
export function readRateLimit(headers: Headers, bucket: string | null): RateLimitReading {
  return {
    bucket: bucket ?? ACCOUNT_BUCKET,
    total: getNumberHeader(headers, 'x-ratelimit-total'),
    remaining: getNumberHeader(headers, 'x-ratelimit-remaining'),
    used: getNumberHeader(headers, 'x-ratelimit-used-currentrequest'),
  };
}
