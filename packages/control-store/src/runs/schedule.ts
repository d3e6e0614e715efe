import { keepBatchPartitions } from '../database/batch-partitions.ts';
import type { Sql } from '../database/database.ts';
import type { CronSchedule, ObjectChoice } from '../database/schema.ts';
import { emit } from '../notifications/events.ts';
import type { JobQueue } from '../work/queue.ts';
import { NEVER, nextRun } from './cron.ts';
import type { ObjectToRead, Runs } from './runs.ts';

/** Runs that nobody has taken up: while there are so many, no more are started. What waits for credits or a warehouse has been taken up, and does not count. */
const QUEUED_RUNS_MAX = 200;
const DELETED_AT_ONCE = 1000;

interface Staleness {
  readonly pipeline_id: string;
  readonly object: string;
  readonly complete_as_of: Date | null;
  readonly max_staleness_minutes: number | null;
}

/** What falls due: runs, and data that has been kept long enough. Any number of schedulers may ask. */
export class Schedule {
  readonly #sql: Sql;
  readonly #runs: Runs;
  readonly #queue: JobQueue;

  constructor(sql: Sql, runs: Runs, queue: JobQueue) {
    this.#sql = sql;
    this.#runs = runs;
    this.#queue = queue;
  }

  /**
   * Starts the runs of due pipelines; each pipeline is started by one scheduler, and its next time is set with it.
   * The next time is a whole number of periods after the one that was due: times missed in an outage are made up
   * for once. After a long outage not all of them start together: the oldest do, and more as workers take those up.
   * @param objectsOf which objects a pipeline's choices come to.
   * @returns how many pipelines were started.
   */
  async startDue(
    limit: number,
    objectsOf: (choices: Readonly<Record<string, ObjectChoice>>) => readonly ObjectToRead[],
  ): Promise<number> {
    return await this.#sql.begin(async (tx) => {
      const due = await tx<
        { id: string; objects: Record<string, ObjectChoice>; schedule: CronSchedule | null; never_run: boolean }[]
      >`
        select id, objects, schedule, not exists (select from freshet.runs r where r.pipeline_id = p.id) as never_run
        from freshet.pipelines p where status = 'active' and next_run_at <= now()
        order by next_run_at limit (
          select least(${limit}::bigint, greatest(0, ${QUEUED_RUNS_MAX} - count(*))) from freshet.runs r join freshet.pipelines q on q.id = r.pipeline_id
          where r.status = 'queued' and r.kind = 'sync' and q.status = 'active'
        ) for no key update skip locked`;
      for (const { id, objects, schedule, never_run } of due) {
        await this.#runs.startIn(tx, id, never_run ? 'created' : 'schedule', objectsOf(objects), 'sync');
        if (schedule !== null) {
          await tx`update freshet.pipelines set next_run_at = ${nextRun(schedule, new Date(), id) ?? NEVER} where id = ${id}`;
          continue;
        }
        await tx`
          update freshet.pipelines set next_run_at = next_run_at + make_interval(mins => frequency_minutes)
            * (1 + floor(extract(epoch from now() - next_run_at) / (frequency_minutes * 60)))
          where id = ${id}`;
      }
      return due.length;
    });
  }

  /**
   * The same for audits. An account's audits are spread by when its pipeline was made; one that is due while another is
   * under way waits for the next time.
   */
  async startDueAudits(
    limit: number,
    objectsOf: (choices: Readonly<Record<string, ObjectChoice>>) => readonly ObjectToRead[],
  ): Promise<number> {
    return await this.#sql.begin(async (tx) => {
      const due = await tx<{ id: string; objects: Record<string, ObjectChoice> }[]>`
        select id, objects from freshet.pipelines where status = 'active' and audit_frequency_days is not null and next_audit_at <= now()
        order by next_audit_at limit ${limit} for no key update skip locked`;
      for (const { id, objects } of due) {
        await this.#runs.startIn(tx, id, 'schedule', objectsOf(objects), 'audit');
        await tx`update freshet.pipelines set next_audit_at = now() + make_interval(days => audit_frequency_days) where id = ${id}`;
      }
      return due.length;
    });
  }

  /**
   * Tells of tables that are further behind than they may be, and of those that have caught up: once each, by whichever scheduler
   * sees it first. A paused pipeline's are as they are.
   * @returns how many were told of.
   */
  async checkFreshness(): Promise<number> {
    return await this.#sql.begin(async (tx) => {
      const objective = tx`(p.objects -> po.object ->> 'max_staleness_minutes')::int`;
      // What was never complete counts from when its pipeline was made.
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
      for (const [type, some] of [
        ['freshness.missed', missed],
        ['freshness.restored', restored],
      ] as const) {
        for (const row of some)
          await emit(tx, this.#queue, type, { ...row, complete_as_of: row.complete_as_of?.toISOString() ?? null });
      }
      return missed.length + restored.length;
    });
  }

  /** The days of which every batch was loaded longer ago than this go at once; the days that come get their place. @returns how many went. */
  keepBatchPartitions(olderThanDays: number): Promise<number> {
    return keepBatchPartitions(this.#sql, olderThanDays);
  }

  /** Deletes batches that were loaded longer ago than this; pending ones, and those of open runs, never. */
  deleteLoadedBatches(olderThanDays: number): Promise<number> {
    return this.#inPieces(
      (limit) => this.#sql`
        delete from freshet.batches where id in (
          select id from freshet.batches b where b.loaded_at < now() - make_interval(days => ${olderThanDays})
            and not exists (select from freshet.object_runs o where o.id = b.object_run_id and o.status in ('queued', 'running', 'waiting_for_credits'))
          limit ${limit} for update skip locked
        )`,
    );
  }

  /**
   * Deletes runs that were over longer ago than this, with their object runs; of each pipeline and kind never the newest, and none of
   * which a batch is stored still.
   */
  deleteRuns(olderThanDays: number): Promise<number> {
    return this.#inPieces(
      (limit) => this.#sql`
        delete from freshet.runs where id in (
          select id from freshet.runs r where r.finished_at < now() - make_interval(days => ${olderThanDays})
            and exists (select from freshet.runs n where n.pipeline_id = r.pipeline_id and n.kind = r.kind and n.id > r.id)
            and not exists (select from freshet.object_runs o join freshet.batches b on b.object_run_id = o.id where o.run_id = r.id)
          limit ${limit} for update skip locked
        )`,
    );
  }

  /** How far tables were behind, of days that were over longer ago than this. */
  deleteLags(olderThanDays: number): Promise<number> {
    return this.#inPieces(
      (limit) => this.#sql`
        delete from freshet.lags where ctid = any(array(
          select ctid from freshet.lags where until < now() - make_interval(days => ${olderThanDays}) limit ${limit} for update skip locked
        ))`,
    );
  }

  /** Nobody waits long for a lock that is held for a few rows only. */
  async #inPieces(work: (limit: number) => PromiseLike<{ readonly count: number }>): Promise<number> {
    let deleted = 0;
    for (let count = DELETED_AT_ONCE; count === DELETED_AT_ONCE; deleted += count)
      ({ count } = await work(DELETED_AT_ONCE));
    return deleted;
  }
}
