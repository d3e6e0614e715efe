import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@freshet/contracts';
import type { Sql } from './database.ts';

/** What an account's answers told of one of its buckets. */
export interface BucketReading {
  readonly bucket: string;
  readonly total: number | null;
  readonly remaining: number | null;
  readonly used: number | null;
}

/** Waits up to here are waited out; for longer ones the caller ends its slice, and another account gets the slot. */
const WAIT_MAX_MS = 2000;

/** The budget of one account, as who calls it asks for it. */
export interface AccountBudget {
  /** @throws AppError `out_of_credits` with `retryAfterMs` when none will be left for a while. */
  take(buckets: readonly string[], credits: number): Promise<void>;
  learn(readings: readonly BucketReading[]): Promise<void>;
  block(retryAfterMs: number): Promise<void>;
}

/** One bucket of an account. */
export interface BucketState {
  readonly bucket: string;
  /** The account answers without limits. */
  readonly unlimited: boolean;
  /** Credits in a minute; null: not known yet. */
  readonly total: number | null;
  /** … of them spent in this minute, by us or, as far as answers told, by others. */
  readonly used: number;
  readonly windowEndsAt: Date | null;
  /** No call is made before then. */
  readonly blockedUntil: Date | null;
}

/** How long an account known to have no limits is believed without asking again. */
const UNLIMITED_MS = 10_000;

/** The credits of all accounts, shared through PostgreSQL by every worker on every machine (I5). */
export class CreditBudgets {
  readonly #sql: Sql;
  readonly #unlimitedUntil = new Map<string, number>();

  /** @param sql a client of its own: commits of credits need not survive a crash, and do not wait for the disk. */
  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @param sharePercent how much of the account's limits may be used. */
  forAccount(account: string, sharePercent: number): AccountBudget {
    return {
      take: async (buckets, credits) => {
        for (;;) {
          const waitMs = await this.take(account, buckets, credits, sharePercent);
          if (waitMs === 0) return;
          if (waitMs > WAIT_MAX_MS) throw new AppError('out_of_credits', 'No credits are left in this minute.', { retryAfterMs: waitMs });
          await sleep(waitMs);
        }
      },
      learn: (readings) => this.learn(account, readings),
      block: (retryAfterMs) => this.block(account, retryAfterMs),
    };
  }

  /**
   * Takes credits from all of the buckets, or from none.
   * @returns 0 when taken, else the milliseconds after which there may be some.
   */
  async take(account: string, buckets: readonly string[], credits: number, sharePercent: number): Promise<number> {
    if ((this.#unlimitedUntil.get(account) ?? 0) > Date.now()) return 0;
    const [row] = await this.#sql<{ wait: number }[]>`select freshet.take_credits(${account}, ${buckets as string[]}, ${credits}, ${sharePercent}) as wait`;
    return row?.wait ?? 0;
  }

  /** Corrects our account by theirs: others spend its credits as well, and limits change. */
  async learn(account: string, readings: readonly BucketReading[]): Promise<void> {
    if (readings.length === 0) {
      if ((this.#unlimitedUntil.get(account) ?? 0) > Date.now()) return;
      this.#unlimitedUntil.set(account, Date.now() + UNLIMITED_MS);
      await this.#sql`update freshet.credit_buckets set unlimited = true, total = null where account = ${account} and not unlimited`;
      return;
    }
    this.#unlimitedUntil.delete(account);
    for (const { bucket, total, remaining, used } of readings) {
      const spent = total !== null && remaining !== null ? total - remaining : null;
      // The first call of a window at their side begins ours as well.
      const first = spent !== null && used !== null && spent <= used;
      await this.#sql`
        update freshet.credit_buckets set
          unlimited = false,
          total = coalesce(${total}, total),
          window_ends_at = case when ${first} then clock_timestamp() + interval '61 seconds' else window_ends_at end,
          used = case when ${first} then ${used ?? 0}::numeric else greatest(used, coalesce(${spent}::numeric, used)) end
        where account = ${account} and bucket = ${bucket}`;
    }
  }

  /** The account's buckets as they stand now. A window that has ended counts as unused. */
  async read(account: string): Promise<BucketState[]> {
    return await this.#sql<BucketState[]>`
      select bucket, unlimited, total::float8 as total, case when window_ends_at > now() then used::float8 else 0 end as used,
        case when window_ends_at > now() then window_ends_at end as "windowEndsAt",
        case when blocked_until > now() then blocked_until end as "blockedUntil"
      from freshet.credit_buckets where account = ${account} order by bucket`;
  }

  /** No call to the account before then, by anybody. */
  async block(account: string, retryAfterMs: number): Promise<void> {
    this.#unlimitedUntil.delete(account);
    await this.#sql`
      update freshet.credit_buckets set
        unlimited = false,
        blocked_until = greatest(blocked_until, clock_timestamp() + ${retryAfterMs}::double precision * interval '1 millisecond')
      where account = ${account}`;
  }
}
