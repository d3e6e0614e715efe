import { OPEN_OBJECT_RUN_STATUSES } from '@freshet/contracts';
import type { Fragment } from '../database/database.ts';
import { enqueueLoad } from '../queue/jobs.ts';
import { emitObjectRunFailed, finishRunIfComplete } from '../runs/completion.ts';
import { Store } from '../store.ts';
import {
  type CompletionKind,
  lockForCompletion,
  mustUpdateCompletion,
  type PositionReset,
  startCompletion,
} from './completion.ts';
import type { LoadOutcome } from './load-outcome.ts';
import { markLoaded } from './mark-loaded.ts';
import { acquireTableLease, type TableLease } from './table-lease.ts';

/** A batch to load, with the properties of its object run that affect loading. */
export interface PendingBatch {
  readonly id: string;
  /** The sequence number of the batch in the order of storage. */
  readonly seq: number;
  readonly objectRunId: string;
  /** W3C trace context of the request that started the run. Null: tracing was off. */
  readonly traceparent: string | null;
  readonly extractedAt: Date;
  /**
   * Whether the batch belongs to an audit. The loader then counts the rows that the batch repairs.
   */
  readonly isAudit: boolean;
  /**
   * Whether the batch belongs to a rebuild. The loader then rewrites rows even if they seem
   * unchanged.
   */
  readonly isRewrite: boolean;
  readonly rawBytes: number;
  readonly records: number;
  readonly body: Buffer;
}

interface LoadError {
  readonly code: string;
  readonly message: string;
}

/** The maximum number of batches that one query considers. */
const PENDING_BATCHES_MAX = 1000;

/** The durable state of load workers: table leases, pending batches and the outcomes of loads. */
export class LoadStore extends Store {
  /** Acquires the lease on a table. Null: the pipeline was deleted. */
  acquire(pipelineId: string, object: string): Promise<TableLease | null> {
    return acquireTableLease(this.sql, pipelineId, object);
  }

  /**
   * Lists the oldest pending batches of a table in the order of storage.
   * @param rawBytesMax the list ends with the batch at which the total uncompressed size reaches
   * this number of bytes.
   * @param after a `seq`. Only batches with a greater `seq` are listed.
   */
  async listPendingBatches(lease: TableLease, rawBytesMax: number, after = 0): Promise<PendingBatch[]> {
    return await this.sql<PendingBatch[]>`
      select b.id, b.seq::float8 as seq, b.object_run_id as "objectRunId", b.extracted_at as "extractedAt",
        b.raw_bytes as "rawBytes", b.records, b.body,
        (
          select r.traceparent from freshet.object_runs o join freshet.runs r on r.id = o.run_id
           where o.id = b.object_run_id
        ) as traceparent,
        coalesce(
          (select o.mode = 'audit' from freshet.object_runs o where o.id = b.object_run_id), false) as "isAudit",
        coalesce(
          (select o.mode = 'rebuild' from freshet.object_runs o where o.id = b.object_run_id), false) as "isRewrite"
      from freshet.batches b where b.id in (
        select id from (
          select id, sum(raw_bytes) over (order by seq) - raw_bytes as preceding_bytes
          from (
            select id, seq, raw_bytes from freshet.batches
            where pipeline_id = ${lease.pipelineId} and object = ${lease.object} and loaded_at is null
              and seq > ${after}
            order by seq limit ${PENDING_BATCHES_MAX}
          ) oldest
        ) summed where preceding_bytes = 0 or preceding_bytes < ${rawBytesMax}
      ) order by seq`;
  }

  /** Streams the bodies of all batches of a generation, one at a time (I9). */
  async *readGeneration({ pipelineId, object }: TableLease, generation: string): AsyncGenerator<Buffer> {
    const ids = await this.sql<{ id: string }[]>`
      select id from freshet.batches
      where pipeline_id = ${pipelineId} and object = ${object} and generation = ${generation} order by seq`;
    for (const { id } of ids) {
      const [row] = await this.sql<{ body: Buffer }[]>`select body from freshet.batches where id = ${id}`;
      if (row) yield row.body;
    }
  }

