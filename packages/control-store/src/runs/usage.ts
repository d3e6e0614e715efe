import { CREDIT_CLASSES, type CreditClass } from '@freshet/contracts';
import type { Sql } from '../database/database.ts';

/** The usage of one object of a pipeline on one day (UTC). */
export interface Usage {
  readonly day: string;
  readonly pipeline_id: string;
  readonly object: string;
  readonly records_extracted: number;
  readonly records_loaded: number;
  readonly credits_used: number;
  readonly bytes_staged: number;
  readonly credits_by_class: Readonly<Record<CreditClass, number>>;
  /** The longest lag of the table on that day. Null: unknown. */
  readonly lag_seconds: number | null;
}

/**
 * Gets the usage for each day, pipeline and object, with the longest lag of the table. The usage of
 * a run counts for the day (UTC) on which the run was created.
 * @param from the first day, as `YYYY-MM-DD`.
 * @param until the last day, inclusive.
 * @param pipelineId null: all pipelines.
 */
export async function getUsage(sql: Sql, from: string, until: string, pipelineId: string | null): Promise<Usage[]> {
  const isSelected = sql`(${pipelineId}::uuid is null or pipeline_id = ${pipelineId})`;
  const creditsByClass = CREDIT_CLASSES.map(
    (name, i) => sql`${name}::text, sum(o.credits_by_class[${i + 1}::int])::float8`,
  ).reduce((list, pair) => sql`${list}, ${pair}`);
  const noCredits = Object.fromEntries(CREDIT_CLASSES.map((name) => [name, 0]));
  return await sql<Usage[]>`
    with used as (
      select to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD') as day, r.pipeline_id, o.object,
        sum(o.records_extracted)::float8 as records_extracted,
        sum(o.records_inserted + o.records_updated)::float8 as records_loaded,
        sum(o.credits_used)::float8 as credits_used,
        jsonb_build_object(${creditsByClass}) as credits_by_class,
        sum(o.bytes_staged)::float8 as bytes_staged
      from freshet.runs r join freshet.object_runs o on o.run_id = r.id
      where r.created_at >= ${from}::date::timestamp at time zone 'UTC'
        and r.created_at < (${until}::date + 1)::timestamp at time zone 'UTC'
        and (${pipelineId}::uuid is null or r.pipeline_id = ${pipelineId})
      group by 1, 2, 3 having sum(o.records_extracted) + sum(o.credits_used) > 0
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
      select to_char(d, 'YYYY-MM-DD') as day, pipeline_id, object,
        max(extract(epoch from least(until, (d + interval '1 day') at time zone 'UTC') - since))::float8 as lag_seconds
      from gap, generate_series(
        greatest(${from}::date, (since at time zone 'UTC')::date)::timestamp,
        least(${until}::date, (until at time zone 'UTC')::date)::timestamp, interval '1 day'
      ) as d
      group by 1, 2, 3
    )
    select day, pipeline_id, object, coalesce(records_extracted, 0) as records_extracted,
      coalesce(records_loaded, 0) as records_loaded,
      coalesce(credits_used, 0) as credits_used,
      coalesce(credits_by_class, ${sql.json(noCredits)}) as credits_by_class,
      coalesce(bytes_staged, 0) as bytes_staged, lag_seconds
    from used full join lag using (day, pipeline_id, object) order by day desc, pipeline_id, object`;
}
