import { OPEN_OBJECT_RUN_STATUSES } from '@freshet/contracts';
import type { Sql, Tx } from '../database/database.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { enqueueExtract } from '../queue/jobs.ts';
import { findOpenRebuild, getStoredRecords, type StoredRecords, startRebuild } from '../runs/rebuilds.ts';
import type { LoadOutcome } from './load-outcome.ts';
import type { TableLease } from './table-lease.ts';

/**
 * Converts the position of an object to the position from which a full sync starts. Null: the full
 * sync starts without a position.
 */
export type PositionReset = (position: Record<string, unknown>) => Record<string, unknown> | null;

/** How missing values are supplied: from stored batches, or by reading the object completely. */
export type CompletionKind = 'rebuild' | 'reading';

/** Whether a load has to update the state of the completion, and possibly start its work. */
export async function mustUpdateCompletion(
  sql: Sql,
  { pipelineId, object }: TableLease,
  completion: LoadOutcome['completion'],
): Promise<boolean> {
  const since = completion?.since ?? null;
  const [state] = await sql<{ changed: boolean; started: boolean }[]>`
    select completing_since is distinct from ${since} as changed,
      completion_started_for is not distinct from ${since} as started
    from freshet.pipeline_objects where pipeline_id = ${pipelineId} and object = ${object}`;
  return state !== undefined && (state.changed || (since !== null && !state.started));
}

/**
 * Starts the work that supplies the missing values of a table's rows, once for each value of
 * `completion.since`. The work is a rebuild if the stored batches can supply the values and contain
 * all records of a full sync. Otherwise, the work is a full sync, in the open run or in the next
 * run. The caller holds the locks of `lockForCompletion`.
 * @param resetPosition null: every run reads the object completely, so nothing has to be started.
 * @returns the kind of the started work. Null: nothing was started. If work is still required, a
 * later load tries again.
 */
export async function startCompletion(
  { tx, queue }: JobTransaction,
  lease: TableLease,
  completion: LoadOutcome['completion'],
  resetPosition: PositionReset | null,
): Promise<CompletionKind | null> {
  const { pipelineId, object } = lease;
  const since = completion?.since ?? null;
  const [row] = await tx<{ position: Record<string, unknown> | null; started: boolean }[]>`
    update freshet.pipeline_objects set completing_since = ${since}
    where pipeline_id = ${pipelineId} and object = ${object}
    returning position, completion_started_for is not distinct from ${since} as started`;
  if (!row || completion === null || row.started) return null;
  let started: CompletionKind | null = null;
  if (resetPosition !== null) {
    const stored = completion.isRereadNeeded ? null : await getStoredRecords(tx, pipelineId, object);
    const start = row.position === null ? null : resetPosition(row.position);
    started = stored?.isComplete
      ? await joinOrStartRebuild({ tx, queue }, lease, stored)
      : await startFullSync({ tx, queue }, lease, start);
    if (started === null) return null;
    // Only audits return the values of archived records, but audits skip keys whose outcome is
    // final. Delete these outcomes, so that the next audit looks up the keys again.
    await tx`
      delete from freshet.audit_work
      where pipeline_id = ${pipelineId} and object = ${object} and is_final and outcome = 'archived'`;
  }
  await tx`
    update freshet.pipeline_objects set completion_started_for = ${since}
    where pipeline_id = ${pipelineId} and object = ${object}`;
  return started;
}

/**
 * Locks the pipeline, and then the object runs that still extract the object together with the
 * object runs of the batches. This is the lock order of every transaction.
 */
export async function lockForCompletion(
  tx: Tx,
  { pipelineId, object }: TableLease,
  batchIds: readonly string[],
): Promise<void> {
  await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
  await tx`
    select o.id from freshet.object_runs o
    where o.pipeline_id = ${pipelineId} and o.object = ${object} and (
      (o.extracted_at is null and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]}))
      or o.id in (select object_run_id from freshet.batches where id = any(${[...batchIds]}) and loaded_at is null)
    )
    order by o.id for no key update`;
}

/**
 * Starts a rebuild of the table. If a rebuild run is open, the rebuild joins that run. Null: the
 * open run already rebuilds the table, with the former columns of the table.
 */
async function joinOrStartRebuild(
  { tx, queue }: JobTransaction,
  lease: TableLease,
  stored: StoredRecords,
): Promise<CompletionKind | null> {
  const openRunId = await findOpenRebuild(tx, lease.pipelineId);
  if (openRunId !== null) {
    const [objectRun] = await tx`
      select 1 from freshet.object_runs where run_id = ${openRunId} and object = ${lease.object}`;
    if (objectRun) return null;
  }
  await startRebuild({ tx, queue }, lease, { stored, trigger: 'schedule', runId: openRunId });
  return 'rebuild';
}

/**
 * Resets the position of the object. If an open sync still extracts the object, the object run of
 * this sync changes to the mode `full`. Otherwise, the object run of the next sync gets this mode.
 * Null: an open audit already reads the object completely.
 */
async function startFullSync(
  { tx, queue }: JobTransaction,
  { pipelineId, object }: TableLease,
  position: Record<string, unknown> | null,
): Promise<CompletionKind | null> {
  const [audit] = await tx`
    select 1 from freshet.object_runs
    where pipeline_id = ${pipelineId} and object = ${object} and mode = 'audit'
      and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
    limit 1`;
  if (audit) return null;
  const open = await tx<{ id: string }[]>`
    select o.id from freshet.object_runs o join freshet.runs r on r.id = o.run_id
    where o.pipeline_id = ${pipelineId} and o.object = ${object} and r.kind = 'sync' and o.extracted_at is null
      and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})`;
  const openObjectRunIds = open.map(({ id }) => id);
  await tx`
    update freshet.pipeline_objects set extract_epoch = extract_epoch + 1,
      position = ${position === null ? null : tx.json(position as never)},
      is_full_sync_due = ${openObjectRunIds.length === 0}
    where pipeline_id = ${pipelineId} and object = ${object}`;
  await tx`update freshet.child_work set done_version = null where pipeline_id = ${pipelineId} and object = ${object}`;
  await tx`update freshet.object_runs set mode = 'full' where id = any(${openObjectRunIds})`;
  for (const id of openObjectRunIds) await enqueueExtract({ tx, queue }, id, null);
  return 'reading';
}
