import type { Sql } from './database.ts';
import type { ObjectToRead, Runs } from './runs.ts';
import type { ObjectChoice } from './schema.ts';

/** What falls due: runs, and data that has been kept long enough. Any number of schedulers may ask. */
export class Schedule {
  readonly #sql: Sql;
  readonly #runs: Runs;

  constructor(sql: Sql, runs: Runs) {
    this.#sql = sql;
    this.#runs = runs;
  }

  /**
   * Starts the runs of due pipelines; each pipeline is started by one scheduler, and its next time is set with it.
   * The next time is a whole number of periods after the one that was due: times missed in an outage are made up
   * for once.
   * @param objectsOf which objects a pipeline's choices come to.
   * @returns how many pipelines were due.
   */
  async startDue(limit: number, objectsOf: (choices: Readonly<Record<string, ObjectChoice>>) => readonly ObjectToRead[]): Promise<number> {
    return await this.#sql.begin(async (tx) => {
      const due = await tx<{ id: string; objects: Record<string, ObjectChoice>; never_run: boolean }[]>`
        select id, objects, not exists (select from freshet.runs r where r.pipeline_id = p.id) as never_run
        from freshet.pipelines p where status = 'active' and next_run_at <= now()
        order by next_run_at limit ${limit} for no key update skip locked`;
      for (const { id, objects, never_run } of due) {
        await this.#runs.startIn(tx, id, never_run ? 'created' : 'schedule', objectsOf(objects), 'sync');
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
  async startDueAudits(limit: number, objectsOf: (choices: Readonly<Record<string, ObjectChoice>>) => readonly ObjectToRead[]): Promise<number> {
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

  /** Deletes batches that were loaded longer ago than this; pending ones, and those of open runs, never. */
  async deleteLoadedBatches(olderThanDays: number): Promise<number> {
    const deleted = await this.#sql`
      delete from freshet.batches b where b.loaded_at < now() - make_interval(days => ${olderThanDays})
        and not exists (select from freshet.object_runs o where o.id = b.object_run_id and o.status in ('queued', 'running', 'waiting_for_credits'))`;
    return deleted.count;
  }
}
