import type { RunKind, RunStatus, RunTrigger } from '@freshet/contracts';
import type { Fragment, Sql } from '../database/database.ts';
import { getLowestId } from '../database/ids.ts';

const DAY_MS = 86_400_000;

/** A run without its objects. */
export interface RunSummary {
  readonly id: string;
  readonly kind: RunKind;
  readonly status: RunStatus;
  readonly trigger: RunTrigger;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  /** Whether no earlier sync of the pipeline has succeeded or is partial. */
  readonly is_first_sync: boolean;
  readonly objects: number;
  readonly failed_objects: number;
  readonly partial_objects: number;
}

/** The records and credits of a pipeline on one day (UTC). */
export interface DailyUsage {
  readonly day: string;
  readonly records_loaded: number;
  readonly credits_used: number;
}

/** The newest runs of a pipeline, its freshness and its usage. */
export interface PipelineActivity {
  readonly pipeline_id: string;
  /** The newest run. Null: the pipeline has no run. */
  readonly last_run: RunSummary | null;
  /** The newest open run. */
  readonly open_run: RunSummary | null;
  /** The status of the newest finished run that was not cancelled. */
  readonly last_status: RunStatus | null;
  /** The time up to which every table was complete after the newest finished sync. */
  readonly fresh_as_of: Date | null;
  /** The days with usage, the oldest first. */
  readonly usage: readonly DailyUsage[];
}

/** The state of all pipelines. */
export interface PipelineSummary {
  readonly pipelines: number;
  /** Active pipelines whose last run failed or is partial, and pipelines that Freshet paused. */
  readonly pipelines_needing_attention: number;
  /** The pipelines with a finished sync. */
  readonly synced_pipelines: number;
  readonly freshest_as_of: Date | null;
  readonly stalest_as_of: Date | null;
  readonly today: DailyUsage;
  /** The same day a week ago. */
  readonly week_ago: DailyUsage;
}

/*
 * Each statement looks up the newest runs of a pipeline in the index on pipeline and id, so its
 * cost does not depend on the number of stored runs.
 */

/** The newest run of a pipeline `p` that meets a condition. */
const selectNewestRun = (sql: Sql, condition: Fragment): Fragment => sql`
  select r.* from freshet.runs r where r.pipeline_id = p.id and ${condition} order by r.id desc limit 1`;

/** The least fresh table in the newest finished sync of a pipeline `p`. */
const selectFreshness = (sql: Sql): Fragment => sql`
  select (select min(o.complete_as_of) from freshet.object_runs o where o.run_id = r.id) as fresh_as_of
  from freshet.runs r
  where r.pipeline_id = p.id and r.kind = 'sync' and r.finished_at is not null
    and exists (select from freshet.object_runs o where o.run_id = r.id and o.complete_as_of is not null)
  order by r.id desc limit 1`;

/** @param run the alias of a run. */
const buildRunSummary = (sql: Sql, run: string): Fragment => sql`
  case when ${sql(run)}.id is null then null else (
    select jsonb_build_object('id', ${sql(run)}.id, 'kind', ${sql(run)}.kind, 'status', ${sql(run)}.status,
      'trigger', ${sql(run)}.trigger, 'created_at', ${sql(run)}.created_at, 'finished_at', ${sql(run)}.finished_at,
      'is_first_sync', ${sql(run)}.kind = 'sync' and not exists (
        select from freshet.runs e where e.pipeline_id = p.id and e.kind = 'sync' and e.id < ${sql(run)}.id
          and e.status in ('succeeded', 'partial')),
      'objects', count(*), 'failed_objects', count(*) filter (where o.status = 'failed'),
      'partial_objects', count(*) filter (where o.status = 'partial'))
    from freshet.object_runs o where o.run_id = ${sql(run)}.id
  ) end`;

