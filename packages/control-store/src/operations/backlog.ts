import type { QueueName } from '@freshet/contracts';
import type { Sql } from '../database/database.ts';

/** The pending work of the deployment and the age of this work, for alerts and autoscaling. */
export interface Backlog {
  readonly queues: readonly QueueBacklog[];
  /** The size of the pending batches as stored (compressed), in bytes. */
  readonly unloadedBytes: number;
  readonly unloadedBatches: number;
  readonly rejectedRecords: number;
  readonly failedUnits: number;
  readonly deadJobs: number;
  readonly openRuns: number;
  /** Pipelines whose last refresh of analytics models failed. */
  readonly failedRefreshes: number;
  /**
   * For each object: the longest lag of its tables in active pipelines, and the number of these
   * tables that miss their freshness objective.
   */
  readonly freshness: readonly { readonly object: string; readonly seconds: number; readonly missed: number }[];
  /**
   * For each kind of finding: the number of records, summed over the latest finished audit of each
   * pipeline.
   */
  readonly findings: readonly { readonly finding: string; readonly records: number }[];
  /**
   * For each of the busiest accounts: the highest used share of any of its credit buckets, from 0
   * to 1, and whether a `Retry-After` blocks the account.
   */
  readonly credits: readonly { readonly account: string; readonly used: number; readonly blocked: boolean }[];
}

interface QueueBacklog {
  readonly queue: QueueName;
  /** Jobs that are due. */
  readonly ready: number;
  /** Jobs that are scheduled for later. */
  readonly deferred: number;
  readonly active: number;
  /** The age of the oldest ready job, in seconds. */
  readonly oldestSeconds: number;
}

/**
 * The maximum number of listed accounts. Each account becomes a metric label, and the number of
 * labels must be bounded.
 */
const ACCOUNTS_MAX = 50;

/** Gets the backlog of the deployment. */
export async function getBacklog(sql: Sql): Promise<Backlog> {
  const queues = await sql<QueueBacklog[]>`
    select queue, ready, deferred, active, oldest_seconds as "oldestSeconds" from freshet.backlog order by queue`;
  const [stored] = await sql<{ bytes: number; batches: number }[]>`
    select coalesce(sum(pg_column_size(body)), 0)::float8 as bytes, count(*)::int as batches from freshet.batches
    where loaded_at is null`;
  const [counts] = await sql<{ rejected: number; units: number; dead: number; open: number; refreshes: number }[]>`
    select (select count(*) from freshet.rejected_records)::int as rejected,
      (select count(*) from freshet.failed_units)::int as units,
      (select count(*) from freshet.dead_jobs)::int as dead,
      (select count(*) from freshet.runs where status in ('queued', 'running'))::int as open,
      (
        select count(*) from freshet.analytics_refreshes a join freshet.pipelines p on p.id = a.pipeline_id
        where p.analytics and a.status = 'failed'
      )::int as refreshes`;
  return {
    queues,
    unloadedBytes: stored?.bytes ?? 0,
    unloadedBatches: stored?.batches ?? 0,
    rejectedRecords: counts?.rejected ?? 0,
    failedUnits: counts?.units ?? 0,
    deadJobs: counts?.dead ?? 0,
    openRuns: counts?.open ?? 0,
    failedRefreshes: counts?.refreshes ?? 0,
    freshness: await getFreshness(sql),
    findings: await getAuditFindings(sql),
    credits: await getCreditUsage(sql),
  };
}

async function getFreshness(sql: Sql): Promise<Backlog['freshness']> {
  return await sql<Backlog['freshness'][number][]>`
    select po.object, max(extract(epoch from now() - coalesce(po.complete_as_of, p.created_at)))::float8 as seconds,
      count(po.stale_since)::int as missed
    from freshet.pipeline_objects po join freshet.pipelines p on p.id = po.pipeline_id
    where p.status = 'active' and coalesce((p.objects -> po.object ->> 'included')::boolean, true)
      -- An object that no API key could ever read has no lag, unless a user included the object by
      -- name.
      and (coalesce(po.availability, 'unknown') not in ('forbidden', 'not_in_plan')
        or po.first_read_at is not null or po.complete_as_of is not null
        or (p.objects -> po.object ->> 'included')::boolean)
    group by po.object order by po.object`;
}

async function getAuditFindings(sql: Sql): Promise<Backlog['findings']> {
  return await sql<Backlog['findings'][number][]>`
    select f.finding, coalesce(sum(f.records), 0)::float8 as records from (
      select distinct on (pipeline_id) id from freshet.runs
      where kind = 'audit' and finished_at is not null order by pipeline_id, id desc
    ) r join freshet.object_runs o on o.run_id = r.id,
      lateral (
        values ('missing', o.records_missing), ('stale', o.records_stale), ('deleted', o.records_deleted)
      ) as f(finding, records)
    group by f.finding order by f.finding`;
}

async function getCreditUsage(sql: Sql): Promise<Backlog['credits']> {
  const rows = await sql<{ account: string; used: number | null; blocked: boolean }[]>`
    select account, max(case when window_ends_at > now() then used / nullif(total, 0) else 0 end)::float8 as used,
      coalesce(bool_or(blocked_until > now()), false) as blocked
    from freshet.credit_buckets
    where total is not null group by account order by 2 desc nulls last, 1 limit ${ACCOUNTS_MAX}`;
  return rows.map((row) => ({ ...row, used: row.used ?? 0 }));
}
