import { hash } from 'node:crypto';
import {
  type BatchCounts,
  createMisfitsWarning,
  OPEN_OBJECT_RUN_STATUSES,
  type RejectedRecord,
} from '@freshet/contracts';
import type { Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { emit } from '../notifications/events.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { enqueueExtract } from '../queue/jobs.ts';
import { finishObjectRunIfComplete } from '../runs/completion.ts';
import { buildRejectedRecordAad } from '../runs/rejected-records.ts';
import { addWarnings } from '../runs/warnings.ts';
import type { SecretBox } from '../security/secret-box.ts';
import type { LoadOutcome } from './load-outcome.ts';
import { type TableLease, verifyTableLease } from './table-lease.ts';

/** A batch that this transaction marked as loaded, with the id of its object run. */
interface MarkedBatch {
  readonly id: string;
  readonly object_run_id: string;
}

/**
 * Stores the outcome of a load in the caller's transaction, after the warehouse has committed the
 * load. The batches are marked as loaded, and object runs that are now complete are finished. If
 * the call is repeated, no record is counted twice, because only batches that are still pending are
 * counted.
 */
export async function markLoaded(
  { tx, queue }: JobTransaction,
  box: SecretBox,
  lease: TableLease,
  outcome: LoadOutcome,
): Promise<void> {
  const ids = outcome.batches.map((batch) => batch.batchId);
  const objectRunIds = await lockObjectRuns(tx, ids);
  // An erasure acquires the lease before it removes rejected records. Verify the lease, so that a
  // worker without the lease cannot store rejected records of the erased person again.
  if (outcome.rejectedRecords.length > 0) await verifyTableLease(tx, lease);
  const marked = await tx<MarkedBatch[]>`
    update freshet.batches set loaded_at = now() where id = any(${ids}) and loaded_at is null
    returning id, object_run_id`;
  for (const objectRunId of objectRunIds) {
    const own = { objectRunId, batchIds: selectBatchIds(marked, objectRunId) };
    await countRecords(tx, lease.object, own, outcome);
  }
  await recordRejectedGenerations(tx, marked, outcome);
  await addDeletionCandidates(tx, lease, marked, outcome);
  if (marked.length > 0) await reopenParents({ tx, queue }, lease, objectRunIds, outcome.unconfirmedDeletions);
  const markedIds = new Set(marked.map(({ id }) => id));
  const rejected = outcome.rejectedRecords.filter(({ batchId }) => markedIds.has(batchId));
  await emitChanges({ tx, queue }, lease, rejected, outcome);
  for (const record of rejected) await insertRejectedRecord(tx, box, lease, record);
  if (marked.length > 0) await advanceCoverage(tx, lease, outcome.coverage);
  for (const objectRunId of objectRunIds) await finishObjectRunIfComplete({ tx, queue }, objectRunId);
}

/**
 * Locks the object runs of the pending batches in the order of their ids, before any other row is
 * locked.
 * @returns the ids of the object runs.
 */
async function lockObjectRuns(tx: Tx, batchIds: readonly string[]): Promise<string[]> {
  const owners = await tx<{ object_run_id: string }[]>`
    select object_run_id from freshet.batches where id = any(${[...batchIds]}) and loaded_at is null`;
  const objectRunIds = [...new Set(owners.map((owner) => owner.object_run_id))].sort();
  for (const id of objectRunIds) await tx`select id from freshet.object_runs where id = ${id} for no key update`;
  return objectRunIds;
}

function selectBatchIds(marked: readonly MarkedBatch[], objectRunId: string): ReadonlySet<string> {
  return new Set(marked.filter((batch) => batch.object_run_id === objectRunId).map(({ id }) => id));
}

async function countRecords(
  tx: Tx,
  object: string,
  { objectRunId, batchIds }: { readonly objectRunId: string; readonly batchIds: ReadonlySet<string> },
  { batches, misfits }: LoadOutcome,
): Promise<void> {
  const sum = (field: keyof BatchCounts) =>
    batches.filter(({ batchId }) => batchIds.has(batchId)).reduce((total, { counts }) => total + counts[field], 0);
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
  const ownMisfits = misfits.filter(({ batchId }) => batchIds.has(batchId));
  await addWarnings(
    tx,
    objectRunId,
    ownMisfits.map((misfit) => createMisfitsWarning(object, misfit)),
  );
}

async function recordRejectedGenerations(
  tx: Tx,
  marked: readonly MarkedBatch[],
  { rejectedGenerations }: LoadOutcome,
): Promise<void> {
  for (const { batchId, rows } of rejectedGenerations) {
    const batch = marked.find(({ id }) => id === batchId);
    if (!batch) continue;
    await tx`
      update freshet.object_runs set explained = explained || ${tx.json({ not_believed: rows })}
      where id = ${batch.object_run_id}`;
  }
}

/**
 * Adds a lookup of each deletion candidate to the object run of its audit, except for keys whose
 * outcome is final.
 */
async function addDeletionCandidates(
  tx: Tx,
  { pipelineId, object }: TableLease,
  marked: readonly MarkedBatch[],
  { deletionCandidates }: LoadOutcome,
): Promise<void> {
  for (const { id, object_run_id } of marked) {
    const own = deletionCandidates.filter(({ batchId }) => batchId === id);
    if (own.length === 0) continue;
    await tx`
      insert into freshet.audit_work (pipeline_id, object, key, reason, object_run_id)
      select ${pipelineId}, ${object}, k, r, ${object_run_id}
      from unnest(${own.map(({ key }) => key)}::text[], ${own.map(({ reason }) => reason)}::text[]) as c(k, r)
      on conflict (pipeline_id, object, key) do update set
        object_run_id = excluded.object_run_id, reason = excluded.reason, outcome = null
      where not audit_work.is_final`;
  }
}

/**
 * Makes the parents whose empty child lists are unconfirmed pending. If a sync read the lists,
 * reopens the extraction of its object run, which finishes after it has reread the lists.
 */
async function reopenParents(
  { tx, queue }: JobTransaction,
  { pipelineId, object }: TableLease,
  objectRunIds: readonly string[],
  parentIds: readonly string[],
): Promise<void> {
  if (parentIds.length === 0) return;
  await tx`
    update freshet.child_work set done_version = null, needs_confirmation = true, changed_at = clock_timestamp()
    where pipeline_id = ${pipelineId} and object = ${object} and parent_id = any(${[...parentIds]})`;
  const reopened = await tx<{ id: string }[]>`
    update freshet.object_runs set extracted_at = null
    where id = any(${[...objectRunIds]}) and extracted_at is not null and mode in ('full', 'incremental')
      and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
    returning id`;
  for (const { id } of reopened) await enqueueExtract({ tx, queue }, id, null);
}

async function emitChanges(
  { tx, queue }: JobTransaction,
  { pipelineId, object }: TableLease,
  rejected: readonly RejectedRecord[],
  { schemaChanges }: LoadOutcome,
): Promise<void> {
  if (rejected.length > 0) {
    const reasons: Record<string, number> = {};
    for (const { reason } of rejected) reasons[reason] = (reasons[reason] ?? 0) + 1;
    await emit({ tx, queue }, 'records.rejected', {
      pipeline_id: pipelineId,
      object,
      records: rejected.length,
      reasons,
    });
  }
  if (schemaChanges.length > 0)
    await emit({ tx, queue }, 'schema.changed', { pipeline_id: pipelineId, object, changes: schemaChanges });
}

async function insertRejectedRecord(
  tx: Tx,
  box: SecretBox,
  { pipelineId, object }: TableLease,
  { batchId, line, reason, raw }: RejectedRecord,
): Promise<void> {
  const id = uuidv7();
  await tx`
    insert into freshet.rejected_records (id, pipeline_id, object, batch_id, line, reason, raw, fingerprint,
      extracted_at)
    select ${id}, ${pipelineId}, ${object}, id, ${line}, ${reason}, ${box.seal(raw, buildRejectedRecordAad(id))},
      ${hash('sha256', raw, 'hex')}, extracted_at
    from freshet.batches where id = ${batchId}
    on conflict do nothing`;
}

/**
 * Stores the coverage of the table. The lag that ends now is stored if it is the longest lag of the
 * day.
 */
async function advanceCoverage(
  tx: Tx,
  { pipelineId, object }: TableLease,
  coverage: LoadOutcome['coverage'],
): Promise<void> {
  if (coverage === null) return;
  await tx`
    insert into freshet.lags as l (pipeline_id, object, day, since, until)
    select pipeline_id, object, (now() at time zone 'UTC')::date, complete_as_of, now() from freshet.pipeline_objects
    where pipeline_id = ${pipelineId} and object = ${object} and complete_as_of < ${coverage.completeAsOf}
    on conflict (pipeline_id, object, day) do update set since = excluded.since, until = excluded.until
    where excluded.until - excluded.since > l.until - l.since`;
  await tx`
    update freshet.pipeline_objects set complete_as_of = ${coverage.completeAsOf},
      complete_back_to = ${coverage.completeBackTo}
    where pipeline_id = ${pipelineId} and object = ${object}`;
}
