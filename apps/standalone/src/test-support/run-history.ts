import type { Sql } from 'postgres';

/**
 * Inserts four finished syncs for each of the 30 days before today, so that the charts of a new
 * deployment have values. On weekends, fewer records change.
 */
export async function insertRunHistory(sql: Sql, pipelineId: string): Promise<void> {
  await sql.unsafe(`
    create temporary table history as
    select n, at,
      (case when extract(isodow from at) > 5 then 0.35 else 1 end)
        * (1 + 0.2 * sin(n / 4 * 2.1) + 0.1 * sin(n * 1.7)) as activity,
      -- A UUIDv7, like the ids of the store.
      (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008'
        || lpad(to_hex(n), 15, '0'))::uuid as id
    from (
      select n, date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'
          - n * interval '6 hours' + interval '5 hours' as at
      from generate_series(1, 120) n
    ) times;
    insert into freshet.runs (id, pipeline_id, status, trigger, created_at, started_at, finished_at)
    select id, '${pipelineId}', 'succeeded', 'schedule', at, at, at + (40 + 20 * activity) * interval '1 second'
    from history;
    insert into freshet.object_runs (id, run_id, pipeline_id, object, status, mode, records_extracted,
      records_updated, records_unchanged, credits_used, credits_by_class, bytes_staged, complete_as_of)
    select gen_random_uuid(), id, '${pipelineId}', object, 'succeeded', 'incremental', read, loaded, read - loaded,
      credits, case when object = 'conversations' then array[0, 0, credits, 0, 0] else array[0, credits, 0, 0, 0] end,
      read * 900, at
    from history, lateral (values
      ('tickets', (110 * activity)::int, (95 * activity)::int, (14 + 10 * activity)::float8),
      ('conversations', (140 * activity)::int, (140 * activity)::int, (6 + 60 * activity)::float8),
      ('contacts', (35 * activity)::int, (20 * activity)::int, (5 + 2 * activity)::float8)
    ) o (object, read, loaded, credits);
    insert into freshet.lags (pipeline_id, object, day, since, until)
    select '${pipelineId}', 'conversations', (at at time zone 'UTC')::date, at,
      at + (15 + 30 * activity) * interval '1 minute'
    from history where n % 4 = 0;
    -- No sync is due during the test.
    update freshet.pipelines set next_run_at = now() + interval '6 hours' where id = '${pipelineId}';
    drop table history`);
}
