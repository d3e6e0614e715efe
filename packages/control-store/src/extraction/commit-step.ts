import { settleAll, type Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { enqueueExtract, enqueueLoad } from '../queue/jobs.ts';
import { finishObjectRunIfComplete } from '../runs/completion.ts';
import {
  buildQuarantineQuery,
  clearUnitFailures,
  getRetryDelayWithinRun,
  recordUnitFailures,
} from '../runs/unit-failures.ts';
import { addWarnings } from '../runs/warnings.ts';
import { buildCreditsUpdate } from './credits.ts';
import { type ObjectRunLease, verifyLease } from './lease.ts';
import type { Step } from './step.ts';
import { addChildWork, addErasedKeys, completeAuditWork, completeChildWork, toUnreadableUnit } from './work.ts';

/** The maximum reported progress of an open extraction. */
const PROGRESS_MAX = 0.99;

/**
 * Commits one step in the caller's transaction: batch, position, child work, counters and load job
 * (I1).
 * @returns the id of the batch. Null: the step has no batch.
 * @throws AppError `fenced` when the lease is lost.
 */
export async function commitStep(
  { tx, queue }: JobTransaction,
  lease: ObjectRunLease,
  step: Step,
): Promise<string | null> {
  const batchId = step.batch === null ? null : uuidv7();
  const units = [...step.completedUnits, ...step.failedUnits.map(toUnreadableUnit)];
  // The first statements of all functions are sent together, in this order. With a round trip for
  // each statement, commits would take longer than the extraction of their pages.
  await settleAll([
    verifyLease(tx, lease),
    savePosition(tx, lease, step),
    updateCounters(tx, lease, step),
    addWarnings(tx, lease.objectRunId, step.warnings ?? []),
    insertBatch({ tx, queue }, lease, batchId, step),
    addErasedKeys(tx, lease, step.erasedKeys),
    addChildWork(tx, lease.pipelineId, step.childWork),
    lease.isAudit ? completeAuditWork(tx, lease, units) : completeChildWork(tx, lease.pipelineId, step.completedUnits),
    clearUnitFailures(tx, lease.pipelineId, step.completedUnits),
    recordUnitFailures(tx, lease, step.failedUnits),
    saveCoverage(tx, lease, step),
  ]);
  if (step.isLast) await finishExtraction({ tx, queue }, lease);
  return batchId;
}

async function savePosition(tx: Tx, lease: ObjectRunLease, step: Step): Promise<void> {
  const position = tx.json(step.position as never);
  if (lease.isAudit) {
    await tx`update freshet.object_runs set position = ${position} where id = ${lease.objectRunId}`;
    return;
  }
  const availability = provesAccess(step)
    ? tx`, availability = 'available', availability_message = null, first_read_at = coalesce(first_read_at, now())`
    : tx``;
  await tx`
    update freshet.pipeline_objects set position = ${position},
      custom_columns =
        ${step.customColumns === null ? tx`custom_columns` : tx.json(step.customColumns as never)}${availability}
    where pipeline_id = ${lease.pipelineId} and object = ${lease.object}`;
}

/**
 * Whether Freshdesk returned data of the object itself, which proves that the API key can read the
 * object. An empty step of a child object does not prove this while the parent object is still
 * being extracted, because there may have been no parent to read yet.
 */
function provesAccess({ batch, completedUnits, isLast }: Step): boolean {
  return batch !== null || completedUnits.length > 0 || isLast;
}

async function updateCounters(tx: Tx, { objectRunId }: ObjectRunLease, step: Step): Promise<void> {
  const progress = step.progress === null ? null : Math.min(step.progress, PROGRESS_MAX);
  await tx`
    update freshet.object_runs set
      records_extracted = records_extracted + ${step.batch?.records ?? 0},
      bytes_staged = bytes_staged + ${step.batch?.rawBytes ?? 0},
      ${buildCreditsUpdate(tx, step.credits)},
      units_done = units_done + ${step.completedUnits.length + step.failedUnits.length},
      progress = ${progress === null ? tx`progress` : tx`greatest(progress, ${progress}::float8)`},
      failures = 0
    where id = ${objectRunId}`;
}

async function saveCoverage(tx: Tx, { objectRunId }: ObjectRunLease, { coverage }: Step): Promise<void> {
  if (coverage === null) return;
  await tx`
    update freshet.object_runs set complete_as_of = ${coverage.completeAsOf},
      complete_back_to = ${coverage.completeBackTo}
    where id = ${objectRunId}`;
}

async function insertBatch(
  { tx, queue }: JobTransaction,
  lease: ObjectRunLease,
  id: string | null,
  { batch }: Step,
): Promise<void> {
  if (batch === null) return;
  const insert = tx`
    insert into freshet.batches (id, pipeline_id, object, object_run_id, generation, records, raw_bytes, extracted_at,
      body)
    values (${id}, ${lease.pipelineId}, ${lease.object}, ${lease.objectRunId}, ${batch.generation}, ${batch.records},
      ${batch.rawBytes}, ${batch.extractedAt}, ${batch.body})`;
  await settleAll([insert, enqueueLoad({ tx, queue }, lease, lease.jobPriority)]);
}

/** Marks the extraction of the object run as finished, unless the object run still has work. */
async function finishExtraction({ tx, queue }: JobTransaction, lease: ObjectRunLease): Promise<void> {
  const delayMs = await getRemainingWorkDelay(tx, lease);
  if (delayMs !== null) {
    await enqueueExtract({ tx, queue }, lease.objectRunId, lease.jobPriority, delayMs);
    return;
  }
  await tx`update freshet.object_runs set extracted_at = now() where id = ${lease.objectRunId}`;
  if (lease.isAudit)
    await tx`delete from freshet.audit_work where object_run_id = ${lease.objectRunId} and not is_final`;
  await finishObjectRunIfComplete({ tx, queue }, lease.objectRunId);
}

/** Gets the milliseconds until the object run has more work. Null: no work is left. */
async function getRemainingWorkDelay(tx: Tx, lease: ObjectRunLease): Promise<number | null> {
  // If the child list of a parent was empty although the table contains children of the parent, the
  // same run rereads the list.
  const [unconfirmed] = await tx`
    select 1 from freshet.child_work
    where pipeline_id = ${lease.pipelineId} and object = ${lease.object} and needs_confirmation
      and done_version is distinct from version and ${!lease.isAudit}
      and not exists (${buildQuarantineQuery(tx, tx`child_work.parent_id`, lease)}) limit 1`;
  if (unconfirmed) return 0;
  // A parent that failed for the first time is retried in the same run, because the cause may have
  // been temporary.
  const retryDelayMs = lease.isAudit ? null : await getRetryDelayWithinRun(tx, lease);
  if (retryDelayMs !== null) return retryDelayMs;
  const [lookup] = await tx`
    select 1 from freshet.audit_work where object_run_id = ${lease.objectRunId} and outcome is null limit 1`;
  return lookup ? 0 : null;
}