  /**
   * Stores the outcome of a load after the warehouse has committed the load. Starts the work that
   * supplies the missing values of the table's rows in the same transaction, so that a worker that
   * is killed leaves either the batches pending or the work started. If the call is repeated, no
   * record is counted twice.
   * @param resetPosition null: every run reads the object completely.
   * @returns the kind of the started work. Null: nothing was started.
   */
  async markLoaded(
    lease: TableLease,
    outcome: LoadOutcome,
    resetPosition: PositionReset | null = null,
  ): Promise<CompletionKind | null> {
    const { sql, queue } = this;
    const { completion } = outcome;
    const updatesCompletion = await mustUpdateCompletion(sql, lease, completion);
    return await sql.begin(async (tx) => {
      const batchIds = outcome.batches.map((batch) => batch.batchId);
      if (updatesCompletion) await lockForCompletion(tx, lease, batchIds);
      await markLoaded({ tx, queue }, this.box, lease, outcome);
      return updatesCompletion ? await startCompletion({ tx, queue }, lease, completion, resetPosition) : null;
    });
  }

  /**
   * Raises the epoch of a table to the greater epoch in the warehouse, and enqueues a load. The
   * epoch in the warehouse is greater after the control database was restored to a state that is
   * older than the warehouse. Does nothing if a different worker has acquired the lease in the
   * meantime.
   */
  async adoptEpoch(lease: TableLease, epoch: number): Promise<void> {
    await this.sql.begin(async (tx) => {
      const [row] = await tx`
        update freshet.pipeline_objects set load_epoch = greatest(load_epoch, ${epoch})
        where pipeline_id = ${lease.pipelineId} and object = ${lease.object} and load_epoch = ${lease.epoch}
        returning object`;
      if (row) await enqueueLoad({ tx, queue: this.queue }, lease, null);
    });
  }

  /**
   * Requeues the load of a table whose slice ended because its time limit expired. The object runs
   * with pending batches are marked `is_long`: their later jobs have at most the priority of a
   * backfill.
   */
  async yieldToOthers(lease: TableLease): Promise<void> {
    const { pipelineId, object } = lease;
    await this.sql.begin(async (tx) => {
      await tx`
        update freshet.object_runs set is_long = true where id in (
          select id from freshet.object_runs where not is_long
            and id in (
              select object_run_id from freshet.batches
              where pipeline_id = ${pipelineId} and object = ${object} and loaded_at is null
            )
          order by id for no key update)`;
      await enqueueLoad({ tx, queue: this.queue }, lease, null, { replacesWaiting: true });
    });
  }

  /**
   * Enqueues the load job of a table again, to start after `afterMs`. If there is an error, stores
   * it in the open object runs of the table.
   */
  async requeue(lease: TableLease, afterMs: number, error: LoadError | null): Promise<void> {
    await this.sql.begin(async (tx) => {
      if (error !== null) {
        await tx`
          update freshet.object_runs set error_code = ${error.code}, error_message = ${error.message},
            not_before = ${new Date(Date.now() + afterMs)}
          where pipeline_id = ${lease.pipelineId} and object = ${lease.object}
            and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})`;
      }
      await enqueueLoad({ tx, queue: this.queue }, lease, null, { startAfterMs: afterMs });
    });
  }

  /**
   * Fails the open object runs of a table after too many failures. The batches of the table remain
   * pending. When a later run stores a batch, the pending batches are loaded first.
   */
  failTable({ pipelineId, object }: TableLease, error: LoadError): Promise<void> {
    return this.#failObjectRuns(this.sql`pipeline_id = ${pipelineId} and object = ${object}`, error);
  }

  /**
   * Fails the open object runs of every table that has pending batches for an unreachable
   * warehouse.
   */
  failDestination(destinationId: string, error: LoadError): Promise<void> {
    return this.#failObjectRuns(
      this.sql`pipeline_id in (select id from freshet.pipelines where destination_id = ${destinationId})
        and exists (
          select from freshet.batches b
          where b.pipeline_id = object_runs.pipeline_id and b.object = object_runs.object and b.loaded_at is null
        )`,
      error,
    );
  }

  async #failObjectRuns(condition: Fragment, error: LoadError): Promise<void> {
    await this.sql.begin(async (tx) => {
      const open = await tx<{ id: string }[]>`
        select id from freshet.object_runs where status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) and ${condition}
        order by id for no key update`;
      const failed = await tx<{ id: string; run_id: string }[]>`
        update freshet.object_runs set status = 'failed', error_code = ${error.code}, error_message = ${error.message},
          not_before = null, finished_at = now()
        where id = any(${open.map(({ id }) => id)})
        returning id, run_id`;
      for (const { id } of failed) await emitObjectRunFailed({ tx, queue: this.queue }, id);
      for (const runId of [...new Set(failed.map((row) => row.run_id))].sort())
        await finishRunIfComplete({ tx, queue: this.queue }, runId);
    });
  }
}
