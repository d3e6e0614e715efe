import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, CREDIT_CLASSES, type CreditClass } from '@freshet/contracts';
import type { Sql } from '../database/database.ts';
import { CombinedStatements } from './combined-statements.ts';
import type { BucketReading, CreditRequest } from './credit-operations.ts';
import { mergeReadings } from './merge-readings.ts';

/**
 * The longest time that a request waits for credits. If the wait would be longer, the caller ends
 * its slice, so that a different account can use the slot.
 */
const WAIT_MAX_MS = 2000;

/** The credit budget of one account. */
export interface AccountBudget {
  /**
   * Waits up to two seconds for credits.
   * @throws AppError `out_of_credits` with `retryAfterMs` when the wait would be longer.
   */
  take(buckets: readonly string[], credits: number, creditClass: CreditClass): Promise<void>;
  /** Reconciles the buckets before the next credits are taken, and within a few milliseconds. */
  learn(readings: readonly BucketReading[]): Promise<void>;
  block(retryAfterMs: number): Promise<void>;
}

/** One bucket of an account. */
export interface BucketState {
  readonly bucket: string;
  /** Whether the account's responses contain no rate-limit headers. */
  readonly isUnlimited: boolean;
  /** The credits per window of one minute. Null: unknown. */
  readonly total: number | null;
  /**
   * The credits that Freshet has used in the current window, and the credits that other clients
   * have used, as far as responses reveal them.
   */
  readonly used: number;
  readonly windowEndsAt: Date | null;
  /** No request is sent before this time. */
  readonly blockedUntil: Date | null;
  /**
   * The credits that each class has used in the current window, and the time until which the class
   * reserves the bucket against less urgent classes.
   */
  readonly classes: readonly {
    readonly creditClass: CreditClass;
    readonly used: number;
    readonly reservedUntil: Date | null;
  }[];
}

/** The whole rate limit of an account. */
const ALL_PERCENT = 100;
/** How long this process assumes that an account without a rate limit still has none. */
const UNLIMITED_CACHE_MS = 10_000;

/**
 * The credit budgets of all accounts. All workers of a deployment share the budgets through
 * PostgreSQL (I5).
 */
export class CreditBudgets {
  readonly #sql: Sql;
  readonly #unlimitedUntil = new Map<string, number>();
  /** The statements of each account and share, for all slices of this process. */
  readonly #statements = new Map<string, CombinedStatements>();

