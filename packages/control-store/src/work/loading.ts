import { hash } from 'node:crypto';
import {
  AppError,
  type BatchCounts,
  type Column,
  type FieldRules,
  type Misfits,
  misfitsWarning,
  OPEN_OBJECT_RUN_STATUSES,
  type RejectedRecord,
  type SchemaChange,
  type SchemaPolicy,
  type Suspect,
} from '@freshet/contracts';
import type { Fragment, Sql } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { emit } from '../notifications/events.ts';
import { openRebuild, startRebuild, storedRecords } from '../runs/rebuilds.ts';
import { boundTo } from '../runs/rejected-records.ts';
import { finishIfDone, finishRunIfDone, tellOfFailure } from '../runs/runs.ts';
import { addWarnings } from '../runs/warnings.ts';
import type { SecretBox } from '../security/secret-box.ts';
import { sendExtract, sendLoad } from './jobs.ts';
import type { JobQueue } from './queue.ts';

/** A table in the hands of one load worker. */
export interface LoadClaim {
  readonly pipelineId: string;
  readonly object: string;
  /** Whoever claims later has a greater one; the warehouse refuses lower ones. */
  readonly epoch: number;
  readonly destinationId: string;
  readonly schema: string;
  readonly tablePrefix: string;
  readonly schemaPolicy: SchemaPolicy;
  /** Every version of the table's rows is kept. */
  readonly history: boolean;
  readonly fieldRules: FieldRules;
  /** When the object was last restarted; null: never. */
  readonly restartedAt: Date | null;
  readonly customColumns: readonly Column[];
}

export interface PendingBatch {
  readonly id: string;
  /** Order of storing. */
  readonly seq: number;
  readonly objectRunId: string;
  /** The span that has asked for its run. */
  readonly traceparent: string | null;
  readonly extractedAt: Date;
  /** Of an audit: what it repairs is counted. */
  readonly audit: boolean;
  /** Of a rebuild: rows are written even if they seem to be the same. */
  readonly rewrite: boolean;
  readonly rawBytes: number;
  readonly records: number;
  readonly body: Buffer;
}

/** What became of some batches in the warehouse. */
export interface LoadOutcome {
  readonly batches: readonly { readonly batchId: string; readonly counts: BatchCounts }[];
  readonly rejected: readonly RejectedRecord[];
  /** How fresh and how deep the table is with them; null: as before. */
  readonly reached: { readonly completeAsOf: Date | null; readonly completeBackTo: Date | null } | null;
  /** What an audit's reading did not hold: its object run asks for them next. */
  readonly suspects: readonly (Suspect & { readonly batchId: string })[];
  /** Audits' readings that lacked too many rows; told in their object runs. */
  readonly notBelieved: readonly { readonly batchId: string; readonly rows: number }[];
  /** Parents whose lists were empty where the table has rows: they are read again. */
  readonly doubted: readonly string[];
  /** The table's rows lack values of a column; null: none does. */
  readonly completion: { readonly since: Date; readonly isRereadNeeded: boolean } | null;
  /** What was changed about the table for them. */
  readonly changes: readonly SchemaChange[];
  /** Values that did not fit their columns: warnings of their object runs. */
  readonly misfits: readonly Misfits[];
}

/** Where a complete reading begins, by where an object's reading stands. */
type Reread = (known: Record<string, unknown>) => Record<string, unknown> | null;

/** What the load worker needs to keep. */
export class Loading {
  readonly #sql: Sql;
  readonly #queue: JobQueue;
  readonly #box: SecretBox;

  constructor(sql: Sql, queue: JobQueue, box: SecretBox) {
    this.#sql = sql;
    this.#queue = queue;
    this.#box = box;
  }

