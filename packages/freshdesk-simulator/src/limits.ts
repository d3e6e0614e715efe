/** Calls a minute, for the account and for the lists that have a limit of their own. [documented plan table] */
export const PLANS = {
  trial: { account: 50, list: 50 },
  growth: { account: 200, list: 20 },
  pro: { account: 400, list: 100 },
  enterprise: { account: 700, list: 200 },
  purchased_2000: { account: 2000, list: 400 },
  /** Larger than any plan: for demonstrations that should not wait. */
  demo: { account: 6000, list: 2000 },
  /** No limit, and no rate-limit headers. */
  unlimited: null,
} as const;
export type Plan = keyof typeof PLANS;

/** A call that was sent before the 429 came back is nobody's fault. */
const ON_THEIR_WAY_MS = 500;

export interface Spent {
  readonly allowed: boolean;
  readonly total: number;
  readonly remaining: number;
  readonly retryAfterSeconds: number;
}

/** Fixed windows of a minute that begin with the first call after the last one ended; both buckets reset together. */
export class RateLimits {
  readonly #now: () => number;
  #plan: { readonly account: number; readonly list: number } | null;
  readonly #listsCountCalls: boolean;
  #windowEndsAt = 0;
  #used = new Map<string, number>();
  /** Times of calls that came between a 429 and the end of its Retry-After, but for those that were on their way. */
  readonly violations: number[] = [];
  /** Credits that the account was charged, since it was made. */
  creditsUsed = 0;
  /** Calls that were refused because the limit was used up. */
  refused = 0;
  #blockedFrom = 0;
  #blockedUntil = 0;

  /** @param listsCountCalls the lists' own limits count calls, whatever their credits: it is not documented. */
  constructor(plan: Plan, now: () => number, listsCountCalls = false) {
    this.#plan = PLANS[plan];
    this.#listsCountCalls = listsCountCalls;
    this.#now = now;
  }

  setPlan(plan: Plan): void {
    this.#plan = PLANS[plan];
  }

  /** A 429 was answered: nobody may call for so long. */
  block(seconds: number): void {
    const now = this.#now();
    if (now >= this.#blockedUntil) this.#blockedFrom = now;
    this.#blockedUntil = Math.max(this.#blockedUntil, now + seconds * 1000);
  }

  get limited(): boolean {
    return this.#plan !== null;
  }

  /** @param bucket the list's own; null: only the account's. The answer describes the list's, if it has one. */
  spend(bucket: string | null, credits: number): Spent {
    const at = this.#now();
    if (at < this.#blockedUntil && at > this.#blockedFrom + ON_THEIR_WAY_MS) this.violations.push(at);
    if (this.#plan === null) this.creditsUsed += credits;
    if (this.#plan === null) return { allowed: true, total: 0, remaining: 0, retryAfterSeconds: 0 };
    const now = this.#now();
    if (now >= this.#windowEndsAt) {
      this.#windowEndsAt = now + 60_000;
      this.#used = new Map();
    }
    const buckets: [string, number][] = [['account', this.#plan.account]];
    if (bucket !== null) buckets.push([bucket, this.#plan.list]);
    const costOf = (name: string) => (name !== 'account' && this.#listsCountCalls ? 1 : credits);
    const allowed = buckets.every(([name, total]) => (this.#used.get(name) ?? 0) + costOf(name) <= total);
    if (allowed) for (const [name] of buckets) this.#used.set(name, (this.#used.get(name) ?? 0) + costOf(name));
    if (allowed) this.creditsUsed += credits;
    const [name, total] = buckets.at(-1) as [string, number];
    const retryAfterSeconds = Math.max(1, Math.ceil((this.#windowEndsAt - now) / 1000));
    if (!allowed) {
      this.refused++;
      this.block(retryAfterSeconds);
    }
    return { allowed, total, remaining: Math.max(0, total - (this.#used.get(name) ?? 0)), retryAfterSeconds };
  }
}
