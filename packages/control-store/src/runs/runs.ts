import {
  AppError,
  CREDIT_CLASSES,
  type CreditClass,
  OPEN_OBJECT_RUN_STATUSES,
  type PipelinePriority,
  type ReadingRunKind,
  type RunKind,
  type RunStatus,
  type RunTrigger,
  traced,
  traceparent,
} from '@freshet/contracts';
import { columnsOf, type Fragment, type Sql, type Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { objectRuns, runs } from '../database/schema.ts';
import { checkSpike } from '../notifications/alerts.ts';
import { emit } from '../notifications/events.ts';
import { sendExtract } from '../work/jobs.ts';
import type { JobQueue } from '../work/queue.ts';
import { outstandingUnits } from './failed-units.ts';

export type ObjectRun = typeof objectRuns.$inferSelect;
export type Run = typeof runs.$inferSelect & {
  readonly objects: readonly ObjectRun[];
  /** Credits a minute that the account's limit leaves to the pipeline; null when there is no known limit. */
  readonly credits_per_minute: number | null;
};

export interface RunFilter {
  readonly pipelineId: string | null;
  readonly status: RunStatus | null;
  readonly kind: RunKind | null;
}

/** An audit reads the children again of parents that changed in so many days. */
const AUDITED_CHILDREN_DAYS = 30;

/** An object to be read by a run, and the order in which workers should take them up. */
export interface ObjectToRead {
  readonly name: string;
  /** `incremental` becomes `by_hand` in a run that somebody started. */
  readonly creditClass: CreditClass;
}

/** What one object of one pipeline has come to on one day. */
export interface Usage {
  readonly day: string;
  readonly pipeline_id: string;
  readonly object: string;
  readonly records_extracted: number;
  readonly records_loaded: number;
  readonly credits_used: number;
  readonly bytes_staged: number;
  readonly credits_by_class: Readonly<Record<CreditClass, number>>;
  /** The longest that its table was behind on that day; null: not known. */
  readonly lag_seconds: number | null;
}

/** `created` is false when the run was under way already. */
export interface StartedRun {
  readonly id: string;
  readonly created: boolean;
}

/** Runs and their object runs: started, read, cancelled, finished. */
export class Runs {
  readonly #sql: Sql;
  readonly #queue: JobQueue;

  constructor(sql: Sql, queue: JobQueue) {
    this.#sql = sql;
    this.#queue = queue;
  }

  /**
   * Starts a run: the run, its object runs and a job for each, in one transaction. If one of its kind is under way, that
   * is the run (two callers at once get the same one).
   */
  async start(
    pipelineId: string,
    trigger: RunTrigger,
    objects: readonly ObjectToRead[],
    kind: ReadingRunKind = 'sync',
  ): Promise<StartedRun> {
    return await this.#sql.begin(async (tx) => {
      const [pipeline] = await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
      if (!pipeline) throw new AppError('not_found', `There is no pipeline ${pipelineId}.`);
      return this.startIn(tx, pipelineId, trigger, objects, kind);
    });
  }

  /** The same in the caller's transaction, which holds the pipeline's row lock. */
  async startIn(
    tx: Tx,
    pipelineId: string,
    trigger: RunTrigger,
    objects: readonly ObjectToRead[],
    kind: ReadingRunKind,
  ): Promise<StartedRun> {
    const [pipeline] = await tx<{ priority: PipelinePriority; open: string | null }[]>`
      select priority, (select r.id from freshet.runs r where r.pipeline_id = p.id and r.kind = ${kind} and r.status in ('queued', 'running')) as open
      from freshet.pipelines p where id = ${pipelineId}`;
    if (!pipeline) throw new AppError('not_found', `There is no pipeline ${pipelineId}.`);
    if (pipeline.open !== null) return { id: pipeline.open, created: false };
    const id = uuidv7();
    // Whoever asks for it may be traced, and else its trace begins here.
    const cause = await traced(
      'start run',
      { attributes: { 'freshet.run_id': id, 'freshet.pipeline_id': pipelineId, 'freshet.kind': kind } },
      async () => traceparent(),
    );
    await tx`insert into freshet.runs (id, pipeline_id, kind, trigger, traceparent) values (${id}, ${pipelineId}, ${kind}, ${trigger}, ${cause})`;
    for (const { name, creditClass } of objects) {
      const own =
        kind === 'audit' ? 'audit' : trigger === 'manual' && creditClass === 'incremental' ? 'by_hand' : creditClass;
      const objectRunId = uuidv7();
      await tx`insert into freshet.pipeline_objects (pipeline_id, object) values (${pipelineId}, ${name}) on conflict do nothing`;
      // What was never read cannot be audited.
      const added = await tx`
        insert into freshet.object_runs (id, run_id, pipeline_id, object, credit_class, mode)
        select ${objectRunId}, ${id}, ${pipelineId}, ${name}, ${own},
          case when ${kind === 'audit'} then 'audit' when position is null or is_full_reading then 'full' else 'incremental' end
        from freshet.pipeline_objects where pipeline_id = ${pipelineId} and object = ${name} and (position is not null or ${kind === 'sync'})`;
      if (added.count === 0) continue;
      if (kind === 'sync') {
        await tx`update freshet.pipeline_objects set is_full_reading = false where pipeline_id = ${pipelineId} and object = ${name} and is_full_reading`;
      }
      if (kind === 'audit') {
        // Children: the parents that changed lately. An edited note or a bounced mail does not move its ticket, and comes within days.
        await tx`
          insert into freshet.audit_work (pipeline_id, object, key, reason, object_run_id)
          select pipeline_id, object, parent_id, 'parent', ${objectRunId} from freshet.child_work
          where pipeline_id = ${pipelineId} and object = ${name} and done_version = version
            and changed_at > now() - make_interval(days => ${AUDITED_CHILDREN_DAYS})
          on conflict (pipeline_id, object, key) do update set object_run_id = excluded.object_run_id, reason = excluded.reason, outcome = null`;
      }
      await sendExtract(this.#queue, tx, objectRunId, { creditClass: own, isLong: false, priority: pipeline.priority });
    }
    // Nothing to audit yet: it is over.
    if (kind === 'audit') await finishRunIfDone(tx, this.#queue, id);
    return { id, created: true };
  }

  async get(id: string): Promise<Run> {
    const [run] = await this.#found(this.#sql`id = ${id}`, 1);
    if (!run) throw new AppError('not_found', `There is no run ${id}.`);
    return run;
  }

  async list({ limit, cursor }: ListOptions, { pipelineId, kind, status }: RunFilter): Promise<List<Run>> {
    const sql = this.#sql;
    const where = sql`true
      ${pipelineId === null ? sql`` : sql`and pipeline_id = ${pipelineId}`}
      ${kind === null ? sql`` : sql`and kind = ${kind}`}
      ${status === null ? sql`` : sql`and status = ${status}`}
      ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}`;
    return toList(await this.#found(where, limit + 1), limit);
  }

  /**
   * What was read, loaded and spent, by day (UTC) of its run, pipeline and object, and how far behind its table was.
   * @param from, until days, both included.
   */
  async usage(from: string, until: string, pipelineId: string | null): Promise<Usage[]> {
    const mine = this.#sql`(${pipelineId}::uuid is null or pipeline_id = ${pipelineId})`;
    const sql = this.#sql;
    const byClass = CREDIT_CLASSES.map(
      (name, i) => sql`${name}::text, sum(o.credits_by_class[${i + 1}::int])::float8`,
    ).reduce((so, next) => sql`${so}, ${next}`);
    const nothing = Object.fromEntries(CREDIT_CLASSES.map((name) => [name, 0]));
    return await sql<Usage[]>`
      with used as (
        select to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD') as day, r.pipeline_id, o.object, sum(o.records_extracted)::float8 as records_extracted,
          sum(o.records_inserted + o.records_updated)::float8 as records_loaded, sum(o.credits_used)::float8 as credits_used,
          jsonb_build_object(${byClass}) as credits_by_class,
          sum(o.bytes_staged)::float8 as bytes_staged
        from freshet.runs r join freshet.object_runs o on o.run_id = r.id
        where r.created_at >= ${from}::date::timestamp at time zone 'UTC' and r.created_at < (${until}::date + 1)::timestamp at time zone 'UTC'
          and (${pipelineId}::uuid is null or r.pipeline_id = ${pipelineId})
        group by 1, 2, 3 having sum(o.records_extracted) + sum(o.credits_used) > 0
      ), gap as (
        select pipeline_id, object, since, until from freshet.lags where until >= ${from}::date::timestamp at time zone 'UTC' and ${mine}
        union all
        -- And the time that goes on still.
        select pipeline_id, object, complete_as_of, now() from freshet.pipeline_objects po join freshet.pipelines p on p.id = pipeline_id
        where p.status = 'active' and complete_as_of is not null and coalesce((p.objects -> po.object ->> 'included')::boolean, true) and ${mine}
      ), behind as (
        -- A table that stood still for days was further behind on each of them.
        select to_char(d, 'YYYY-MM-DD') as day, pipeline_id, object,
          max(extract(epoch from least(until, (d + interval '1 day') at time zone 'UTC') - since))::float8 as lag_seconds
        from gap, generate_series(
          greatest(${from}::date, (since at time zone 'UTC')::date)::timestamp, least(${until}::date, (until at time zone 'UTC')::date)::timestamp, interval '1 day'
        ) as d
        group by 1, 2, 3
      )
      select day, pipeline_id, object, coalesce(records_extracted, 0) as records_extracted, coalesce(records_loaded, 0) as records_loaded,
        coalesce(credits_used, 0) as credits_used,
        coalesce(credits_by_class, ${sql.json(nothing)}) as credits_by_class, coalesce(bytes_staged, 0) as bytes_staged, lag_seconds
      from used full join behind using (day, pipeline_id, object) order by day desc, pipeline_id, object`;
  }

  /** What is stored stays stored and is loaded; nothing more is read. A run that is over stays as it is. */
  async cancel(id: string): Promise<Run> {
    await this.#sql.begin(async (tx) => {
      // Object runs before their run: the order in which everybody locks them.
      await tx`select id from freshet.object_runs where run_id = ${id} order by id for no key update`;
      const [run] = await tx<
        { status: RunStatus }[]
      >`select status from freshet.runs where id = ${id} for no key update`;
      if (!run) throw new AppError('not_found', `There is no run ${id}.`);
      if (run.status !== 'queued' && run.status !== 'running') return;
      await tx`
        update freshet.object_runs set status = 'cancelled', not_before = null, finished_at = now()
        where run_id = ${id} and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})`;
      await tx`update freshet.runs set status = 'cancelled', finished_at = now() where id = ${id}`;
    });
    return this.get(id);
  }

  /** Sends a job for every object run that a pause has left without one. */
  async resume(pipelineId: string): Promise<void> {
    await this.#sql.begin(async (tx) => {
      const open = await tx<{ id: string }[]>`
        select id from freshet.object_runs
        where pipeline_id = ${pipelineId} and status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) and extracted_at is null for no key update`;
      for (const { id } of open) await sendExtract(this.#queue, tx, id, null);
    });
  }

  /**
   * Forgets where an object's reading stands: it is read again from the start, children of every parent, while its table
   * stays as it is. A run under way begins with it anew.
   */
  restartObject(pipelineId: string, object: string): Promise<void> {
    return this.#move(pipelineId, object, () => null);
  }

  /** Puts an object's reading at another position. A run under way goes on from there. */
  moveObject(
    pipelineId: string,
    object: string,
    position: (known: Record<string, unknown>) => Record<string, unknown>,
  ): Promise<void> {
    return this.#move(pipelineId, object, (known) => {
      if (known === null) throw new AppError('conflict', `${object} was not read yet: it has no position to change.`);
      return position(known);
    });
  }

  async #move(
    pipelineId: string,
    object: string,
    to: (known: Record<string, unknown> | null) => Record<string, unknown> | null,
  ): Promise<void> {
    await this.#sql.begin(async (tx) => {
      // Object runs before the object: the order in which everybody locks them.
      const open = await tx<{ id: string }[]>`
        select o.id from freshet.object_runs o join freshet.runs r on r.id = o.run_id
        where o.pipeline_id = ${pipelineId} and o.object = ${object} and r.kind = 'sync' and o.extracted_at is null
          and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
        for no key update of o`;
      const [row] = await tx<{ position: Record<string, unknown> | null }[]>`
        select position from freshet.pipeline_objects where pipeline_id = ${pipelineId} and object = ${object} for no key update`;
      const position = to(row?.position ?? null);
      // A worker in the middle of it is fenced off, and its job with it: another takes its place.
      await tx`
        update freshet.pipeline_objects set extract_epoch = extract_epoch + 1, position = ${position === null ? null : tx.json(position as never)},
          restarted_at = case when ${position === null} then clock_timestamp() else restarted_at end
        where pipeline_id = ${pipelineId} and object = ${object}`;
      if (position === null) {
        await tx`update freshet.child_work set done_version = null where pipeline_id = ${pipelineId} and object = ${object}`;
        await tx`update freshet.failed_units set next_attempt_at = now() where pipeline_id = ${pipelineId} and object = ${object}`;
      }
      for (const { id } of open) await sendExtract(this.#queue, tx, id, null);
    });
  }

  /** Runs with their object runs, newest first: in one statement, so that they belong to the same moment. */
  async #found(where: Fragment, limit: number): Promise<Run[]> {
    const rows = await this.#sql<
      ({ run: typeof runs.$inferSelect; object_run: boolean; credits_per_minute: number | null } & ObjectRun)[]
    >`
      select to_jsonb(page) as run, o.id is not null as object_run, o.*,
        case when page.finished_at is null then (
          select b.total * p.credit_share_percent / 100.0 from freshet.pipelines p join freshet.credit_buckets b on b.account = p.subdomain and b.bucket = 'account'
          where p.id = page.pipeline_id and not b.unlimited
        ) end::float8 as credits_per_minute
      from (select ${columnsOf(this.#sql, runs)} from freshet.runs where ${where} order by id desc limit ${limit}) page
        left join (select ${columnsOf(this.#sql, objectRuns)} from freshet.object_runs) o on o.run_id = page.id
      order by page.id desc, o.object`;
    const found = new Map<string, Run & { readonly objects: ObjectRun[] }>();
    for (const { run, object_run: isObjectRun, credits_per_minute, ...objectRun } of rows) {
      const known = found.get(run.id) ?? { ...run, ...datesOf(run), objects: [], credits_per_minute };
      found.set(run.id, known);
      if (isObjectRun) known.objects.push(objectRun);
    }
    return [...found.values()];
  }
}