  /** Null when the pipeline is gone. */
  async claim(pipelineId: string, object: string): Promise<LoadClaim | null> {
    const [row] = await this.#sql<
      {
        load_epoch: string;
        custom_columns: Column[];
        destination_id: string;
        destination_schema: string;
        table_prefix: string;
        schema_policy: SchemaPolicy;
        history: boolean;
        field_rules: FieldRules;
        restarted_at: Date | null;
      }[]
    >`
      update freshet.pipeline_objects po set load_epoch = load_epoch + 1
      from freshet.pipelines p
      where p.id = po.pipeline_id and po.pipeline_id = ${pipelineId} and po.object = ${object}
      returning po.load_epoch, po.restarted_at, po.custom_columns, p.destination_id, p.destination_schema, p.table_prefix, p.schema_policy,
        coalesce((p.objects -> po.object ->> 'history')::boolean, false) as history,
        coalesce(p.objects -> po.object -> 'columns', '{}') as field_rules`;
    if (!row) return null;
    return {
      pipelineId,
      object,
      epoch: Number(row.load_epoch),
      destinationId: row.destination_id,
      schema: row.destination_schema,
      tablePrefix: row.table_prefix,
      schemaPolicy: row.schema_policy,
      history: row.history,
      fieldRules: row.field_rules,
      restartedAt: row.restarted_at,
      customColumns: row.custom_columns,
    };
  }

