import { OPEN_OBJECT_RUN_STATUSES } from '@freshet/contracts';
import type { Tx } from '../database/database.ts';
import type { JobQueue } from '../queue/job-queue.ts';
import { enqueueExtract } from '../queue/jobs.ts';
import { findOpenRebuild, getStoredRecords, type StoredRecords, startRebuild } from '../runs/rebuilds.ts';
import type { StoreContext } from '../store.ts';
import type { LoadOutcome } from './load-outcome.ts';
import type { TableLease } from './table-lease.ts';

/**
 * Converts the position of an object to the position from which a full sync starts. Null: the full
 * sync starts without a position.
 */
export type PositionReset = (position: Record<string, unknown>) => Record<string, unknown> | null;

/** How missing values are supplied: from stored batches, or by reading the object completely. */
export type CompletionKind = 'rebuild' | 'reading';

interface CompletionContext {
  readonly tx: Tx;
  readonly queue: JobQueue;
  readonly lease: TableLease;
  /** The ids of the object runs of syncs that still extract the object. Their rows are locked. */
  readonly openObjectRunIds: readonly string[];
}

/**
 * Starts the work that supplies the missing values of a table's rows, once for each value of
 * `completion.since`. The work is a rebuild if the stored batches can supply the values and contain
 * all records of a full sync. Otherwise, the work is a full sync, in the open run or in the next
 * run.
 * @param resetPosition null: every run reads the object completely, so nothing has to be started.
 * @returns the kind of the started work. Null: nothing was started. If work is still required, a
 * later load tries again.
 */
export async function startCompletion(
  { sql, queue }: Pick<StoreContext, 'sql' | 'queue'>,
  lease: TableLease,
  completion: LoadOutcome['completion'],
  resetPosition: PositionReset | null,
): Promise<CompletionKind | null> {
  const { pipelineId, object } = lease;
  const since = completion?.since ?? null;
  // Most loads do not change this state, and need no transaction.
  const [state] = await sql<{ changed: boolean; started: boolean }[]>`
    select completing_since is distinct from ${since} as changed, 
      completion_started_for is not distinct from ${since} as started
    from freshet.pipeline_objects where pipeline_id = ${pipelineId} and object = ${object}`;
  if (!state || (!state.changed && (since === null || state.started))) return null;
  return await sql.begin(async (tx): Promise<CompletionKind | null> => {
    const context = { tx, queue, lease, openObjectRunIds: await lockForCompletion(tx, lease) };
    const [row] = await tx<{ position: Record<string, unknown> | null; started: boolean }[]>`
      update freshet.pipeline_objects set completing_since = ${since}
      where pipeline_id = ${pipelineId} and object = ${object}
      returning position, completion_started_for is not distinct from ${since} as started`;
    if (!row || completion === null || row.started) return null;
    let started: CompletionKind | null = null;
    if (resetPosition !== null) {
      const stored = completion.isRereadNeeded ? null : await getStoredRecords(tx, pipelineId, object);
      const start = row.position === null ? null : resetPosition(row.position);
      started = stored?.isComplete ? await joinOrStartRebuild(context, stored) : await startFullSync(context, start);
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
  });
}

/**
 * Locks the pipeline and then the object runs, which is the lock order of every transaction.
 * @returns the ids of the object runs.
 */
async function lockForCompletion(tx: Tx, { pipelineId, object }: TableLease): Promise<string[]> {
  await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
  const open = await tx<{ id: string }[]>`
    select o.id from freshet.object_runs o join freshet.runs r on r.id = o.run_id
    where o.pipeline_id = ${pipelineId} and o.object = ${object} and r.kind = 'sync' and o.extracted_at is null
      and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
    order by o.id for no key update of o`;
  return open.map(({ id }) => id);
}

/**
 * Starts a rebuild of the table. If a rebuild run is open, the rebuild joins that run. Null: the
 * open run already rebuilds the table, with the former columns of the table.
 */
async function joinOrStartRebuild(
  { tx, queue, lease }: CompletionContext,
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
  { tx, queue, lease: { pipelineId, object }, openObjectRunIds }: CompletionContext,
  position: Record<string, unknown> | null,
): Promise<CompletionKind | null> {
  const [audit] = await tx`
    select 1 from freshet.object_runs
    where pipeline_id = ${pipelineId} and object = ${object} and mode = 'audit'
      and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
    limit 1`;
  if (audit) return null;
  await tx`
    update freshet.pipeline_objects set extract_epoch = extract_epoch + 1,
      position = ${position === null ? null : tx.json(position as never)},
      is_full_sync_due = ${openObjectRunIds.length === 0}
    where pipeline_id = ${pipelineId} and object = ${object}`;
  await tx`update freshet.child_work set done_version = null where pipeline_id = ${pipelineId} and object = ${object}`;
  await tx`update freshet.object_runs set mode = 'full' where id = any(${[...openObjectRunIds]})`;
  for (const id of openObjectRunIds) await enqueueExtract({ tx, queue }, id, null);
  return 'reading';
}
