import { maintainBatchPartitions } from '../database/batch-partitions.ts';
import type { CronSchedule, ObjectSettings } from '../database/schema/index.ts';
import { emit } from '../notifications/events.ts';
import { getNextRun, NO_NEXT_RUN } from '../resources/cron.ts';
import { SCHEDULE_CHANNEL } from '../resources/pipelines.ts';
import { findStartState, type ObjectLister, startRun } from '../runs/start-run.ts';
import { Store } from '../store.ts';
import { pruneLags, pruneLoadedBatches, pruneRuns } from './retention.ts';

/**
 * The maximum number of queued syncs. While this many syncs wait for a worker to start them, no
 * further due sync is started. A sync that a worker has started, and that now waits for credits or
 * for the warehouse, does not count.
 */
const QUEUED_RUNS_MAX = 200;

interface Staleness {
  readonly pipeline_id: string;
  readonly object: string;
  readonly complete_as_of: Date | null;
  readonly max_staleness_minutes: number | null;
}

/**
 * Periodic work: due runs, freshness objectives and retention. Any number of schedulers may call
 * these methods concurrently.
 */
export class Schedule extends Store {
  /**
   * Calls `onChange` when the schedule or the status of a pipeline changes, and when the connection
   * that receives the notifications has been established again.
   */
  async listen(onChange: () => void): Promise<void> {
    await this.sql.listen(SCHEDULE_CHANNEL, onChange, onChange);
  }

  /**
   * Returns the time until the next sync and the next audit of a pipeline are due, in milliseconds:
   * 0 or less if one is due, `Infinity` if there is none.
   */
  async findDue(): Promise<{ readonly syncMs: number; readonly auditMs: number }> {
    const [due] = await this.sql<{ syncMs: number | null; auditMs: number | null }[]>`
      select extract(epoch from min(next_run_at) - now())::float8 * 1000 as "syncMs", (
          select extract(epoch from min(next_audit_at) - now())::float8 * 1000 from freshet.pipelines
          where status = 'active' and audit_frequency_days is not null
        ) as "auditMs"
      from freshet.pipelines where status = 'active'`;
    const { POSITIVE_INFINITY } = Number;
    return { syncMs: due?.syncMs ?? POSITIVE_INFINITY, auditMs: due?.auditMs ?? POSITIVE_INFINITY };
  }

  /**
   * Starts a run of each due pipeline, and sets the time of the next run of the pipeline, in one
   * transaction. A pipeline that has missed several runs in an outage gets only one run. The most
   * overdue pipelines start first. The number of queued runs is limited, so after a long outage,
   * further pipelines start as workers start the queued runs.
   * @param limit the maximum number of pipelines.
   * @returns the number of due pipelines that this call handled.
   */
  async startDueRuns(limit: number, listObjects: ObjectLister): Promise<number> {
    return await this.sql.begin(async (tx) => {
      const due = await tx<
        { id: string; objects: Record<string, ObjectSettings>; schedule: CronSchedule | null; never_run: boolean }[]
      >`
        select id, objects, schedule, not exists (select from freshet.runs r where r.pipeline_id = p.id) as never_run
        from freshet.pipelines p where status = 'active' and next_run_at <= now()
        order by next_run_at limit (
          select least(${limit}::bigint, greatest(0, ${QUEUED_RUNS_MAX} - count(*)))
          from freshet.runs r join freshet.pipelines q on q.id = r.pipeline_id
          where r.status = 'queued' and r.kind = 'sync' and q.status = 'active'
        ) for no key update skip locked`;
      for (const { id, objects, schedule, never_run } of due) {
        const trigger = never_run ? 'created' : 'schedule';
        await startRun(
          { tx, queue: this.queue },
          { pipelineId: id, trigger, objects: listObjects(objects), kind: 'sync' },
          await findStartState(tx, id, 'sync'),
        );
        if (schedule !== null) {
          await tx`
            update freshet.pipelines set next_run_at = ${getNextRun(schedule, new Date(), id) ?? NO_NEXT_RUN}
            where id = ${id}`;
          continue;
        }
        // The next run is a whole number of intervals after the due time, even if this run starts
        // late. The pipeline therefore keeps its times of day.
        await tx`
          update freshet.pipelines set next_run_at = next_run_at + make_interval(mins => frequency_minutes)
            * (1 + floor(extract(epoch from now() - next_run_at) / (frequency_minutes * 60)))
          where id = ${id}`;
      }
      return due.length;
    });
  }

