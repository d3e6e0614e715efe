import { CREDIT_CLASSES, type CreditClass } from '@freshet/contracts';
import type { Fragment, Sql } from '../database/database.ts';
import { getLowestId } from '../database/ids.ts';
import { decodeRankedCursor, type List, type ListOptions, toRankedList } from '../database/pagination.ts';

interface UsageSums {
  readonly records_extracted: number;
  readonly records_loaded: number;
  readonly credits_used: number;
  readonly bytes_staged: number;
}

/** The usage on one day (UTC), of a pipeline or of all pipelines. */
export interface UsageByDay extends UsageSums {
  readonly day: string;
  readonly credits_by_class: Readonly<Record<CreditClass, number>>;
  /** The longest lag of a table on that day. Null: unknown. */
  readonly lag_seconds: number | null;
}

/** The usage of one object of a pipeline on one day (UTC). */
export interface Usage extends UsageByDay {
  readonly pipeline_id: string;
  readonly object: string;
}

/** The usage of a pipeline in a period. */
export interface UsageByPipeline extends UsageSums {
  readonly pipeline_id: string;
  readonly name: string;
  readonly subdomain: string;
}

/** A period in days (UTC). The usage of a run counts for the day on which the run was created. */
export interface UsagePeriod {
  /** The first day, as `YYYY-MM-DD`. */
  readonly from: string;
  /** The last day, inclusive. */
  readonly until: string;
}

/**
 * Gets the usage for each day, pipeline and object, with the longest lag of the table.
 * @param pipelineId null: all pipelines.
 */
export async function getUsage(sql: Sql, period: UsagePeriod, pipelineId: string | null): Promise<Usage[]> {
  return await sql<Usage[]>`${selectDailyUsage(sql, period, pipelineId, { isByObject: true })}`;
}

/**
 * Gets the usage for each day, with the longest lag of a table.
 * @param pipelineId null: all pipelines.
 */
export async function getUsageByDay(sql: Sql, period: UsagePeriod, pipelineId: string | null): Promise<UsageByDay[]> {
  return await sql<UsageByDay[]>`${selectDailyUsage(sql, period, pipelineId, { isByObject: false })}`;
}

/** Lists the pipelines with usage in a period. The pipeline that used the most credits is first. */
export async function listUsageByPipeline(
  sql: Sql,
  period: UsagePeriod,
  { limit, cursor }: ListOptions,
): Promise<List<UsageByPipeline>> {
  const last = cursor === null ? null : decodeRankedCursor(cursor);
  const rows = await sql<UsageByPipeline[]>`
    select p.id as pipeline_id, p.name, p.subdomain,
      u.records_extracted, u.records_loaded, u.credits_used, u.bytes_staged
    from (select r.pipeline_id, ${selectSums(sql)} ${fromRuns(sql, period, null)} group by 1 ${havingUsage(sql)}) u
    join freshet.pipelines p on p.id = u.pipeline_id
    ${last === null ? sql`` : sql`where (u.credits_used, p.id) < (${last.rank}::float8, ${last.id}::uuid)`}
    order by u.credits_used desc, p.id desc limit ${limit + 1}`;
  return toRankedList(rows, limit, (row) => ({ rank: row.credits_used, id: row.pipeline_id }));
}

/** The runs of a period, and their objects. */
const fromRuns = (sql: Sql, { from, until }: UsagePeriod, pipelineId: string | null): Fragment => sql`
  from freshet.runs r join freshet.object_runs o on o.run_id = r.id
  where r.id > ${getLowestId(Date.parse(from))}::uuid
    and r.created_at >= ${from}::date::timestamp at time zone 'UTC'
    and r.created_at < (${until}::date + 1)::timestamp at time zone 'UTC'
    and (${pipelineId}::uuid is null or r.pipeline_id = ${pipelineId})`;

const selectSums = (sql: Sql): Fragment => sql`
  sum(o.records_extracted)::float8 as records_extracted,
  sum(o.records_inserted + o.records_updated)::float8 as records_loaded,
  sum(o.credits_used)::float8 as credits_used,
  sum(o.bytes_staged)::float8 as bytes_staged`;

const havingUsage = (sql: Sql): Fragment => sql`having sum(o.records_extracted) + sum(o.credits_used) > 0`;

function selectDailyUsage(
  sql: Sql,
  period: UsagePeriod,
  pipelineId: string | null,
  { isByObject }: { readonly isByObject: boolean },
): Fragment {
  const { from, until } = period;
  const isSelected = sql`(${pipelineId}::uuid is null or pipeline_id = ${pipelineId})`;
  const creditsByClass = CREDIT_CLASSES.map(
    (name, i) => sql`${name}::text, sum(o.credits_by_class[${i + 1}::int])::float8`,
  ).reduce((list, pair) => sql`${list}, ${pair}`);
  const noCredits = Object.fromEntries(CREDIT_CLASSES.map((name) => [name, 0]));
  const objectKeys = isByObject ? sql`, pipeline_id, object` : sql``;
  const groupBy = isByObject ? sql`group by 1, 2, 3` : sql`group by 1`;
  return sql`
    with used as (
      select to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD') as day
        ${isByObject ? sql`, r.pipeline_id, o.object` : sql``},
        ${selectSums(sql)}, jsonb_build_object(${creditsByClass}) as credits_by_class
      ${fromRuns(sql, period, pipelineId)} ${groupBy} ${havingUsage(sql)}
    ), gap as (
      select pipeline_id, object, since, until from freshet.lags
      where until >= ${from}::date::timestamp at time zone 'UTC' and ${isSelected}
      union all
      -- The current lag of each table.
      select pipeline_id, object, complete_as_of, now()
      from freshet.pipeline_objects po join freshet.pipelines p on p.id = pipeline_id
      where p.status = 'active' and complete_as_of is not null
        and coalesce((p.objects -> po.object ->> 'included')::boolean, true) and ${isSelected}
    ), lag as (
      -- A lag that lasts several days grows from day to day.
      select to_char(d, 'YYYY-MM-DD') as day ${objectKeys},
        max(extract(epoch from least(until, (d + interval '1 day') at time zone 'UTC') - since))::float8 as lag_seconds
      from gap, generate_series(
        greatest(${from}::date, (since at time zone 'UTC')::date)::timestamp,
        least(${until}::date, (until at time zone 'UTC')::date)::timestamp, interval '1 day'
      ) as d
      ${groupBy}
    )
    select day ${objectKeys}, coalesce(records_extracted, 0) as records_extracted,
      coalesce(records_loaded, 0) as records_loaded,
      coalesce(credits_used, 0) as credits_used,
      coalesce(credits_by_class, ${sql.json(noCredits)}) as credits_by_class,
      coalesce(bytes_staged, 0) as bytes_staged, lag_seconds
    from used full join lag using (day ${objectKeys}) order by day desc ${objectKeys}`;
}