/** JSON has times as texts. */
function datesOf({
  created_at,
  started_at,
  finished_at,
}: typeof runs.$inferSelect): Pick<typeof runs.$inferSelect, 'created_at' | 'started_at' | 'finished_at'> {
  const date = (text: Date | null) => (text === null ? null : new Date(text));
  return { created_at: new Date(created_at), started_at: date(started_at), finished_at: date(finished_at) };
}

/*
 * Rows are locked FOR NO KEY UPDATE throughout: a second change of a row in one transaction checks its foreign keys
 * again, with a share lock on the row they point at, and two transactions that both hold one and then want the
 * stronger FOR UPDATE wait for each other for ever.
 */

/**
 * Finishes an object run whose reading and loading are both done, and then its run if it was the last. Callers
 * hold the object run's row lock, so of two that bring the last piece at once, the second sees the first's.
 */
export async function finishIfDone(tx: Tx, queue: JobQueue, objectRunId: string): Promise<void> {
  const outstanding = await outstandingUnits(tx, objectRunId);
  const isPartial = outstanding.units > 0;
  // Counts that do not agree are a run that has not succeeded, however far it came.
  const finished = await tx<{ run_id: string; status: string }[]>`
    update freshet.object_runs o set
      status = case when agreed then ${isPartial ? 'partial' : 'succeeded'} else 'failed' end,
      units_failed = ${outstanding.units},
      error_code = case when agreed then ${outstanding.code} else 'bug' end,
      error_message = case when agreed then ${isPartial ? outstandingMessage(outstanding) : null} else 'Counts do not agree: ' || records_extracted || ' records read, ' || counted || ' accounted for.' end,
      not_before = null,
      finished_at = now()
    from (
      select id,
        records_inserted + records_updated + records_unchanged + records_rejected as counted,
        records_extracted = records_inserted + records_updated + records_unchanged + records_rejected as agreed
      from freshet.object_runs where id = ${objectRunId}
    ) sums
    where o.id = sums.id and o.extracted_at is not null and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
      and not exists (select from freshet.batches b where b.object_run_id = o.id and b.loaded_at is null)
    returning o.run_id, o.status`;
  const [done] = finished;
  if (!done) return;
  if (done.status === 'failed') await tellOfFailure(tx, queue, objectRunId);
  await finishRunIfDone(tx, queue, done.run_id);
}

