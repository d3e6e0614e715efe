import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, CREDIT_CLASSES, type CreditClass } from '@freshet/contracts';
import type { Sql } from '../database/database.ts';

/** What an account's answers told of one of its buckets. */
export interface BucketReading {
  readonly bucket: string;
  readonly total: number | null;
  readonly remaining: number | null;
  readonly used: number | null;
}

/** Waits up to here, all together, are waited out; for longer ones the caller ends its slice, and another account gets the slot. */
const WAIT_MAX_MS = 2000;

/** The budget of one account, as who calls it asks for it. */
export interface AccountBudget {
  /** @throws AppError `out_of_credits` with `retryAfterMs` when none will be left for a while. */
  take(buckets: readonly string[], credits: number, creditClass: CreditClass): Promise<void>;
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
  /** What each class has taken in this minute, and until when lower ones leave the bucket to it. */
  readonly classes: readonly {
    readonly creditClass: CreditClass;
    readonly used: number;
    readonly wantedUntil: Date | null;
  }[];
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
      take: async (buckets, credits, creditClass) => {
        for (let waited = 0; ; ) {
          const waitMs = await this.take(account, buckets, credits, sharePercent, creditClass);
          if (waitMs === 0) return;
          waited += waitMs;
          if (waited > WAIT_MAX_MS)
            throw new AppError('out_of_credits', 'No credits are left in this minute.', { retryAfterMs: waitMs });
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
  async take(
    account: string,
    buckets: readonly string[],
    credits: number,
    sharePercent: number,
    creditClass: CreditClass,
  ): Promise<number> {
    if ((this.#unlimitedUntil.get(account) ?? 0) > Date.now()) return 0;
    const rank = CREDIT_CLASSES.indexOf(creditClass);
    const [row] = await this.#sql<{ wait: number }[]>`
      select freshet.take_credits(${account}, ${buckets as string[]}, ${credits}, ${sharePercent}, ${rank}) as wait`;
    return row?.wait ?? 0;
  }

  /** Corrects our account by theirs: others spend its credits as well, and limits change. */
  async learn(account: string, readings: readonly BucketReading[]): Promise<void> {
    if (readings.length === 0) {
      if ((this.#unlimitedUntil.get(account) ?? 0) > Date.now()) return;
      this.#unlimitedUntil.set(account, Date.now() + UNLIMITED_MS);
      await this
        .#sql`update freshet.credit_buckets set unlimited = true, total = null where account = ${account} and not unlimited`;
      return;
    }
    this.#unlimitedUntil.delete(account);
    for (const { bucket, total, remaining, used } of readings) {
      await this.#sql`select freshet.learn_credits(${account}, ${bucket}, ${total}, ${remaining}, ${used})`;
    }
  }

  /** The account's buckets as they stand now. A window that has ended counts as unused. */
  async read(account: string): Promise<BucketState[]> {
    const rows = await this.#sql<
      (Omit<BucketState, 'classes'> & { usedByClass: number[]; wantedUntil: (Date | null)[] })[]
    >`
      select bucket, unlimited, total::float8 as total, case when window_ends_at > now() then used::float8 else 0 end as used,
        case when window_ends_at > now() then window_ends_at end as "windowEndsAt",
        case when blocked_until > now() then blocked_until end as "blockedUntil",
        case when window_ends_at > now() then used_by_class::float8[] else array_fill(0::float8, array[5]) end as "usedByClass",
        wanted_until as "wantedUntil"
      from freshet.credit_buckets where account = ${account} order by bucket`;
    return rows.map(({ usedByClass, wantedUntil, ...bucket }) => ({
      ...bucket,
      classes: CREDIT_CLASSES.map((creditClass, i) => {
        const wanted = wantedUntil[i] ?? null;
        return {
          creditClass,
          used: usedByClass[i] ?? 0,
          wantedUntil: wanted !== null && wanted.getTime() > Date.now() ? wanted : null,
        };
      }),
    }));
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
