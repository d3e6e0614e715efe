import type { MonthlyQuota } from '../database/schema/index.ts';
import { emit } from '../notifications/events.ts';
import type { Runs } from '../runs/runs.ts';
import { Store, type StoreContext } from '../store.ts';

/** The percentages of a quota at which `quota.reached` is emitted. */
const QUOTA_LEVELS = [100, 90, 70] as const;
/** The maximum number of pipelines whose digests one transaction sends. */
const DIGEST_PIPELINES_MAX = 100;
/** The maximum number of entries in a digest, which has one entry for each object and reason. */
const DIGEST_ENTRIES_MAX = 100;

/** A pipeline that has a quota, or that was paused by a quota. */
interface QuotaUsage {
  readonly id: string;
  /** The current month (UTC), as `YYYY-MM`. */
  readonly month: string;
  readonly quota: MonthlyQuota | null;
  /** The month and the percentage of the last event, such as `2026-11/90`. */
  readonly notified: string | null;
  /** The number of records that were extracted in the month. */
  readonly records: number;
  readonly paused_by: string | null;
}

/**
 * Periodic checks that emit events. Any number of schedulers may run the checks concurrently: each
 * event is still emitted only once.
 */
export class Alerts extends Store {
  readonly #runs: Runs;

  constructor(context: StoreContext, runs: Runs) {
    super(context);
    this.#runs = runs;
  }

  /**
   * Emits `quota.reached` for each pipeline that has extracted 70, 90 or 100 % of its monthly
   * quota. A pipeline that reaches 100 % is paused if its quota has `when_reached: pause`. The
   * pipeline is resumed when its usage is below the quota again, or when the quota no longer
   * requires a pause.
   * @returns the number of emitted events plus the number of resumed pipelines.
   */
  async checkQuotas(): Promise<number> {
    const usages = await this.sql<QuotaUsage[]>`
      select p.id, to_char(now() at time zone 'UTC', 'YYYY-MM') as month, p.monthly_quota as quota,
        p.quota_notified as notified, p.paused_by,
        (
          select coalesce(sum(o.records_extracted), 0)::float8
          from freshet.runs r join freshet.object_runs o on o.run_id = r.id
          where r.pipeline_id = p.id
            and r.created_at >= date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'
        ) as records
      from freshet.pipelines p where p.monthly_quota is not null or p.paused_by = 'monthly_quota'`;
    let changes = 0;
    for (const usage of usages) {
      const { quota, records } = usage;
      const hasRoom = quota === null || records < quota.records || quota.when_reached === 'continue';
      if (usage.paused_by === 'monthly_quota' && hasRoom && (await this.#resume(usage.id))) changes++;
      if (quota !== null && (await this.#notifyQuota(usage, quota))) changes++;
    }
    return changes;
  }

  async #resume(pipelineId: string): Promise<boolean> {
    const resumed = await this.sql`
      update freshet.pipelines set status = 'active', paused_by = null, version = version + 1, updated_at = now()
      where id = ${pipelineId} and paused_by = 'monthly_quota' returning id`;
    if (resumed.length === 0) return false;
    await this.#runs.resume(pipelineId);
    return true;
  }

  /**
   * Emits `quota.reached` for the highest level that the usage has reached, unless this level or a
   * higher one was already emitted in this month.
   * @returns whether an event was emitted.
   */
  async #notifyQuota({ id, month, records, notified }: QuotaUsage, quota: MonthlyQuota): Promise<boolean> {
    const level = QUOTA_LEVELS.find((percent) => records >= (quota.records * percent) / 100);
    const [notifiedMonth, notifiedLevel] = (notified ?? '').split('/');
    if (level === undefined || (notifiedMonth === month && Number(notifiedLevel) >= level)) return false;
    const isPaused = level === 100 && quota.when_reached === 'pause';
    return await this.sql.begin(async (tx) => {
      // If several schedulers run this check at once, only the scheduler that updates the row emits
      // the event.
      const [updated] = await tx`
        update freshet.pipelines set quota_notified = ${`${month}/${level}`}
        where id = ${id} and quota_notified is not distinct from ${notified} returning id`;
      if (!updated) return false;
      if (isPaused) {
        await tx`
          update freshet.pipelines set status = 'paused', paused_by = 'monthly_quota', version = version + 1,
            updated_at = now()
          where id = ${id} and status = 'active'`;
      }
      await emit({ tx, queue: this.queue }, 'quota.reached', {
        pipeline_id: id,
        month,
        percent: level,
        records,
        quota: quota.records,
        paused: isPaused,
      });
      return true;
    });
  }

  /**
   * Emits `records.digest` once a day for each pipeline with rejected records. @returns the number
   * of digests.
   */
  async sendDigests(): Promise<number> {
    return await this.sql.begin(async (tx) => {
      const due = await tx<{ id: string }[]>`
        update freshet.pipelines set next_digest_at = now() + interval '1 day' where id in (
          select id from freshet.pipelines where next_digest_at <= now() order by next_digest_at
          limit ${DIGEST_PIPELINES_MAX} for no key update skip locked
        ) returning id`;
      let digests = 0;
      for (const { id } of due) {
        const rejected = await tx<{ object: string; reason: string; records: number; new_records: number }[]>`
          select object, reason, count(*)::int as records,
            (count(*) filter (where created_at > now() - interval '1 day'))::int as new_records
          from freshet.rejected_records
          where pipeline_id = ${id} group by 1, 2 order by 3 desc, 1, 2 limit ${DIGEST_ENTRIES_MAX}`;
        if (rejected.length === 0) continue;
        digests++;
        await emit({ tx, queue: this.queue }, 'records.digest', {
          pipeline_id: id,
          records: rejected.reduce((sum, { records }) => sum + records, 0),
          rejected: [...rejected],
        });
      }
      return digests;
    });
  }
}
