import type { Sql } from '../database/database.ts';

/** The maximum number of rows that one statement deletes. The limit keeps the locks short. */
const CHUNK_ROWS = 1000;

/**
 * Deletes batches that were loaded more than `olderThanDays` days ago, except batches of open
 * object runs.
 * @returns the number of deleted batches.
 */
export function pruneLoadedBatches(sql: Sql, olderThanDays: number): Promise<number> {
  return deleteInChunks(
    (limit) => sql`
      delete from freshet.batches where id in (
        select id from freshet.batches b where b.loaded_at < now() - make_interval(days => ${olderThanDays})
          and not exists (
            select from freshet.object_runs o
            where o.id = b.object_run_id and o.status in ('queued', 'running', 'waiting_for_credits')
          )
        limit ${limit} for update skip locked
      )`,
  );
}

/**
 * Deletes runs that finished more than `olderThanDays` days ago, together with their object runs.
 * The newest run of each kind in a pipeline is retained, as are runs with stored batches.
 * @returns the number of deleted runs.
 */
export function pruneRuns(sql: Sql, olderThanDays: number): Promise<number> {
  return deleteInChunks(
    (limit) => sql`
      delete from freshet.runs where id in (
        select id from freshet.runs r where r.finished_at < now() - make_interval(days => ${olderThanDays})
          and exists (
            select from freshet.runs n where n.pipeline_id = r.pipeline_id and n.kind = r.kind and n.id > r.id
          )
          and not exists (
            select from freshet.object_runs o join freshet.batches b on b.object_run_id = o.id where o.run_id = r.id
          )
        limit ${limit} for update skip locked
      )`,
  );
}

/**
 * Deletes lags that ended more than `olderThanDays` days ago.
 * @returns the number of deleted lags.
 */
export function pruneLags(sql: Sql, olderThanDays: number): Promise<number> {
  return deleteInChunks(
    (limit) => sql`
      delete from freshet.lags where ctid = any(array(
        select ctid from freshet.lags
        where until < now() - make_interval(days => ${olderThanDays}) limit ${limit} for update skip locked
      ))`,
  );
}

async function deleteInChunks(
  deleteChunk: (limit: number) => PromiseLike<{ readonly count: number }>,
): Promise<number> {
  let deleted = 0;
  for (let count = CHUNK_ROWS; count === CHUNK_ROWS; deleted += count) ({ count } = await deleteChunk(CHUNK_ROWS));
  return deleted;
}