function outstandingMessage({ units, message }: { readonly units: number; readonly message: string | null }): string {
  const what = units === 1 ? '1 unit could not be read and is' : `${units} units could not be read and are`;
  return `${what} set aside; everything else is complete. List failed units for the keys. Last error: ${message ?? 'unknown'}`;
}

/**
 * Finishes a run whose object runs are all finished, and emits its event. Object runs with the warning `object_unavailable` count
 * neither for nor against its status. The run is `succeeded` if all others succeeded, and `failed` if none brought anything.
 */
export async function finishRunIfDone(tx: Tx, queue: JobQueue, runId: string): Promise<void> {
  await tx`select id from freshet.runs where id = ${runId} for no key update`;
  const [over] = await tx<{ status: 'succeeded' | 'partial' | 'failed'; pipeline_id: string; kind: RunKind }[]>`
    update freshet.runs r set
      finished_at = now(),
      status = case when ok = required and (ok > 0 or ignored = 0) then 'succeeded' when ok = 0 and not any_partial then 'failed' else 'partial' end
    from (
      select count(*) filter (where status = 'succeeded') as ok, coalesce(bool_or(status = 'partial'), false) as any_partial,
        count(*) filter (where status <> 'skipped' and not is_ignored) as required,
        count(*) filter (where is_ignored) as ignored,
        count(*) filter (where status = any(${[...OPEN_OBJECT_RUN_STATUSES]})) as open
      from (select status, warnings @> '[{"code": "object_unavailable"}]' as is_ignored from freshet.object_runs where run_id = ${runId}) o
    ) sums
    where r.id = ${runId} and r.status in ('queued', 'running') and sums.open = 0
    returning r.status, r.pipeline_id, r.kind`;
  if (!over) return;
  const [sums] = await tx`
    select coalesce(sum(records_inserted + records_updated), 0)::float8 as records_loaded, coalesce(sum(records_rejected), 0)::float8 as records_rejected,
      coalesce(sum(credits_used), 0)::float8 as credits_used
    from freshet.object_runs where run_id = ${runId}`;
  if (over.kind === 'sync') await checkSpike(tx, queue, over.pipeline_id, runId);
  await emit(tx, queue, `run.${over.status}`, {
    pipeline_id: over.pipeline_id,
    run_id: runId,
    kind: over.kind,
    status: over.status,
    ...sums,
  });
}

/** An object run has failed: webhooks are told, and those for a key that Freshdesk refuses. */
export async function tellOfFailure(tx: Tx, queue: JobQueue, objectRunId: string): Promise<void> {
  const [row] = await tx<
    { run_id: string; pipeline_id: string; object: string; code: string; message: string; credential_id: string }[]
  >`
    select o.run_id, o.pipeline_id, o.object, o.error_code as code, o.error_message as message, p.credential_id
    from freshet.object_runs o join freshet.pipelines p on p.id = o.pipeline_id where o.id = ${objectRunId}`;
  if (!row) return;
  const { run_id, pipeline_id, object, code, message, credential_id } = row;
  await emit(tx, queue, 'object.failed', { pipeline_id, run_id, object, error: { code, message } });
  if (code === 'source_auth')
    await emit(tx, queue, 'credential.refused', { pipeline_id, run_id, credential_id, error: { code, message } });
}
