import {
  AppError,
  type ExtractionRunKind,
  OPEN_OBJECT_RUN_STATUSES,
  type RunKind,
  type RunStatus,
  type RunTrigger,
} from '@freshet/contracts';
import { buildColumnList, type Fragment, type Sql } from '../database/database.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { objectRuns, runs } from '../database/schema/index.ts';
import { enqueueExtract } from '../queue/jobs.ts';
import { Store } from '../store.ts';
import {
  findPipelineActivity,
  getPipelineSummary,
  type PipelineActivity,
  type PipelineSummary,
} from './pipeline-activity.ts';
import { INTERNAL_COLUMNS, parseObjectRun, type Run } from './run-rows.ts';
import { findStartState, type ObjectLister, type ObjectToExtract, type StartedRun, startRun } from './start-run.ts';
import {
  getUsage,
  getUsageByDay,
  listUsageByPipeline,
  type Usage,
  type UsageByDay,
  type UsageByPipeline,
  type UsagePeriod,
} from './usage.ts';

/** Selects runs. A field that is null selects any value. */
export interface RunFilter {
  readonly pipelineId: string | null;
  readonly status: RunStatus | null;
  readonly kind: RunKind | null;
}

/** Starts, lists and cancels runs, and changes the positions of their objects. */
export class Runs extends Store {
  /**
   * Starts a run: creates the run, its object runs, and a job for each object run, in one
   * transaction. If a run of the same kind is open, that run is returned. Concurrent callers get
   * the same run.
   * @param objects the objects to extract, or a function that lists them from the settings of the
   * pipeline.
   * @throws AppError `not_found` when the pipeline does not exist.
   */
  async start(
    pipelineId: string,
    trigger: RunTrigger,
    objects: readonly ObjectToExtract[] | ObjectLister,
    kind: ExtractionRunKind = 'sync',
  ): Promise<StartedRun> {
    return await this.joinTransaction(async (tx) => {
      // The statements are sent together, and `execute` sends the lock first. The second statement
      // starts when the lock is acquired, so its snapshot contains the run of a concurrent caller.
      const lock = tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`.execute();
      const [state] = await Promise.all([findStartState(tx, pipelineId, kind), lock]);
      const listed = typeof objects === 'function' ? objects(state.objects) : objects;
      return startRun({ tx, queue: this.queue }, { pipelineId, trigger, objects: listed, kind }, state);
    });
  }

  /** Finds the open run of a kind. Null: no run of this kind is open. */
  async findOpen(pipelineId: string, kind: ExtractionRunKind): Promise<Run | null> {
    const isOpen = this.sql`pipeline_id = ${pipelineId} and kind = ${kind} and status in ('queued', 'running')`;
    const [run] = await this.#findRuns(isOpen, 1, this.lookupSql);
    return run ?? null;
  }

  /** @throws AppError `not_found`. */
  async get(id: string): Promise<Run> {
    const [run] = await this.#findRuns(this.sql`id = ${id}`, 1, this.lookupSql);
    if (!run) throw new AppError('not_found', `Run ${id} does not exist.`);
    return run;
  }

  async list({ limit, cursor }: ListOptions, { pipelineId, kind, status }: RunFilter): Promise<List<Run>> {
    const sql = this.sql;
    const condition = sql`true
      ${pipelineId === null ? sql`` : sql`and pipeline_id = ${pipelineId}`}
      ${kind === null ? sql`` : sql`and kind = ${kind}`}
      ${status === null ? sql`` : sql`and status = ${status}`}
      ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}`;
    return toList(await this.#findRuns(condition, limit + 1), limit);
  }

  /**
   * Gets the usage for each day (UTC), pipeline and object of a period.
   * @param pipelineId null: all pipelines.
   */
  getUsage(period: UsagePeriod, pipelineId: string | null): Promise<Usage[]> {
    return getUsage(this.sql, period, pipelineId);
  }

  /**
   * Gets the usage for each day (UTC) of a period.
   * @param pipelineId null: the sums of all pipelines.
   */
  getUsageByDay(period: UsagePeriod, pipelineId: string | null): Promise<UsageByDay[]> {
    return getUsageByDay(this.sql, period, pipelineId);
  }

  /** Lists the pipelines with usage in a period, the pipeline with the most credits first. */
  listUsageByPipeline(period: UsagePeriod, options: ListOptions): Promise<List<UsageByPipeline>> {
    return listUsageByPipeline(this.sql, period, options);
  }

  /** Finds the newest runs, the freshness and the usage of the last `days` days of pipelines. */
  findActivity(pipelineIds: readonly string[], days: number): Promise<PipelineActivity[]> {
    return findPipelineActivity(this.sql, pipelineIds, days);
  }

  /** Summarizes all pipelines. */
  summarizePipelines(): Promise<PipelineSummary> {
    return getPipelineSummary(this.sql);
  }

  /** Finds runs by their ids. */
  find(ids: readonly string[]): Promise<Run[]> {
    return ids.length === 0 ? Promise.resolve([]) : this.#findRuns(this.sql`id = any(${[...ids]})`, ids.length);
  }

  /**
   * Cancels an open run: extraction stops, and stored batches are still loaded. A finished run
   * stays unchanged.
   * @throws AppError `not_found`.
   */
  async cancel(id: string): Promise<Run> {
    await this.sql.begin(async (tx) => {
      // Lock order: object runs before their run, in every transaction.
      await tx`select id from freshet.object_runs where run_id = ${id} order by id for no key update`;
      const [run] = await tx<{ status: RunStatus }[]>`
        select status from freshet.runs where id = ${id} for no key update`;
      if (!run) throw new AppError('not_found', `Run ${id} does not exist.`);
      if (run.status !== 'queued' && run.status !== 'running') return;
      await tx`
        update freshet.object_runs set status = 'cancelled', not_before = null, finished_at = now()
        where run_id = ${id} and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})`;
      await tx`update freshet.runs set status = 'cancelled', finished_at = now() where id = ${id}`;
    });
    return this.get(id);
  }

  /**
   * Resumes the open runs of a pipeline that was paused. Enqueues a job for each object run whose
   * extraction is open, because jobs that start while the pipeline is paused end without any work.
   */
  async resume(pipelineId: string): Promise<void> {
    await this.sql.begin(async (tx) => {
      const open = await tx<{ id: string }[]>`
        select id from freshet.object_runs
        where pipeline_id = ${pipelineId} and status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) and extracted_at is null
        for no key update`;
      for (const { id } of open) await enqueueExtract({ tx, queue: this.queue }, id, null);
    });
  }

  /**
   * Clears the position of an object, so that the object is extracted again from the start. For a
   * child object, the children of every parent are extracted again. The table stays available. If a
   * sync is open, it restarts the object.
   */
  restartObject(pipelineId: string, object: string): Promise<void> {
    return this.#updatePosition(pipelineId, object, () => null);
  }

  /**
   * Changes the position of an object. If a sync is open, it continues from the new position.
   * @throws AppError `conflict` when the object has not been extracted yet.
   */
  setPosition(
    pipelineId: string,
    object: string,
    update: (position: Record<string, unknown>) => Record<string, unknown>,
  ): Promise<void> {
    return this.#updatePosition(pipelineId, object, (position) => {
      if (position === null)
        throw new AppError(
          'conflict',
          `${object}: the object has not been extracted yet, so it has no position to change.`,
        );
      return update(position);
    });
  }

  async #updatePosition(
    pipelineId: string,
    object: string,
    update: (position: Record<string, unknown> | null) => Record<string, unknown> | null,
  ): Promise<void> {
    await this.sql.begin(async (tx) => {
      // Lock order: object runs before the object, in every transaction.
      const open = await tx<{ id: string }[]>`
        select o.id from freshet.object_runs o join freshet.runs r on r.id = o.run_id
        where o.pipeline_id = ${pipelineId} and o.object = ${object} and r.kind = 'sync' and o.extracted_at is null
          and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
        for no key update of o`;
      const [row] = await tx<{ position: Record<string, unknown> | null }[]>`
        select position from freshet.pipeline_objects
        where pipeline_id = ${pipelineId} and object = ${object} for no key update`;
      const position = update(row?.position ?? null);
      // The new epoch fences off the worker that holds the lease, and the new jobs replace its job.
      await tx`
        update freshet.pipeline_objects set extract_epoch = extract_epoch + 1,
          position = ${position === null ? null : tx.json(position as never)},
          restarted_at = case when ${position === null} then clock_timestamp() else restarted_at end
        where pipeline_id = ${pipelineId} and object = ${object}`;
      if (position === null) {
        await tx`update freshet.child_work set done_version = null
          where pipeline_id = ${pipelineId} and object = ${object}`;
        await tx`update freshet.failed_units set next_attempt_at = now()
          where pipeline_id = ${pipelineId} and object = ${object}`;
      }
      for (const { id } of open) await enqueueExtract({ tx, queue: this.queue }, id, null);
    });
  }

  /**
   * Finds runs with their object runs, newest first. Uses one statement, so that all rows belong to
   * the same snapshot.
   */
  async #findRuns(condition: Fragment, limit: number, sql: Sql = this.sql): Promise<Run[]> {
    // Arrays instead of objects: for a run with 26 objects, JSON without names takes PostgreSQL a
    // third less time.
    const rows = await sql<(Omit<Run, 'credits_per_minute' | 'objects'> & { readonly objects: unknown[][] })[]>`
      select ${buildColumnList(this.sql, runs)}, (
          select coalesce(
            json_agg(json_build_array(${buildColumnList(this.sql, objectRuns, INTERNAL_COLUMNS)}) order by object), '[]'
          )
          from freshet.object_runs where run_id = page.id
        ) as objects
      from freshet.runs page where ${condition} order by id desc limit ${limit}`;
    const active = rows.filter((run) => run.started_at !== null && run.finished_at === null);
    const limits = active.length === 0 ? new Map<string, number>() : await this.#findCreditLimits(active, sql);
    return rows.map((run) => ({
      ...run,
      objects: run.objects.map(parseObjectRun),
      credits_per_minute: limits.get(run.id) ?? null,
    }));
  }

  /** Finds the credits per minute that the pipelines of the runs may use, by the id of the run. */
  async #findCreditLimits(active: readonly { readonly id: string }[], sql: Sql): Promise<ReadonlyMap<string, number>> {
    const rows = await sql<{ id: string; credits: number }[]>`
      select r.id, (b.total * p.credit_share_percent / 100.0)::float8 as credits
      from freshet.runs r join freshet.pipelines p on p.id = r.pipeline_id
      join freshet.credit_buckets b on b.account = p.subdomain and b.bucket = 'account'
      where r.id = any(${active.map(({ id }) => id)}) and not b.unlimited`;
    return new Map(rows.map(({ id, credits }) => [id, credits]));
  }
}