  /**
   * @param sql a client with asynchronous commits: credits need not survive a crash of the
   * database.
   */
  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * Gets the budget of an account. @param sharePercent the share of the account's rate limit that
   * Freshet may use.
   */
  forAccount(account: string, sharePercent: number): AccountBudget {
    const key = `${account} ${sharePercent}`;
    const statements =
      this.#statements.get(key) ??
      new CombinedStatements((readings, requests) => this.#reconcileAndTake(account, sharePercent, readings, requests));
    this.#statements.set(key, statements);
    return {
      take: async (buckets, credits, creditClass) => {
        for (let waitedMs = 0; ; ) {
          const waitMs = this.#isUnlimited(account) ? 0 : await statements.take({ buckets, credits, creditClass });
          if (waitMs === 0) return;
          waitedMs += waitMs;
          if (waitedMs > WAIT_MAX_MS) {
            throw new AppError(
              'out_of_credits',
              `The credit budget of account ${account} is used up. The budget resets within a minute.`,
              { retryAfterMs: waitMs },
            );
          }
          await sleep(waitMs);
        }
      },
      learn: async (readings) => {
        if (readings.length === 0) return await this.reconcile(account, readings);
        this.#unlimitedUntil.delete(account);
        statements.learn(readings);
      },
      block: (retryAfterMs) => this.block(account, retryAfterMs),
    };
  }

  #isUnlimited(account: string): boolean {
    return (this.#unlimitedUntil.get(account) ?? 0) > Date.now();
  }

  /**
   * Reconciles buckets, and then takes the credits of several requests, in one statement.
   * @returns for each request, 0 or the milliseconds to wait.
   */
  async #reconcileAndTake(
    account: string,
    sharePercent: number,
    readings: readonly BucketReading[],
    requests: readonly CreditRequest[],
  ): Promise<number[]> {
    const taken = requests.map(({ buckets, credits, creditClass }) => ({
      buckets,
      credits,
      rank: CREDIT_CLASSES.indexOf(creditClass),
    }));
    const rows = await this.#sql<{ wait_ms: number | null }[]>`
      select null::integer as wait_ms from (
        select freshet.reconcile_credits(${account}, bucket, total, remaining, used)
        from jsonb_to_recordset(${this.#sql.json(mergeReadings(readings) as never)}::jsonb)
          as r(bucket text, total numeric, remaining numeric, used numeric)
      ) reconciled
      union all
      select freshet.take_credits(${account}, buckets, credits, ${sharePercent}, rank)
      from jsonb_to_recordset(${this.#sql.json(taken as never)}::jsonb)
        as t(buckets text[], credits numeric, rank integer)`;
    return rows.flatMap(({ wait_ms: waitMs }) => (waitMs === null ? [] : [waitMs]));
  }

  /**
   * Takes credits from all of the buckets, or from none of them.
   * @param sharePercent the share of the account's rate limit that Freshet may use.
   * @returns 0 when the credits were taken, and otherwise the number of milliseconds until credits
   * may be available.
   */
  async take(account: string, sharePercent: number, request: CreditRequest): Promise<number> {
    if (this.#isUnlimited(account)) return 0;
    const [waitMs = 0] = await this.#reconcileAndTake(account, sharePercent, [], [request]);
    return waitMs;
  }

  /**
   * Reconciles the buckets with the headers of a response, because other clients also spend
   * credits, and limits change.
   * @param readings empty: the response has no rate-limit headers, so the account is unlimited.
   */
  async reconcile(account: string, readings: readonly BucketReading[]): Promise<void> {
    if (readings.length === 0) {
      if (this.#isUnlimited(account)) return;
      this.#unlimitedUntil.set(account, Date.now() + UNLIMITED_CACHE_MS);
      await this.#sql`
        update freshet.credit_buckets set unlimited = true, total = null where account = ${account} and not unlimited`;
      return;
    }
    this.#unlimitedUntil.delete(account);
    await this.#reconcileAndTake(account, ALL_PERCENT, readings, []);
  }

  /** Lists the current state of the account's buckets. A window that has ended counts as unused. */
  async listBuckets(account: string): Promise<BucketState[]> {
    const rows = await this.#sql<
      (Omit<BucketState, 'classes'> & { usedByClass: number[]; reservedUntil: (Date | null)[] })[]
    >`
      select bucket, unlimited as "isUnlimited", total::float8 as total,
        case when window_ends_at > now() then used::float8 else 0 end as used,
        case when window_ends_at > now() then window_ends_at end as "windowEndsAt",
        case when blocked_until > now() then blocked_until end as "blockedUntil",
        case when window_ends_at > now() then used_by_class::float8[]
          else array_fill(0::float8, array[5]) end as "usedByClass",
        reserved_until as "reservedUntil"
      from freshet.credit_buckets where account = ${account} order by bucket`;
    return rows.map(({ usedByClass, reservedUntil, ...bucket }) => ({
      ...bucket,
      classes: CREDIT_CLASSES.map((creditClass, i) => {
        const until = reservedUntil[i] ?? null;
        return {
          creditClass,
          used: usedByClass[i] ?? 0,
          reservedUntil: until !== null && until.getTime() > Date.now() ? until : null,
        };
      }),
    }));
  }

  /** Blocks the requests of all workers to the account until a `Retry-After` has elapsed. */
  async block(account: string, retryAfterMs: number): Promise<void> {
    this.#unlimitedUntil.delete(account);
    await this.#sql`
      update freshet.credit_buckets set
        unlimited = false,
        blocked_until = greatest(
          blocked_until, clock_timestamp() + ${retryAfterMs}::double precision * interval '1 millisecond')
      where account = ${account}`;
  }
}
