import type { Sql, Tx } from '../database/database.ts';
import type { MonthlyQuota, RecordSpike } from '../database/schema.ts';
import type { Runs } from '../runs/runs.ts';
import type { JobQueue } from '../work/queue.ts';
import { emit } from './events.ts';

/** Runs that tell what is usual, at most and at least. */
const [SPIKE_RUNS, SPIKE_RUNS_MIN] = [10, 3] as const;
/** Less than this is no spike, whatever is usual. */
const SPIKE_RECORDS_MIN = 100;
/** Parts of a quota, in percent, that are told of. */
const QUOTA_LEVELS = [100, 90, 70] as const;

/**
 * Tells of a run that has read much more than its pipeline's runs usually do, and pauses the pipeline if it was told to. What is
 * read completely is no measure, and no spike.
 */
export async function checkSpike(tx: Tx, queue: JobQueue, pipelineId: string, runId: string): Promise<void> {
  const [pipeline] = await tx<
    { record_spike: RecordSpike | null }[]
  >`select record_spike from freshet.pipelines where id = ${pipelineId}`;
  const spike = pipeline?.record_spike ?? null;
  if (spike === null) return;
  const [counts] = await tx<{ records: number; usual: number | null; runs: number }[]>`
    with sums as (
      select r.id, coalesce(sum(o.records_extracted) filter (where o.mode = 'incremental'), 0)::float8 as records
      from (
        select id from freshet.runs
        where pipeline_id = ${pipelineId} and kind = 'sync' and status in ('succeeded', 'partial') and id <= ${runId} order by id desc limit ${SPIKE_RUNS + 1}
      ) r join freshet.object_runs o on o.run_id = r.id
      group by r.id having count(*) filter (where o.mode = 'incremental') > 0
    )
    select coalesce((select records from sums where id = ${runId}), 0) as records, (select avg(records)::float8 from sums where id <> ${runId}) as usual,
      (select count(*)::int from sums where id <> ${runId}) as runs`;
  if (!counts || counts.usual === null || counts.runs < SPIKE_RUNS_MIN || counts.records < SPIKE_RECORDS_MIN) return;
  if (counts.records <= (counts.usual * spike.percent) / 100) return;
  if (spike.pause) {
    await tx`
      update freshet.pipelines set status = 'paused', paused_by = 'record_spike', version = version + 1, updated_at = now()
      where id = ${pipelineId} and status = 'active'`;
  }
  await emit(tx, queue, 'records.spiked', {
    pipeline_id: pipelineId,
    run_id: runId,
    records_extracted: counts.records,
    usual: Math.round(counts.usual),
    percent: spike.percent,
    paused: spike.pause,
  });
}

/** What is looked at now and then, beside what happens. Any number of schedulers may look: each thing is told of once. */
export class Alerts {
  readonly #sql: Sql;
  readonly #runs: Runs;
  readonly #queue: JobQueue;

  constructor(sql: Sql, runs: Runs, queue: JobQueue) {
    this.#sql = sql;
    this.#runs = runs;
    this.#queue = queue;
  }

  /**
   * Tells of pipelines that have read 70, 90 and 100 % of their month's quota, pauses those that were told to stop there, and lets
   * those go on that have room again: a new month, or a higher quota.
   * @returns how many were told of or let go on.
   */
  async checkQuotas(): Promise<number> {
    const used = await this.#sql<
      {
        id: string;
        month: string;
        quota: MonthlyQuota | null;
        told: string | null;
        records: number;
        paused_by: string | null;
      }[]
    >`
      select p.id, to_char(now() at time zone 'UTC', 'YYYY-MM') as month, p.monthly_quota as quota, p.quota_told as told, p.paused_by,
        (
          select coalesce(sum(o.records_extracted), 0)::float8 from freshet.runs r join freshet.object_runs o on o.run_id = r.id
          where r.pipeline_id = p.id and r.created_at >= date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'
        ) as records
      from freshet.pipelines p where p.monthly_quota is not null or p.paused_by = 'monthly_quota'`;
    let done = 0;
    for (const row of used) {
      if (
        row.paused_by === 'monthly_quota' &&
        (row.quota === null || row.records < row.quota.records || row.quota.when_reached === 'continue')
      ) {
        if (await this.#goOn(row.id)) done++;
      }
      if (row.quota !== null && (await this.#tell(row.id, row.month, row.quota, row.records, row.told))) done++;
    }
    return done;
  }

  async #goOn(pipelineId: string): Promise<boolean> {
    const gone = await this.#sql`
      update freshet.pipelines set status = 'active', paused_by = null, version = version + 1, updated_at = now()
      where id = ${pipelineId} and paused_by = 'monthly_quota' returning id`;
    if (gone.length === 0) return false;
    await this.#runs.resume(pipelineId);
    return true;
  }

  async #tell(
    pipelineId: string,
    month: string,
    quota: MonthlyQuota,
    records: number,
    told: string | null,
  ): Promise<boolean> {
    const level = QUOTA_LEVELS.find((percent) => records >= (quota.records * percent) / 100);
    const [toldMonth, toldLevel] = (told ?? '').split('/');
    if (level === undefined || (toldMonth === month && Number(toldLevel) >= level)) return false;
    const pauses = level === 100 && quota.when_reached === 'pause';
    return await this.#sql.begin(async (tx) => {
      // Whoever was faster has told of it.
      const [mine] = await tx`
        update freshet.pipelines set quota_told = ${`${month}/${level}`} where id = ${pipelineId} and quota_told is not distinct from ${told} returning id`;
      if (!mine) return false;
      if (pauses) {
        await tx`
          update freshet.pipelines set status = 'paused', paused_by = 'monthly_quota', version = version + 1, updated_at = now()
          where id = ${pipelineId} and status = 'active'`;
      }
      await emit(tx, this.#queue, 'quota.reached', {
        pipeline_id: pipelineId,
        month,
        percent: level,
        records,
        quota: quota.records,
        paused: pauses,
      });
      return true;
    });
  }

  /** Tells, once a day for each pipeline that has some, which rejected records wait for somebody's decision. @returns for how many. */
  async sendDigests(): Promise<number> {
    return await this.#sql.begin(async (tx) => {
      const due = await tx<{ id: string }[]>`
        update freshet.pipelines set next_digest_at = now() + interval '1 day' where id in (
          select id from freshet.pipelines where next_digest_at <= now() order by next_digest_at limit 100 for no key update skip locked
        ) returning id`;
      let told = 0;
      for (const { id } of due) {
        const rejected = await tx<{ object: string; reason: string; records: number; new_records: number }[]>`
          select object, reason, count(*)::int as records, (count(*) filter (where created_at > now() - interval '1 day'))::int as new_records
          from freshet.rejected_records where pipeline_id = ${id} group by 1, 2 order by 3 desc, 1, 2 limit 100`;
        if (rejected.length === 0) continue;
        told++;
        await emit(tx, this.#queue, 'records.digest', {
          pipeline_id: id,
          records: rejected.reduce((sum, r) => sum + r.records, 0),
          rejected: [...rejected],
        });
      }
      return told;
    });
  }
}