/** Finds the activity of pipelines, with the usage of the last `days` days. */
export async function findPipelineActivity(
  sql: Sql,
  ids: readonly string[],
  days: number,
): Promise<PipelineActivity[]> {
  if (ids.length === 0) return [];
  const rows = await sql<(PipelineActivity & { readonly usage: readonly DailyUsage[] | null })[]>`
    select p.id as pipeline_id, ${buildRunSummary(sql, 'last')} as last_run,
      ${buildRunSummary(sql, 'open')} as open_run,
      finished.status as last_status, fresh.fresh_as_of, usage.days as usage
    from unnest(${[...ids]}::uuid[]) p(id)
    left join lateral (${selectNewestRun(sql, sql`true`)}) last on true
    left join lateral (${selectNewestRun(sql, sql`r.status in ('queued', 'running')`)}) open on true
    left join lateral (
      ${selectNewestRun(sql, sql`r.finished_at is not null and r.status <> 'cancelled'`)}) finished on true
    left join lateral (${selectFreshness(sql)}) fresh on true
    left join lateral (
      select jsonb_agg(d order by d.day) as days from (
        select to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD') as day,
          sum(o.records_inserted + o.records_updated)::float8 as records_loaded,
          sum(o.credits_used)::float8 as credits_used
        from freshet.runs r join freshet.object_runs o on o.run_id = r.id
        where r.pipeline_id = p.id and r.id > ${getLowestIdOfDays(days)}
          and r.created_at >= ${startOfDay(sql, days - 1)}
        group by 1 having sum(o.records_extracted) + sum(o.credits_used) > 0
      ) d
    ) usage on true`;
  return rows.map((row) => ({
    ...row,
    last_run: parseTimes(row.last_run),
    open_run: parseTimes(row.open_run),
    usage: row.usage ?? [],
  }));
}

/** Summarizes all pipelines. */
export async function getPipelineSummary(sql: Sql): Promise<PipelineSummary> {
  const [[summary], today, weekAgo] = await Promise.all([
    sql<Omit<PipelineSummary, 'today' | 'week_ago'>[]>`
      select count(*) as pipelines, count(*) filter (where
          (p.status = 'paused' and p.paused_by <> 'user')
          or (p.status = 'active' and not open.is_open and finished.status in ('failed', 'partial'))
        ) as pipelines_needing_attention,
        count(fresh.fresh_as_of) as synced_pipelines,
        max(fresh.fresh_as_of) as freshest_as_of, min(fresh.fresh_as_of) as stalest_as_of
      from freshet.pipelines p
      left join lateral (
        ${selectNewestRun(sql, sql`r.finished_at is not null and r.status <> 'cancelled'`)}) finished on true
      left join lateral (${selectFreshness(sql)}) fresh on true
      cross join lateral (select exists (
        select from freshet.runs r where r.pipeline_id = p.id and r.status in ('queued', 'running')) as is_open) open`,
    getUsageOfDay(sql, 0),
    getUsageOfDay(sql, 7),
  ]);
  return { ...(summary as Omit<PipelineSummary, 'today' | 'week_ago'>), today, week_ago: weekAgo };
}

/** Returns the usage of all pipelines on the day `daysAgo` days before today (UTC). */
async function getUsageOfDay(sql: Sql, daysAgo: number): Promise<DailyUsage> {
  const [row] = await sql<DailyUsage[]>`
    select to_char((now() at time zone 'UTC')::date - ${daysAgo}::int, 'YYYY-MM-DD') as day,
      coalesce(sum(o.records_inserted + o.records_updated), 0)::float8 as records_loaded,
      coalesce(sum(o.credits_used), 0)::float8 as credits_used
    from freshet.runs r join freshet.object_runs o on o.run_id = r.id
    where r.id > ${getLowestIdOfDays(daysAgo + 1)} and r.id < ${getLowestIdOfDays(daysAgo - 2)}
      and r.created_at >= ${startOfDay(sql, daysAgo)} and r.created_at < ${startOfDay(sql, daysAgo - 1)}`;
  return row as DailyUsage;
}

/** Returns an id that is lower than the ids of all runs of the last `days` days. */
function getLowestIdOfDays(days: number): string {
  return getLowestId(Date.now() - (days - 1) * DAY_MS);
}

/** The start of the day (UTC) that is `daysAgo` days before today. */
function startOfDay(sql: Sql, daysAgo: number): Fragment {
  return sql`((now() at time zone 'UTC')::date - ${daysAgo}::int)::timestamp at time zone 'UTC'`;
}

/** Parses the times of a run, which are strings in JSON. */
function parseTimes(run: RunSummary | null): RunSummary | null {
  return run === null
    ? null
    : {
        ...run,
        created_at: new Date(run.created_at),
        finished_at: run.finished_at === null ? null : new Date(run.finished_at),
      };
}
