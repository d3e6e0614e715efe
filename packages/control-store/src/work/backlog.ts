import type { QueueName } from '@freshet/contracts';
import type { Sql } from '../database/database.ts';

/** How much work waits, and for how long: what alarms and scaling go by. */
export interface Backlog {
  readonly queues: readonly QueueBacklog[];
  /** Stored and not loaded yet, in bytes as they are stored. */
  readonly unloadedBytes: number;
  readonly unloadedBatches: number;
  readonly rejectedRecords: number;
  readonly failedUnits: number;
  readonly deadJobs: number;
  readonly openRuns: number;
  /** By object: how far its table is behind in the pipeline where it is furthest behind, of those that are not paused. */
  readonly freshness: readonly { readonly object: string; readonly seconds: number; readonly missed: number }[];
  /** By what it was, what the newest audit of each pipeline has found. */
  readonly findings: readonly { readonly finding: string; readonly records: number }[];
  /** Of the bucket that is used most, by account: 1 is all of it. The busiest only. */
  readonly credits: readonly { readonly account: string; readonly used: number; readonly blocked: boolean }[];
}

interface QueueBacklog {
  readonly queue: QueueName;
  /** That could be worked on now. */
  readonly ready: number;
  /** That wait for their time. */
  readonly deferred: number;
  readonly active: number;
  /** How long the oldest of those that are ready has been, in seconds. */
  readonly oldestSeconds: number;
}

/** Accounts that are told of by name: the labels of a metric are bounded. */
const ACCOUNTS_MAX = 50;

export async function readBacklog(sql: Sql): Promise<Backlog> {
  const queues = await sql<QueueBacklog[]>`
    select queue, ready, deferred, active, oldest_seconds as "oldestSeconds" from freshet.backlog order by queue`;
  const [stored] = await sql<{ bytes: number; batches: number }[]>`
    select coalesce(sum(pg_column_size(body)), 0)::float8 as bytes, count(*)::int as batches from freshet.batches where loaded_at is null`;
  const [counts] = await sql<{ rejected: number; units: number; dead: number; open: number }[]>`
    select (select count(*) from freshet.rejected_records)::int as rejected, (select count(*) from freshet.failed_units)::int as units,
      (select count(*) from freshet.dead_jobs)::int as dead,
      (select count(*) from freshet.runs where status in ('queued', 'running'))::int as open`;
  const freshness = await sql<Backlog['freshness'][number][]>`
    select po.object, max(extract(epoch from now() - coalesce(po.complete_as_of, p.created_at)))::float8 as seconds, count(po.stale_since)::int as missed
    from freshet.pipeline_objects po join freshet.pipelines p on p.id = po.pipeline_id
    where p.status = 'active' and coalesce((p.objects -> po.object ->> 'included')::boolean, true)
      -- A table of which nothing was ever readable is not behind, unless a user included its object by name.
      and (coalesce(po.availability, 'unknown') not in ('forbidden', 'not_in_plan') or po.first_read_at is not null or po.complete_as_of is not null
        or (p.objects -> po.object ->> 'included')::boolean)
    group by po.object order by po.object`;
  const findings = await sql<Backlog['findings'][number][]>`
    select f.finding, coalesce(sum(f.records), 0)::float8 as records from (
      select distinct on (pipeline_id) id from freshet.runs where kind = 'audit' and finished_at is not null order by pipeline_id, id desc
    ) r join freshet.object_runs o on o.run_id = r.id,
      lateral (values ('missing', o.records_missing), ('stale', o.records_stale), ('deleted', o.records_deleted)) as f(finding, records)
    group by f.finding order by f.finding`;
  const credits = await sql<Backlog['credits'][number][]>`
    select account, max(case when window_ends_at > now() then used / nullif(total, 0) else 0 end)::float8 as used,
      coalesce(bool_or(blocked_until > now()), false) as blocked
    from freshet.credit_buckets where total is not null group by account order by 2 desc nulls last, 1 limit ${ACCOUNTS_MAX}`;
  return {
    queues,
    unloadedBytes: stored?.bytes ?? 0,
    unloadedBatches: stored?.batches ?? 0,
    rejectedRecords: counts?.rejected ?? 0,
    failedUnits: counts?.units ?? 0,
    deadJobs: counts?.dead ?? 0,
    openRuns: counts?.open ?? 0,
    freshness,
    findings,
    credits: credits.map((c) => ({ ...c, used: c.used ?? 0 })),
  };
}