  /**
   * Starts due audits. If an audit of a pipeline is still open, no second audit is started. Whether
   * or not an audit was started, the next audit is due after a full interval.
   * @param limit the maximum number of pipelines.
   * @returns the number of pipelines with a due audit that this call handled.
   */
  async startDueAudits(limit: number, listObjects: ObjectLister): Promise<number> {
    return await this.sql.begin(async (tx) => {
      const due = await tx<{ id: string; objects: Record<string, ObjectSettings> }[]>`
        select id, objects from freshet.pipelines
        where status = 'active' and audit_frequency_days is not null and next_audit_at <= now()
        order by next_audit_at limit ${limit} for no key update skip locked`;
      for (const { id, objects } of due) {
        const request = {
          pipelineId: id,
          trigger: 'schedule',
          objects: listObjects(objects),
          kind: 'audit',
        } as const;
        await startRun({ tx, queue: this.queue }, request, await findStartState(tx, id, 'audit'));
        await tx`update freshet.pipelines set next_audit_at = now() + make_interval(days => audit_frequency_days)
          where id = ${id}`;
      }
      return due.length;
    });
  }

  /**
   * Emits `freshness.missed` once when the lag of a table exceeds the freshness objective of the
   * table, and `freshness.restored` once when the table meets the objective again. Only tables of
   * active pipelines can miss their objective.
   * @returns the number of events.
   */
  async checkFreshness(): Promise<number> {
    return await this.sql.begin(async (tx) => {
      const objective = tx`(p.objects -> po.object ->> 'max_staleness_minutes')::int`;
      // The lag of a table without coverage is measured from the creation of its pipeline.
      const isStale = tx`coalesce(po.complete_as_of, p.created_at) < now() - make_interval(mins => ${objective})`;
      const missed = await tx<Staleness[]>`
        update freshet.pipeline_objects po set stale_since = now() from freshet.pipelines p
        where p.id = po.pipeline_id and p.status = 'active' and po.stale_since is null and ${isStale}
          and coalesce((p.objects -> po.object ->> 'included')::boolean, true)
        returning po.pipeline_id, po.object, po.complete_as_of, ${objective} as max_staleness_minutes`;
      const restored = await tx<Staleness[]>`
        update freshet.pipeline_objects po set stale_since = null from freshet.pipelines p
        where p.id = po.pipeline_id and po.stale_since is not null and (${isStale}) is not true
        returning po.pipeline_id, po.object, po.complete_as_of, ${objective} as max_staleness_minutes`;
      for (const [type, rows] of [
        ['freshness.missed', missed],
        ['freshness.restored', restored],
      ] as const) {
        for (const row of rows)
          await emit({ tx, queue: this.queue }, type, {
            ...row,
            complete_as_of: row.complete_as_of?.toISOString() ?? null,
          });
      }
      return missed.length + restored.length;
    });
  }

  /**
   * Creates the batch partitions of the coming days, and drops old partitions.
   * @returns the number of dropped partitions.
   */
  maintainBatchPartitions(olderThanDays: number): Promise<number> {
    return maintainBatchPartitions(this.sql, olderThanDays);
  }

  /**
   * Deletes batches that were loaded more than `olderThanDays` days ago, except batches of open
   * object runs.
   * @returns the number of deleted batches.
   */
  pruneLoadedBatches(olderThanDays: number): Promise<number> {
    return pruneLoadedBatches(this.sql, olderThanDays);
  }

  /**
   * Deletes runs that finished more than `olderThanDays` days ago, except the newest run of each
   * kind in a pipeline and runs with stored batches.
   * @returns the number of deleted runs.
   */
  pruneRuns(olderThanDays: number): Promise<number> {
    return pruneRuns(this.sql, olderThanDays);
  }

  /**
   * Deletes lags that ended more than `olderThanDays` days ago.
   * @returns the number of deleted lags.
   */
  pruneLags(olderThanDays: number): Promise<number> {
    return pruneLags(this.sql, olderThanDays);
  }
}