  /**
   * The oldest batches that are not loaded, in order: at least one if there is any, and no more than `rawBytesMax` together beyond it.
   * @param after the `seq` of a batch: those up to it are in somebody's hands already.
   */
  async pending(claim: LoadClaim, rawBytesMax: number, after = 0): Promise<PendingBatch[]> {
    return await this.#sql<PendingBatch[]>`
      select b.id, b.seq::float8 as seq, b.object_run_id as "objectRunId", b.extracted_at as "extractedAt", b.raw_bytes as "rawBytes", b.records, b.body,
        (select r.traceparent from freshet.object_runs o join freshet.runs r on r.id = o.run_id where o.id = b.object_run_id) as traceparent,
        coalesce((select o.mode = 'audit' from freshet.object_runs o where o.id = b.object_run_id), false) as audit,
        coalesce((select o.mode = 'rebuild' from freshet.object_runs o where o.id = b.object_run_id), false) as rewrite
      from freshet.batches b where b.id in (
        select id from (
          select id, sum(raw_bytes) over (order by seq) - raw_bytes as before
          from (
            select id, seq, raw_bytes from freshet.batches
            where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and loaded_at is null and seq > ${after}
            order by seq limit 1000
          ) oldest
        ) summed where before = 0 or before < ${rawBytesMax}
      ) order by seq`;
  }

  /** The bodies of all batches of a generation, one at a time. */
  async *generationBodies(claim: LoadClaim, generation: string): AsyncGenerator<Buffer> {
    const ids = await this.#sql<{ id: string }[]>`
      select id from freshet.batches where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and generation = ${generation} order by seq`;
    for (const { id } of ids) {
      const [row] = await this.#sql<{ body: Buffer }[]>`select body from freshet.batches where id = ${id}`;
      if (row) yield row.body;
    }
  }

  /**
   * Notes what the warehouse has committed. Repeating it changes nothing: a batch is counted when it is marked.
   * Object runs whose last batch this was are finished.
   */
  async markLoaded(
    claim: LoadClaim,
    { batches: results, rejected, reached, suspects, notBelieved, doubted, changes, misfits }: LoadOutcome,
  ): Promise<void> {
    await this.#sql.begin(async (tx) => {
      const ids = results.map((r) => r.batchId);
      const owners = await tx<{ id: string; object_run_id: string }[]>`
        select id, object_run_id from freshet.batches where id = any(${ids}) and loaded_at is null`;
      const objectRunIds = [...new Set(owners.map((o) => o.object_run_id))].sort();
      for (const objectRunId of objectRunIds)
        await tx`select id from freshet.object_runs where id = ${objectRunId} for no key update`;
      if (rejected.length > 0) {
        // Somebody may have been erased meanwhile, who would come back with what was rejected: then it is looked at again.
        const [held] = await tx`
          select 1 from freshet.pipeline_objects
          where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and load_epoch = ${claim.epoch} for no key update`;
        if (!held) throw new AppError('fenced', 'Another worker has taken the table over.');
      }
      const marked = await tx<{ id: string; object_run_id: string }[]>`
        update freshet.batches set loaded_at = now() where id = any(${ids}) and loaded_at is null returning id, object_run_id`;
      const counted = new Set(marked.map((m) => m.id));
      for (const objectRunId of objectRunIds) {
        const mine = new Set(marked.filter((m) => m.object_run_id === objectRunId).map((m) => m.id));
        const sum = (field: keyof BatchCounts) =>
          results.filter((r) => mine.has(r.batchId)).reduce((n, r) => n + r.counts[field], 0);
        await tx`
          update freshet.object_runs set
            records_inserted = records_inserted + ${sum('inserted')},
            records_updated = records_updated + ${sum('updated')},
            records_unchanged = records_unchanged + ${sum('unchanged')},
            records_rejected = records_rejected + ${sum('rejected')},
            records_deleted = records_deleted + ${sum('deleted')},
            records_missing = records_missing + ${sum('missing')},
            records_stale = records_stale + ${sum('stale')}
          where id = ${objectRunId}`;
        await addWarnings(
          tx,
          objectRunId,
          misfits.filter((m) => mine.has(m.batchId)).map((m) => misfitsWarning(claim.object, m)),
        );
      }
      for (const { batchId, rows } of notBelieved) {
        const owner = marked.find((m) => m.id === batchId);
        if (!owner) continue;
        await tx`update freshet.object_runs set explained = explained || ${tx.json({ not_believed: rows })} where id = ${owner.object_run_id}`;
      }
      for (const { id, object_run_id } of marked) {
        const own = suspects.filter((s) => s.batchId === id);
        if (own.length === 0) continue;
        // What an earlier audit has explained for good is not asked for again.
        await tx`
          insert into freshet.audit_work (pipeline_id, object, key, reason, object_run_id)
          select ${claim.pipelineId}, ${claim.object}, k, r, ${object_run_id}
          from unnest(${own.map((s) => s.key)}::text[], ${own.map((s) => s.reason)}::text[]) as s(k, r)
          on conflict (pipeline_id, object, key) do update set object_run_id = excluded.object_run_id, reason = excluded.reason, outcome = null
          where not audit_work.lasting`;
      }
      if (doubted.length > 0 && counted.size > 0) {
        await tx`
          update freshet.child_work set done_version = null, doubted = true, changed_at = clock_timestamp()
          where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and parent_id = any(${[...doubted]})`;
        // By the same run, if it is one that reads what has changed: it is not over until they have been.
        const again = await tx<{ id: string }[]>`
          update freshet.object_runs set extracted_at = null
          where id = any(${objectRunIds}) and extracted_at is not null and mode in ('full', 'incremental') and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
          returning id`;
        for (const { id } of again) await sendExtract(this.#queue, tx, id, null);
      }
      const refused = rejected.filter((r) => counted.has(r.batchId));
      if (refused.length > 0) {
        const reasons: Record<string, number> = {};
        for (const { reason } of refused) reasons[reason] = (reasons[reason] ?? 0) + 1;
        await emit(tx, this.#queue, 'records.rejected', {
          pipeline_id: claim.pipelineId,
          object: claim.object,
          records: refused.length,
          reasons,
        });
      }
      if (changes.length > 0)
        await emit(tx, this.#queue, 'schema.changed', { pipeline_id: claim.pipelineId, object: claim.object, changes });
      for (const r of refused) {
        const id = uuidv7();
        await tx`
          insert into freshet.rejected_records (id, pipeline_id, object, batch_id, line, reason, raw, fingerprint, extracted_at)
          select ${id}, ${claim.pipelineId}, ${claim.object}, id, ${r.line}, ${r.reason}, ${this.#box.seal(r.raw, boundTo(id))},
            ${hash('sha256', r.raw, 'hex')}, extracted_at
          from freshet.batches where id = ${r.batchId}
          on conflict do nothing`;
      }
      if (reached !== null && counted.size > 0) {
        await tx`
          insert into freshet.lags as l (pipeline_id, object, day, since, until)
          select pipeline_id, object, (now() at time zone 'UTC')::date, complete_as_of, now() from freshet.pipeline_objects
          where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and complete_as_of < ${reached.completeAsOf}
          on conflict (pipeline_id, object, day) do update set since = excluded.since, until = excluded.until
          where excluded.until - excluded.since > l.until - l.since`;
        await tx`
          update freshet.pipeline_objects set complete_as_of = ${reached.completeAsOf}, complete_back_to = ${reached.completeBackTo}
          where pipeline_id = ${claim.pipelineId} and object = ${claim.object}`;
      }
      for (const objectRunId of objectRunIds) await finishIfDone(tx, this.#queue, objectRunId);
    });
  }

  /**
   * Starts what brings the missing values of a table's rows, once for each time that they began to be missing: a rebuild from stored
   * batches where these begin with a whole reading, and else a complete reading by the next run, or the one under way.
   * @param position where a complete reading begins, by where the object's reading stands; null: every run reads the object completely.
   * @returns what was started; null: nothing had to be.
   */
  async complete(
    claim: LoadClaim,
    completion: LoadOutcome['completion'],
    position: Reread | null,
  ): Promise<'rebuild' | 'reading' | null> {
    const { pipelineId, object } = claim;
    const since = completion?.since ?? null;
    // Most loads find that nothing has changed, and need no transaction.
    const [known] = await this.#sql<{ changed: boolean; started: boolean }[]>`
        select completing_since is distinct from ${since} as changed, completion_started_for is not distinct from ${since} as started
        from freshet.pipeline_objects where pipeline_id = ${pipelineId} and object = ${object}`;
    if (!known || (!known.changed && (since === null || known.started))) return null;
    return await this.#sql.begin(async (tx) => {
      // The pipeline, object runs, the object: the order in which everybody locks them.
      await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
      const open = await tx<{ id: string }[]>`
        select o.id from freshet.object_runs o join freshet.runs r on r.id = o.run_id
        where o.pipeline_id = ${pipelineId} and o.object = ${object} and r.kind = 'sync' and o.extracted_at is null
          and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
        order by o.id for no key update of o`;
      const [row] = await tx<{ position: Record<string, unknown> | null; started: boolean }[]>`
        update freshet.pipeline_objects set completing_since = ${since} where pipeline_id = ${pipelineId} and object = ${object}
        returning position, completion_started_for is not distinct from ${since} as started`;
      if (!row || completion === null || row.started) return null;
      let started: 'rebuild' | 'reading' | null = null;
      if (position !== null) {
        const stored = completion.isRereadNeeded ? null : await storedRecords(tx, pipelineId, object);
        if (stored?.whole === true) {
          const joined = await openRebuild(tx, pipelineId);
          // This table is being rebuilt already, with the columns that it had: a later load tries again.
          if (
            joined !== null &&
            (await tx`select 1 from freshet.object_runs where run_id = ${joined} and object = ${object}`).length > 0
          )
            return null;
          await startRebuild(tx, this.#queue, claim, stored, 'schedule', joined);
          started = 'rebuild';
        } else {
          // An audit reads the object completely, too. If the table is incomplete after it, a later load tries again.
          const [audit] = await tx`
            select 1 from freshet.object_runs
            where pipeline_id = ${pipelineId} and object = ${object} and mode = 'audit' and status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) limit 1`;
          if (audit) return null;
          const next = row.position === null ? null : position(row.position);
          await tx`
            update freshet.pipeline_objects set extract_epoch = extract_epoch + 1, position = ${next === null ? null : tx.json(next as never)},
              is_full_reading = ${open.length === 0}
            where pipeline_id = ${pipelineId} and object = ${object}`;
          await tx`update freshet.child_work set done_version = null where pipeline_id = ${pipelineId} and object = ${object}`;
          await tx`update freshet.object_runs set mode = 'full' where id = any(${open.map((o) => o.id)})`;
          for (const { id } of open) await sendExtract(this.#queue, tx, id, null);
          started = 'reading';
        }
      }
      // Of archived records only an audit shows the values, and it asks for each only once.
      if (started !== null) {
        await tx`delete from freshet.audit_work where pipeline_id = ${pipelineId} and object = ${object} and lasting and outcome = 'archived'`;
      }
      await tx`
        update freshet.pipeline_objects set completion_started_for = ${since} where pipeline_id = ${pipelineId} and object = ${object}`;
      return started;
    });
  }

  /**
   * The warehouse knows a greater epoch than the claim's. If nobody has claimed the table since, it is not another worker's: the control
   * database is older than the warehouse, as after a restore, and goes on from there.
   * @param epoch the warehouse's.
   */
  async overtake(claim: LoadClaim, epoch: number): Promise<void> {
    await this.#sql.begin(async (tx) => {
      const [mine] = await tx`
        update freshet.pipeline_objects set load_epoch = greatest(load_epoch, ${epoch})
        where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and load_epoch = ${claim.epoch} returning object`;
      if (!mine) return;
      await sendLoad(this.#queue, tx, claim, null);
    });
  }

  /** A whole slice was not enough: what is left waits for the first slices of others. */
  async makeWay(claim: LoadClaim): Promise<void> {
    const { pipelineId, object } = claim;
    await this.#sql.begin(async (tx) => {
      await tx`
        update freshet.object_runs set is_long = true where id in (
          select id from freshet.object_runs where not is_long
            and id in (select object_run_id from freshet.batches where pipeline_id = ${pipelineId} and object = ${object} and loaded_at is null)
          order by id for no key update)`;
      await sendLoad(this.#queue, tx, claim, null, { alone: true });
    });
  }

  /** Puts the job back, and lets the object runs that wait for it say why. */
  async handOn(
    claim: LoadClaim,
    afterMs: number,
    error: { readonly code: string; readonly message: string } | null,
  ): Promise<void> {
    await this.#sql.begin(async (tx) => {
      if (error !== null) {
        await tx`
          update freshet.object_runs set error_code = ${error.code}, error_message = ${error.message}, not_before = ${new Date(Date.now() + afterMs)}
          where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and status in ('queued', 'running', 'waiting_for_credits')`;
      }
      await sendLoad(this.#queue, tx, claim, null, { startAfterMs: afterMs });
    });
  }

  /**
   * Gives the open object runs of this table up, after too many failures. What is stored stays pending, and is
   * loaded before anything else by the next run that brings a batch.
   */
  giveUp({ pipelineId, object }: LoadClaim, error: { readonly code: string; readonly message: string }): Promise<void> {
    return this.#giveUp(this.#sql`pipeline_id = ${pipelineId} and object = ${object}`, error);
  }

  /** The same for every table of a warehouse that has something to load: it does not answer. */
  giveUpDestination(destinationId: string, error: { readonly code: string; readonly message: string }): Promise<void> {
    return this.#giveUp(
      this.#sql`pipeline_id in (select id from freshet.pipelines where destination_id = ${destinationId})
        and exists (select from freshet.batches b where b.pipeline_id = object_runs.pipeline_id and b.object = object_runs.object and b.loaded_at is null)`,
      error,
    );
  }

  async #giveUp(which: Fragment, error: { readonly code: string; readonly message: string }): Promise<void> {
    await this.#sql.begin(async (tx) => {
      // In the order in which everybody locks them.
      const open = await tx<{ id: string }[]>`
        select id from freshet.object_runs where status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) and ${which} order by id for no key update`;
      const failed = await tx<{ id: string; run_id: string }[]>`
        update freshet.object_runs set status = 'failed', error_code = ${error.code}, error_message = ${error.message}, not_before = null, finished_at = now()
        where id = any(${open.map((o) => o.id)})
        returning id, run_id`;
      for (const { id } of failed) await tellOfFailure(tx, this.#queue, id);
      for (const run_id of [...new Set(failed.map((f) => f.run_id))].sort())
        await finishRunIfDone(tx, this.#queue, run_id);
    });
  }
}
