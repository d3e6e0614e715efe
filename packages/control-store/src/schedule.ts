import type { Sql } from './database.ts';

/** Which pipelines are due. Any number of schedulers may ask; each pipeline is given to one of them. */
export class Schedule {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * Takes due pipelines and sets their next time: a whole number of periods after the one that was due, so that
   * times missed in an outage are made up for once. Whoever takes one must start its run before it is due again.
   */
  async takeDue(limit: number): Promise<string[]> {
    const rows = await this.#sql<{ id: string }[]>`
      update freshet.pipelines set
        next_run_at = next_run_at + make_interval(mins => frequency_minutes)
          * (1 + floor(extract(epoch from now() - next_run_at) / (frequency_minutes * 60)))
      where id in (
        select id from freshet.pipelines where status = 'active' and next_run_at <= now()
        order by next_run_at limit ${limit} for update skip locked
      ) returning id`;
    return rows.map(({ id }) => id);
  }

  /** Deletes batches that were loaded longer ago than this; pending ones are never deleted. */
  async deleteLoadedBatches(olderThanDays: number): Promise<number> {
    const deleted = await this.#sql`
      delete from freshet.batches b where b.loaded_at < now() - make_interval(days => ${olderThanDays})
        and not exists (select from freshet.object_runs o where o.id = b.object_run_id and o.status in ('queued', 'running', 'waiting_for_credits'))`;
    return deleted.count;
  }
}
