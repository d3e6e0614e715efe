import type { CreditClass } from '@freshet/contracts';
import { getNumberHeader, type Headers } from './headers.ts';

/** The rate-limit bucket that every request draws from, in addition to an endpoint's own bucket. */
export const ACCOUNT_BUCKET = 'account';

/** The price of a request. */
export interface RequestCost {
  readonly credits: number;
  /** The endpoint's own bucket, charged in addition to the account's; null if it has none. */
  readonly bucket: string | null;
  /** The priority of the request; absent: the client's. */
  readonly creditClass?: CreditClass | undefined;
}

/** The rate-limit headers of one response. Each may be missing. */
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
   * Corrects the budget by the rate-limit headers of a response.
   * @param readings empty if a response of the API had no rate-limit headers.
   */
  learn(readings: readonly RateLimitReading[]): Promise<void>;
  /** Blocks all requests of the account after a 429. */
  block(retryAfterMs: number): Promise<void>;
}

/**
 * Reads the rate-limit headers of a response.
 * @param bucket the endpoint's own bucket; null: the account's. The headers describe the tighter
 * one.
 */
export function readRateLimit(headers: Headers, bucket: string | null): RateLimitReading {
  return {
    bucket: bucket ?? ACCOUNT_BUCKET,
    total: getNumberHeader(headers, 'x-ratelimit-total'),
    remaining: getNumberHeader(headers, 'x-ratelimit-remaining'),
    used: getNumberHeader(headers, 'x-ratelimit-used-currentrequest'),
  };
}
