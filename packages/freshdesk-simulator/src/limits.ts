/**
 * Credits per minute: for the account, and for each list that has its own rate limit. [documented
 * plan table]
 */
export const PLANS = {
  trial: { account: 50, list: 50 },
  growth: { account: 200, list: 20 },
  pro: { account: 400, list: 100 },
  enterprise: { account: 700, list: 200 },
  purchased_2000: { account: 2000, list: 400 },
  /** Higher than the limits of all real plans, so that demonstrations do not wait for credits. */
  demo: { account: 6000, list: 2000 },
  /** No limit, and no rate-limit headers. */
  unlimited: null,
} as const;
export type Plan = keyof typeof PLANS;

/**
 * Requests within this time after the first 429 of a block do not count as violations, because the
 * client may have sent them before it received the 429.
 */
const IN_FLIGHT_MS = 500;

export interface SpendResult {
  readonly allowed: boolean;
  readonly total: number;
  readonly remaining: number;
  readonly retryAfterSeconds: number;
}

/**
 * Rate limits in fixed windows of one minute. All buckets share the same windows. A window starts
 * with the first request after the end of the previous window.
 */
export class RateLimits {
  readonly #now: () => number;
  #plan: { readonly account: number; readonly list: number } | null;
  readonly #listsCountRequests: boolean;
  #windowEndsAt = 0;
  #used = new Map<string, number>();
  /**
   * Times of requests that arrived within the `Retry-After` of a 429, except the requests of the
   * first `IN_FLIGHT_MS`.
   */
  readonly violations: number[] = [];
  /** Credits charged since the start. */
  creditsUsed = 0;
  /** The number of requests that were rejected because a limit was exhausted. */
  rejectedRequests = 0;
  #blockedFrom = 0;
  #blockedUntil = 0;

  /**
   * @param listsCountRequests whether the limits of individual lists count requests instead of
   * credits. Freshdesk does not document this.
   */
  constructor(plan: Plan, now: () => number, listsCountRequests = false) {
    this.#plan = PLANS[plan];
    this.#listsCountRequests = listsCountRequests;
    this.#now = now;
  }

  setPlan(plan: Plan): void {
    this.#plan = PLANS[plan];
  }

  /**
   * Registers a 429. Requests within `seconds` after the 429, but not within `IN_FLIGHT_MS`, are
   * violations.
   */
  block(seconds: number): void {
    const now = this.#now();
    if (now >= this.#blockedUntil) this.#blockedFrom = now;
    this.#blockedUntil = Math.max(this.#blockedUntil, now + seconds * 1000);
  }

  get isLimited(): boolean {
    return this.#plan !== null;
  }

  /**
   * Takes credits from the account's bucket and, if `bucket` is not null, from that list's bucket.
   * If one of these buckets has too few credits, takes none.
   * @returns whether the request is allowed, and the state of the list's bucket, or of the
   * account's bucket if `bucket` is null.
   */
  spend(bucket: string | null, credits: number): SpendResult {
    const at = this.#now();
    if (at < this.#blockedUntil && at > this.#blockedFrom + IN_FLIGHT_MS) this.violations.push(at);
    if (this.#plan === null) this.creditsUsed += credits;
    if (this.#plan === null) return { allowed: true, total: 0, remaining: 0, retryAfterSeconds: 0 };
    const now = this.#now();
    if (now >= this.#windowEndsAt) {
      this.#windowEndsAt = now + 60_000;
      this.#used = new Map();
    }
    const buckets: [string, number][] = [['account', this.#plan.account]];
    if (bucket !== null) buckets.push([bucket, this.#plan.list]);
    const getCost = (name: string) => (name !== 'account' && this.#listsCountRequests ? 1 : credits);
    const allowed = buckets.every(([name, total]) => (this.#used.get(name) ?? 0) + getCost(name) <= total);
    if (allowed) for (const [name] of buckets) this.#used.set(name, (this.#used.get(name) ?? 0) + getCost(name));
    if (allowed) this.creditsUsed += credits;
    const [name, total] = buckets.at(-1) as [string, number];
    const retryAfterSeconds = Math.max(1, Math.ceil((this.#windowEndsAt - now) / 1000));
    if (!allowed) {
      this.rejectedRequests++;
      this.block(retryAfterSeconds);
    }
    return { allowed, total, remaining: Math.max(0, total - (this.#used.get(name) ?? 0)), retryAfterSeconds };
  }
}
