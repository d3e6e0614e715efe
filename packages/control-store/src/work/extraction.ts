import { randomBytes } from 'node:crypto';
import {
  AppError,
  type Column,
  CREDIT_CLASSES,
  type CreditClass,
  type CreditsSpent,
  type ErrorCode,
  type FieldRules,
  type NewWarning,
  type ObjectRunStatus,
  OPEN_OBJECT_RUN_STATUSES,
  type PipelinePriority,
  type RunMode,
  type Unavailability,
  unavailableWarning,
} from '@freshet/contracts';
import type { Fragment, Sql, Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { clearFailedUnits, dueWithinRun, isSetAside, recordFailedUnits } from '../runs/failed-units.ts';
import { finishIfDone, finishRunIfDone, tellOfFailure } from '../runs/runs.ts';
import { addWarnings } from '../runs/warnings.ts';
import type { SecretBox } from '../security/secret-box.ts';
import { sendExtract, sendLoad, type Urgency } from './jobs.ts';
import type { JobQueue } from './queue.ts';

/** An object run in the hands of one worker. */
export interface Claim {
  readonly objectRunId: string;
  readonly runId: string;
  readonly pipelineId: string;
  readonly object: string;
  /** The span that has asked for the run. */
  readonly traceparent: string | null;
  /** Whoever claims later has a greater one, and this worker can then change nothing more. */
  readonly epoch: number;
  readonly failures: number;
  /** Units of the work list that earlier slices of the object run have read or set aside. */
  readonly unitsDone: number;
  readonly mode: RunMode;
  /** Records that earlier slices of the object run have extracted. */
  readonly recordsExtracted: number;
  /** Records that the reading is expected to bring; null when that is not known. */
  readonly recordsExpected: number | null;
  /** No slice of this object run came before. */
  readonly isFirstSlice: boolean;
  readonly position: Record<string, unknown> | null;
  readonly subdomain: string;
  readonly credentialId: string;
  readonly sharePercent: number;
  readonly historyFrom: Date | null;
  /** The past is read until then, and on by the next run: other objects, and those of other pipelines, must not wait for it. */
  readonly pastUntil: Date;
  readonly creditClass: CreditClass;
  readonly urgency: Urgency;
  /** An audit has a position of its own, in which the object's stands as it was when the audit began. */
  readonly isAudit: boolean;
  /** Each record is completed by what only its own address shows. */
  readonly detail: boolean;
  readonly fieldRules: FieldRules;
  /** What its hashes are salted with; null: no field is hashed. */
  readonly hashSalt: Buffer | null;
  /** The control database's clock when the object run was claimed. All workers share it. */
  readonly databaseTime: Date;
}

/** How much of the time between two runs one may spend on the past: it should be over when the next is due. */
const PAST_SHARE = 0.9;

/** Before the end a reading is never reported as complete. */
const PROGRESS_MAX = 0.99;

/** A warehouse that holds everything up is tried again this often for each table, however many objects wait for it. */
const RELOAD_SECONDS = 30;

/** One or a few pages, to be stored together. */
export interface Step {
  readonly position: Record<string, unknown>;
  readonly customColumns: readonly Column[] | null;
  /** Null when the pages held nothing to load. */
  readonly batch: StagedBatch | null;
  /** Records that were left out, because they belong to somebody who is erased. */
  readonly erased: readonly {
    readonly key: string;
    readonly owner: { readonly object: string; readonly key: string };
  }[];
  readonly work: readonly ParentVersion[];
  readonly settled: readonly Settled[];
  /** Units that could not be read: they are set aside and offered again later. */
  readonly failed: readonly FailedUnit[];
  /** Share of the reading that is done, from 0 to 1; null when it is not known. */
  readonly progress: number | null;
  readonly credits: CreditsSpent;
  /** Conditions to report with the object run. Absent: none. */
  readonly warnings?: readonly NewWarning[];
  /** How far the reading has come; null: no further than before. Null within: not known, as for children of an object that is not read. */
  readonly reached: { readonly completeAsOf: Date | null; readonly completeBackTo: Date | null } | null;
  /** The reading is finished. */
  readonly finished: boolean;
}

export interface StagedBatch {
  readonly body: Buffer;
  readonly rawBytes: number;
  readonly records: number;
  readonly generation: string | null;
  readonly extractedAt: Date;
}

/** A parent whose children are to be read, or have been, at a version. */
export interface ParentVersion {
  readonly object: string;
  readonly parentId: string;
  readonly version: string;
  /** Its list was empty where the warehouse has rows. */
  readonly doubted?: boolean | undefined;
}

/** One that is done with; an audit says what it was found to be, and whether it needs to be asked for again. */
interface Settled extends ParentVersion {
  readonly outcome?: { readonly name: string; readonly lasting: boolean } | undefined;
}

/** A parent whose children cannot be read, or a record whose own address fails. */
export interface FailedUnit {
  readonly object: string;
  readonly key: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Where a child's parent stands in the same run. */
export type ParentState =
  | { readonly state: 'reading'; readonly progress: number | null }
  | { readonly state: 'done'; readonly completeAsOf: Date | null; readonly completeBackTo: Date | null }
  | { readonly state: 'stopped'; readonly status: ObjectRunStatus };

/** What the extract worker needs to keep: every step is one transaction (I1). */
export class Extraction {
  readonly #sql: Sql;
  readonly #queue: JobQueue;
  readonly #box: SecretBox;

  constructor(sql: Sql, queue: JobQueue, box: SecretBox) {
    this.#sql = sql;
    this.#queue = queue;
    this.#box = box;
  }

  /** Takes an object run over; null when there is nothing (more) to read, or its pipeline is paused. */
  async claim(objectRunId: string): Promise<Claim | null> {
    return await this.#sql.begin(async (tx) => {
      const [found] = await tx<ClaimRow[]>`
        select o.run_id, o.pipeline_id, o.object, o.failures, o.units_done, o.records_extracted, o.records_expected, o.started_at is null as is_first_slice, p.subdomain, p.credential_id, p.credit_share_percent,
          p.historical_sync_days, p.frequency_minutes, r.created_at, r.traceparent, o.credit_class, o.is_long, p.priority, o.mode,
          coalesce((p.objects -> o.object ->> 'detail')::boolean, false) as detail,
          coalesce(p.objects -> o.object -> 'columns', '{}') as field_rules, p.hash_salt, clock_timestamp() as database_time
        from freshet.object_runs o join freshet.pipelines p on p.id = o.pipeline_id join freshet.runs r on r.id = o.run_id
        where o.id = ${objectRunId} and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) and o.extracted_at is null and p.status = 'active'
        for no key update of o`;
      if (!found) return null;
      const isRefresh = found.mode === 'refresh';
      const isAudit = found.mode === 'audit' || isRefresh;
      const [taken] = isAudit
        ? await tx<Taken[]>`
            update freshet.object_runs o set extract_epoch = o.extract_epoch + 1, position = coalesce(o.position, jsonb_build_object('synced', po.position)
                || case when ${isRefresh} then jsonb_build_object('confirming', true, 'refresh', true) else '{}' end)
            from freshet.pipeline_objects po where o.id = ${objectRunId} and po.pipeline_id = o.pipeline_id and po.object = o.object
            returning o.extract_epoch, o.position`
        : await tx<Taken[]>`
            update freshet.pipeline_objects set extract_epoch = extract_epoch + 1
            where pipeline_id = ${found.pipeline_id} and object = ${found.object}
            returning extract_epoch, position`;
      if (!taken) return null;
      await tx`
        update freshet.object_runs set status = 'running', not_before = null, started_at = coalesce(started_at, now()) where id = ${objectRunId}`;
      await tx`update freshet.runs set status = 'running', started_at = coalesce(started_at, now()) where id = ${found.run_id} and status = 'queued'`;
      const days = found.historical_sync_days;
      return {
        objectRunId,
        runId: found.run_id,
        pipelineId: found.pipeline_id,
        object: found.object,
        traceparent: found.traceparent,
        epoch: Number(taken.extract_epoch),
        failures: found.failures,
        unitsDone: Number(found.units_done),
        mode: found.mode,
        recordsExtracted: Number(found.records_extracted),
        recordsExpected: found.records_expected === null ? null : Number(found.records_expected),
        isFirstSlice: found.is_first_slice,
        position: taken.position,
        subdomain: found.subdomain,
        credentialId: found.credential_id,
        sharePercent: found.credit_share_percent,
        // Counted from the run's start, so that every slice of it means the same day.
        historyFrom: days === null ? null : new Date(found.created_at.getTime() - days * 86_400_000),
        pastUntil: new Date(found.created_at.getTime() + found.frequency_minutes * 60_000 * PAST_SHARE),
        creditClass: found.credit_class,
        urgency: { creditClass: found.credit_class, isLong: found.is_long, priority: found.priority },
        isAudit,
        detail: found.detail,
        fieldRules: found.field_rules,
        hashSalt: await this.#saltFor(tx, found),
        databaseTime: found.database_time,
      };
    });
  }

  /** Made once for a pipeline: equal values stay equal from run to run, and from object to object. */
  async #saltFor(tx: Tx, { pipeline_id: id, field_rules, hash_salt }: ClaimRow): Promise<Buffer | null> {
    if (!Object.values(field_rules).some((rule) => rule.hash === true)) return null;
    const boundTo = `pipelines/${id}/hash_salt`;
    if (hash_salt !== null) return Buffer.from(this.#box.open(hash_salt, boundTo), 'base64');
    const salt = randomBytes(32);
    const [made] = await tx`
      update freshet.pipelines set hash_salt = ${this.#box.seal(salt.toString('base64'), boundTo)} where id = ${id} and hash_salt is null returning id`;
    if (made) return salt;
    const [row] = await tx<{ hash_salt: string }[]>`select hash_salt from freshet.pipelines where id = ${id}`;
    return Buffer.from(this.#box.open(row?.hash_salt ?? '', boundTo), 'base64');
  }

  /**
   * Stores one step: batch, position, child work, counters and load job, or nothing of it.
   * @returns the id of the batch; null: there was none.
   * @throws AppError `fenced` when another worker has taken over, or the run was cancelled or its pipeline paused.
   */
  async commit(claim: Claim, step: Step): Promise<string | null> {
    const batchId = step.batch === null ? null : uuidv7();
    await this.#sql.begin(async (tx) => {
      await this.#hold(tx, claim);
      if (claim.isAudit)
        await tx`update freshet.object_runs set position = ${tx.json(step.position as never)} where id = ${claim.objectRunId}`;
      else
        await tx`
        update freshet.pipeline_objects set
          position = ${tx.json(step.position as never)},
          custom_columns = ${step.customColumns === null ? tx`custom_columns` : tx.json(step.customColumns as never)}
          ${provesAccess(step) ? tx`, availability = 'available', availability_message = null, first_read_at = coalesce(first_read_at, now())` : tx``}
        where pipeline_id = ${claim.pipelineId} and object = ${claim.object}`;
      await tx`
        update freshet.object_runs set
          records_extracted = records_extracted + ${step.batch?.records ?? 0},
          bytes_staged = bytes_staged + ${step.batch?.rawBytes ?? 0},
          ${spent(tx, step.credits)},
          units_done = units_done + ${step.settled.length + step.failed.length},
          progress = ${step.progress === null ? tx`progress` : tx`greatest(progress, ${Math.min(step.progress, PROGRESS_MAX)}::float8)`},
          failures = 0
        where id = ${claim.objectRunId}`;
      await addWarnings(tx, claim.objectRunId, step.warnings ?? []);
      if (step.batch !== null && batchId !== null) await this.#stage(tx, claim, batchId, step.batch);
      await keepOut(tx, claim, step.erased);
      await addWork(tx, claim.pipelineId, step.work);
      if (claim.isAudit) await settleAudit(tx, claim, [...step.settled, ...step.failed.map(unreadable)]);
      else await settleWork(tx, claim.pipelineId, step.settled);
      await clearFailedUnits(tx, claim.pipelineId, step.settled);
      await recordFailedUnits(tx, claim, step.failed);
      if (step.reached !== null) {
        await tx`
          update freshet.object_runs set complete_as_of = ${step.reached.completeAsOf}, complete_back_to = ${step.reached.completeBackTo}
          where id = ${claim.objectRunId}`;
      }
      if (!step.finished) return;
      // What the loader has doubted meanwhile is to be read again first.
      const [doubted] = await tx`
        select 1 from freshet.child_work
        where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and doubted and done_version is distinct from version and ${!claim.isAudit}
          and not exists (${isSetAside(tx, tx`child_work.parent_id`, claim)}) limit 1`;
      if (doubted) {
        await sendExtract(this.#queue, tx, claim.objectRunId, claim.urgency);
        return;
      }
      // A parent that failed for the first time gets a second attempt in the same run: the failure may have been brief.
      const retryInMs = claim.isAudit ? null : await dueWithinRun(tx, claim);
      if (retryInMs !== null) {
        await sendExtract(this.#queue, tx, claim.objectRunId, claim.urgency, retryInMs);
        return;
      }
      // And what was asked for meanwhile.
      const [asked] =
        await tx`select 1 from freshet.audit_work where object_run_id = ${claim.objectRunId} and outcome is null limit 1`;
      if (asked) {
        await sendExtract(this.#queue, tx, claim.objectRunId, claim.urgency);
        return;
      }
      await tx`update freshet.object_runs set extracted_at = now() where id = ${claim.objectRunId}`;
      if (claim.isAudit)
        await tx`delete from freshet.audit_work where object_run_id = ${claim.objectRunId} and not lasting`;
      await finishIfDone(tx, this.#queue, claim.objectRunId);
    });
    return batchId;
  }

  /** Ends a slice: the job goes back, to be taken up again after a while. */
  async handOn(
    claim: Claim,
    options: {
      readonly afterMs: number;
      readonly status: 'running' | 'waiting_for_credits';
      readonly failed?: AppError | undefined;
      readonly credits: CreditsSpent;
      /** A whole slice was not enough. */
      readonly isLong?: boolean;
    },
  ): Promise<void> {
    await this.#sql.begin(async (tx) => {
      await this.#hold(tx, claim);
      await tx`
        update freshet.object_runs set
          status = ${options.status},
          not_before = ${options.afterMs > 0 ? new Date(Date.now() + options.afterMs) : null},
          ${spent(tx, options.credits)},
          failures = failures + ${options.failed ? 1 : 0},
          is_long = is_long or ${options.isLong ?? false},
          error_code = ${options.failed?.code ?? null},
          error_message = ${options.failed?.message ?? null}
        where id = ${claim.objectRunId}`;
      const urgency = { ...claim.urgency, isLong: claim.urgency.isLong || (options.isLong ?? false) };
      await sendExtract(this.#queue, tx, claim.objectRunId, urgency, options.afterMs);
    });
  }

  /** What a pipeline has read and not loaded yet, in bytes as they are stored. */
  async unloadedBytes(claim: Claim): Promise<number> {
    const [row] = await this.#sql<{ bytes: number }[]>`
      select coalesce(sum(pg_column_size(body)), 0)::float8 as bytes from freshet.batches where pipeline_id = ${claim.pipelineId} and loaded_at is null`;
    return row?.bytes ?? 0;
  }

  /** Ends a slice until the warehouse has caught up, and makes sure that somebody loads what waits for it. */
  async holdBack(claim: Claim, error: AppError, afterMs: number, credits: CreditsSpent): Promise<void> {
    await this.#sql.begin(async (tx) => {
      await this.#hold(tx, claim);
      await tx`
        update freshet.object_runs set not_before = ${new Date(Date.now() + afterMs)}, ${spent(tx, credits)},
          error_code = ${error.code}, error_message = ${error.message}
        where id = ${claim.objectRunId}`;
      await sendExtract(this.#queue, tx, claim.objectRunId, claim.urgency, afterMs);
      // A load that was given up is taken up by the next batch, and there will be none.
      const waiting = await tx<{ object: string }[]>`
        select distinct object from freshet.batches where pipeline_id = ${claim.pipelineId} and loaded_at is null order by object`;
      for (const { object } of waiting) {
        await sendLoad(this.#queue, tx, { pipelineId: claim.pipelineId, object }, null, {
          onceInSeconds: RELOAD_SECONDS,
        });
      }
    });
  }

  /** Ends an object run that cannot go on; the others do (I7). What is stored of it is loaded all the same. */
  async stop(
    claim: Claim,
    status: 'failed' | 'forbidden' | 'not_in_plan',
    error: { readonly code: ErrorCode; readonly message: string },
    credits: CreditsSpent,
  ): Promise<void> {
    // A key that is refused is refused to all of them: the others would only spend credits to hear it.
    const isForAll = status === 'failed' && error.code === 'source_auth';
    await this.#sql.begin(async (tx) => {
      // In the order in which everybody locks them.
      if (isForAll)
        await tx`select id from freshet.object_runs where run_id = ${claim.runId} order by id for no key update`;
      await this.#hold(tx, claim);
      if (isForAll) {
        await tx`
          update freshet.object_runs set status = 'failed', error_code = ${error.code}, error_message = ${error.message}, not_before = null, finished_at = now()
          where run_id = ${claim.runId} and id <> ${claim.objectRunId} and extracted_at is null and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})`;
      }
      await tx`
        update freshet.object_runs set status = ${status}, error_code = ${error.code}, error_message = ${error.message}, finished_at = now(),
          ${spent(tx, credits)}
        where id = ${claim.objectRunId}`;
      if (status !== 'failed') await this.#markUnavailable(tx, claim, status, error.message);
      if (status === 'failed') await tellOfFailure(tx, this.#queue, claim.objectRunId);
      await finishRunIfDone(tx, this.#queue, claim.runId);
    });
  }

  /**
   * Stores that the API key cannot read an object. If no key ever could, and no user included the object by name, this is a
   * warning of the object run instead of a failure of the run.
   */
  async #markUnavailable(tx: Tx, claim: Claim, availability: Unavailability, reason: string): Promise<void> {
    const [row] = await tx<{ is_required: boolean }[]>`
      update freshet.pipeline_objects po set availability = ${availability}, availability_message = ${reason}
      from freshet.pipelines p
      where po.pipeline_id = ${claim.pipelineId} and po.object = ${claim.object} and p.id = po.pipeline_id
      returning po.first_read_at is not null or po.complete_as_of is not null
        or coalesce((p.objects -> po.object ->> 'included')::boolean, false) as is_required`;
    if (row?.is_required === false)
      await addWarnings(tx, claim.objectRunId, [unavailableWarning(claim.object, reason)]);
  }

  /** The next parents whose children are to be read, longest waiting first; none twice in one slice. */
  nextParents(claim: Claim): (limit: number) => Promise<ParentVersion[]> {
    if (claim.isAudit) return this.#nextInAudit(claim);
    let after: { changed_at: string; parent_id: string } | null = null;
    return async (limit) => {
      const rows = await this.#sql<{ parent_id: string; version: string; changed_at: string; doubted: boolean }[]>`
        select parent_id, version, changed_at::text, doubted from freshet.child_work
        where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and done_version is distinct from version
          and not exists (${isSetAside(this.#sql, this.#sql`child_work.parent_id`, claim)})
          -- As text: the driver would cut a time to milliseconds, and the same parent would come again.
          ${after === null ? this.#sql`` : this.#sql`and (changed_at, parent_id) > (${after.changed_at}::text::timestamptz, ${after.parent_id})`}
        order by changed_at, parent_id limit ${limit}`;
      const last = rows.at(-1);
      if (last) after = { changed_at: last.changed_at, parent_id: last.parent_id };
      return rows.map(({ parent_id, version, doubted }) => ({
        object: claim.object,
        parentId: parent_id,
        version,
        doubted,
      }));
    };
  }

  /** Records whose lookup failed before and is due again, those that wait longest first; none twice in one slice. */
  dueLookups(claim: Claim): (limit: number) => Promise<ParentVersion[]> {
    let after = '';
    return async (limit) => {
      const rows = await this.#sql<{ key: string }[]>`
        select key from freshet.failed_units
        where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and next_attempt_at <= now() and key > ${after} order by key limit ${limit}`;
      after = rows.at(-1)?.key ?? after;
      return rows.map(({ key }) => ({ object: claim.object, parentId: key, version: 'asked' }));
    };
  }

  /** Parents whose children were read before: evidence that the endpoint works. */
  async readableParents(claim: Claim): Promise<ParentVersion[]> {
    const rows = await this.#sql<{ parent_id: string; version: string }[]>`
      select parent_id, version from freshet.child_work
      where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and done_version is not null
        and not exists (select from freshet.failed_units f where f.pipeline_id = child_work.pipeline_id and f.object = child_work.object and f.key = parent_id)
      limit 3`;
    return rows.map(({ parent_id, version }) => ({ object: claim.object, parentId: parent_id, version }));
  }

  /** Records that the last complete reading of the object brought; null when there was none. */
  async lastRecordCount(claim: Claim): Promise<number | null> {
    const [row] = await this.#sql<{ records: number }[]>`
      select o.records_extracted::float8 as records from freshet.runs r join freshet.object_runs o on o.run_id = r.id and o.object = ${claim.object}
      where r.pipeline_id = ${claim.pipelineId} and r.kind = 'sync' and o.status = 'succeeded' order by r.id desc limit 1`;
    return row?.records ?? null;
  }

  /** Stores how many records the object run is expected to bring. */
  async expectRecords(claim: Claim, records: number): Promise<void> {
    await this
      .#sql`update freshet.object_runs set records_expected = ${records} where id = ${claim.objectRunId} and records_expected is null`;
  }

  /** Units of the work list that are not read yet. */
  async pendingUnits(claim: Claim): Promise<number> {
    const [row] = claim.isAudit
      ? await this.#sql<
          { n: number }[]
        >`select count(*)::int as n from freshet.audit_work where object_run_id = ${claim.objectRunId} and outcome is null`
      : await this.#sql<{ n: number }[]>`
          select count(*)::int as n from freshet.child_work
          where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and done_version is distinct from version`;
    return row?.n ?? 0;
  }

  #nextInAudit(claim: Claim): (limit: number) => Promise<ParentVersion[]> {
    let after = '';
    return async (limit) => {
      const rows = await this.#sql<{ key: string; reason: string }[]>`
        select key, reason from freshet.audit_work where object_run_id = ${claim.objectRunId} and outcome is null and key > ${after} order by key limit ${limit}`;
      after = rows.at(-1)?.key ?? after;
      return rows.map(({ key, reason }) => ({ object: claim.object, parentId: key, version: reason }));
    };
  }

  /**
   * The latest completeness claim of an object that was not ahead of the clock when it was made.
   * @returns null when no run has made one.
   */
  async lastCertainCompleteness(claim: Claim): Promise<Date | null> {
    const [row] = await this.#sql<{ certain: Date | null }[]>`
      select max(complete_as_of) as certain from freshet.object_runs
      where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and mode in ('full', 'incremental') and extracted_at is not null
        and complete_as_of <= extracted_at`;
    return row?.certain ?? null;
  }

  /** Whether everything that this object run has stored is loaded. */
  async isLoaded(claim: Claim): Promise<boolean> {
    const [row] = await this
      .#sql`select 1 from freshet.batches where object_run_id = ${claim.objectRunId} and loaded_at is null limit 1`;
    return row === undefined;
  }

  /** Whether a child's parent has been read to its end in this run; a parent that is not part of it is done. */
  async parentState(claim: Claim, parent: string): Promise<ParentState> {
    const [row] = await this.#sql<
      {
        status: ObjectRunStatus;
        extracted_at: Date | null;
        complete_as_of: Date | null;
        complete_back_to: Date | null;
        progress: number | null;
      }[]
    >`
      select status, extracted_at, complete_as_of, complete_back_to, progress from freshet.object_runs where run_id = ${claim.runId} and object = ${parent}`;
    if (!row) return { state: 'done', completeAsOf: null, completeBackTo: null };
    if (row.extracted_at !== null)
      return { state: 'done', completeAsOf: row.complete_as_of, completeBackTo: row.complete_back_to };
    const open = (OPEN_OBJECT_RUN_STATUSES as readonly ObjectRunStatus[]).includes(row.status);
    return open ? { state: 'reading', progress: row.progress } : { state: 'stopped', status: row.status };
  }

  /** Locks the object run, and makes sure that it is still this worker's to change. */
  async #hold(tx: Tx, claim: Claim): Promise<void> {
    // First the object run, then the object: the order in which everybody locks them.
    await tx`select id from freshet.object_runs where id = ${claim.objectRunId} for no key update`;
    const [held] = await tx`
      select o.id from freshet.object_runs o
      join freshet.pipeline_objects po on po.pipeline_id = o.pipeline_id and po.object = o.object
      join freshet.pipelines p on p.id = o.pipeline_id
      where o.id = ${claim.objectRunId} and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
        and ${claim.epoch} = ${claim.isAudit ? tx`o.extract_epoch` : tx`po.extract_epoch`} and p.status = 'active'
      for no key update of po`;
    if (!held)
      throw new AppError(
        'fenced',
        'The object run is no longer this worker’s: it was taken over, cancelled or paused.',
      );
  }

  async #stage(tx: Tx, claim: Claim, id: string, batch: StagedBatch): Promise<void> {
    await tx`
      insert into freshet.batches (id, pipeline_id, object, object_run_id, generation, records, raw_bytes, extracted_at, body)
      values (${id}, ${claim.pipelineId}, ${claim.object}, ${claim.objectRunId}, ${batch.generation}, ${batch.records}, ${batch.rawBytes},
        ${batch.extractedAt}, ${batch.body})`;
    await sendLoad(this.#queue, tx, claim, claim.urgency);
  }
}

/** Whether Freshdesk has answered for the object itself. The steps of a child whose parent is still being read may hold nothing. */
function provesAccess({ batch, settled, finished }: Step): boolean {
  return batch !== null || settled.length > 0 || finished;
}

interface ClaimRow {
  run_id: string;
  pipeline_id: string;
  object: string;
  failures: number;
  units_done: string;
  records_extracted: string;
  records_expected: string | null;
  is_first_slice: boolean;
  subdomain: string;
  credential_id: string;
  credit_share_percent: number;
  historical_sync_days: number | null;
  frequency_minutes: number;
  created_at: Date;
  traceparent: string | null;
  credit_class: CreditClass;
  is_long: boolean;
  priority: PipelinePriority;
  mode: RunMode;
  detail: boolean;
  field_rules: FieldRules;
  hash_salt: string | null;
  database_time: Date;
}

interface Taken {
  extract_epoch: string;
  position: Record<string, unknown> | null;
}

async function addWork(tx: Tx, pipelineId: string, work: readonly ParentVersion[]): Promise<void> {
  if (work.length === 0) return;
  // A page may hold a record twice; the last version counts.
  const last = [...new Map(work.map((w) => [`${w.object}/${w.parentId}`, w])).values()];
  await tx`
    insert into freshet.child_work (pipeline_id, object, parent_id, version, changed_at)
    select ${pipelineId}, o, p, v, clock_timestamp()
    from unnest(${last.map((w) => w.object)}::text[], ${last.map((w) => w.parentId)}::text[], ${last.map((w) => w.version)}::text[]) as w(o, p, v)
    order by o, p
    on conflict (pipeline_id, object, parent_id) do update set version = excluded.version, changed_at = excluded.changed_at
    where freshet.child_work.version is distinct from excluded.version`;
}

/** What was left out is known by its own key from now on, so that what stands below it is left out as well. */
async function keepOut(tx: Tx, { pipelineId, object }: Claim, erased: Step['erased']): Promise<void> {
  if (erased.length === 0) return;
  await tx`
    insert into freshet.erased_keys (pipeline_id, object, key, erasure_id)
    select distinct on (e.k) ${pipelineId}::uuid, ${object}, e.k, o.erasure_id
    from unnest(${erased.map((e) => e.key)}::text[], ${erased.map((e) => e.owner.object)}::text[], ${erased.map((e) => e.owner.key)}::text[]) as e(k, oo, ok)
    join freshet.erased_keys o on o.pipeline_id = ${pipelineId} and o.object = e.oo and o.key = e.ok
    on conflict do nothing`;
}

async function settleAudit(tx: Tx, claim: Claim, settled: readonly Settled[]): Promise<void> {
  if (settled.length === 0) return;
  const outcome = settled.map((s) => s.outcome?.name ?? 'read');
  await tx`
    update freshet.audit_work a set outcome = w.o, lasting = w.l::boolean
    from unnest(${settled.map((s) => s.parentId)}::text[], ${outcome}::text[], ${settled.map((s) => String(s.outcome?.lasting ?? false))}::text[]) as w(k, o, l)
    where a.object_run_id = ${claim.objectRunId} and a.key = w.k`;
  await tx`
    update freshet.object_runs set explained = explained || (
      select coalesce(jsonb_object_agg(o, n + coalesce((explained ->> o)::bigint, 0)), '{}') from (
        select o, count(*) as n from unnest(${settled.flatMap((s) => (s.outcome ? [s.outcome.name] : []))}::text[]) as o group by o
      ) counted
    ) where id = ${claim.objectRunId}`;
}

/** An audit accounts for each unit that it had to read; one that failed is retried by later runs. */
function unreadable({ object, key }: FailedUnit): Settled {
  return { object, parentId: key, version: '', outcome: { name: 'unreadable', lasting: false } };
}

/** A parent that has moved on to a newer version meanwhile stays pending. */
async function settleWork(tx: Tx, pipelineId: string, settled: readonly ParentVersion[]): Promise<void> {
  if (settled.length === 0) return;
  await tx`
    update freshet.child_work c set done_version = w.v, doubted = false
    from unnest(${settled.map((w) => w.object)}::text[], ${settled.map((w) => w.parentId)}::text[], ${settled.map((w) => w.version)}::text[]) as w(o, p, v)
    where c.pipeline_id = ${pipelineId} and c.object = w.o and c.parent_id = w.p`;
}

/** What an object run has spent, all together and by class. */
function spent(tx: Tx, credits: CreditsSpent): Fragment {
  const byClass = CREDIT_CLASSES.map((creditClass) => credits[creditClass] ?? 0);
  return tx`credits_used = credits_used + ${byClass.reduce((sum, n) => sum + n, 0)}, credits_by_class = (
    select array_agg(before + more order by place)
    from unnest(credits_by_class, ${`{${byClass.join()}}`}::text::numeric[]) with ordinality as c(before, more, place))`;
}
