import {
  type AppError,
  type CreditsSpent,
  createUnavailableWarning,
  type ErrorCode,
  OPEN_OBJECT_RUN_STATUSES,
  type Unavailability,
} from '@freshet/contracts';
import type { Tx } from '../database/database.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { enqueueExtract, enqueueLoad } from '../queue/jobs.ts';
import { emitObjectRunFailed, finishRunIfComplete } from '../runs/completion.ts';
import { addWarnings } from '../runs/warnings.ts';
import { buildCreditsUpdate } from './credits.ts';
import { type ObjectRunLease, verifyLease } from './lease.ts';

/**
 * Time is divided into fixed intervals of this length. In each interval, backpressure enqueues at
 * most one load job per table, no matter how many object runs wait for the warehouse.
 */
const LOAD_DEDUPLICATION_SECONDS = 30;

/** How a slice ends when the object run continues later. */
export interface RequeueOptions {
  readonly afterMs: number;
  readonly status: 'running' | 'waiting_for_credits';
  /** The error that ended the slice. Absent: no error. */
  readonly error?: AppError | undefined;
  readonly credits: CreditsSpent;
  /** Whether the slice ended because its time limit expired. */
  readonly isLong?: boolean;
}

/** Why an object run cannot continue. */
interface StopReason {
  readonly status: 'failed' | 'forbidden' | 'not_in_plan';
  readonly error: { readonly code: ErrorCode; readonly message: string };
  readonly credits: CreditsSpent;
}

/** Ends a slice in the caller's transaction, and enqueues the next slice. */
export async function requeue(
  { tx, queue }: JobTransaction,
  lease: ObjectRunLease,
  options: RequeueOptions,
): Promise<void> {
  await verifyLease(tx, lease);
  const isLong = options.isLong ?? false;
  await tx`
    update freshet.object_runs set
      status = ${options.status},
      not_before = ${options.afterMs > 0 ? new Date(Date.now() + options.afterMs) : null},
      ${buildCreditsUpdate(tx, options.credits)},
      failures = failures + ${options.error ? 1 : 0},
      is_long = is_long or ${isLong},
      error_code = ${options.error?.code ?? null},
      error_message = ${options.error?.message ?? null}
    where id = ${lease.objectRunId}`;
  const priority = { ...lease.jobPriority, isLong: lease.jobPriority.isLong || isLong };
  await enqueueExtract({ tx, queue }, lease.objectRunId, priority, options.afterMs);
}

/**
 * Ends a slice because of the backlog of the warehouse, and enqueues the next slice after
 * `afterMs`. For each table of the pipeline, ensures that a load job exists if the table has
 * pending batches.
 */
export async function pauseForBackpressure(
  { tx, queue }: JobTransaction,
  lease: ObjectRunLease,
  { error, afterMs, credits }: { readonly error: AppError; readonly afterMs: number; readonly credits: CreditsSpent },
): Promise<void> {
  await verifyLease(tx, lease);
  await tx`
    update freshet.object_runs set not_before = ${new Date(Date.now() + afterMs)}, ${buildCreditsUpdate(tx, credits)},
      error_code = ${error.code}, error_message = ${error.message}
    where id = ${lease.objectRunId}`;
  await enqueueExtract({ tx, queue }, lease.objectRunId, lease.jobPriority, afterMs);
  // After the loads of a table have failed too often, only a new batch enqueues another load job,
  // but backpressure prevents new batches. Enqueue the load jobs here.
  const pending = await tx<{ object: string }[]>`
    select distinct object from freshet.batches
    where pipeline_id = ${lease.pipelineId} and loaded_at is null order by object`;
  for (const { object } of pending) {
    await enqueueLoad({ tx, queue }, { pipelineId: lease.pipelineId, object }, null, {
      deduplicateSeconds: LOAD_DEDUPLICATION_SECONDS,
    });
  }
}

/**
 * Stops an object run that cannot continue. The other object runs of the run continue (I7), unless
 * the API key is invalid. Batches that are already stored are still loaded.
 */
export async function stop(
  { tx, queue }: JobTransaction,
  lease: ObjectRunLease,
  { status, error, credits }: StopReason,
): Promise<void> {
  // An invalid API key is invalid for all objects. Stop the other object runs of the run, so that
  // they do not spend credits to get the same error.
  const concernsRun = status === 'failed' && error.code === 'source_auth';
  if (concernsRun)
    await tx`select id from freshet.object_runs where run_id = ${lease.runId} order by id for no key update`;
  await verifyLease(tx, lease);
  if (concernsRun) {
    await tx`
      update freshet.object_runs set status = 'failed', error_code = ${error.code}, error_message = ${error.message},
        not_before = null, finished_at = now()
      where run_id = ${lease.runId} and id <> ${lease.objectRunId} and extracted_at is null
        and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})`;
  }
  await tx`
    update freshet.object_runs set status = ${status}, error_code = ${error.code}, error_message = ${error.message},
      finished_at = now(), ${buildCreditsUpdate(tx, credits)}
    where id = ${lease.objectRunId}`;
  if (status === 'failed') await emitObjectRunFailed({ tx, queue }, lease.objectRunId);
  else await markUnavailable(tx, lease, status, error.message);
  await finishRunIfComplete({ tx, queue }, lease.runId);
}

/**
 * Marks an object as unavailable, because the API key cannot read it. If no API key has ever read
 * the object, and no user included the object by name, this adds a warning to the object run, and
 * only the other object runs determine the status of the run.
 */
async function markUnavailable(
  tx: Tx,
  lease: ObjectRunLease,
  availability: Unavailability,
  reason: string,
): Promise<void> {
  const [row] = await tx<{ is_required: boolean }[]>`
    update freshet.pipeline_objects po set availability = ${availability}, availability_message = ${reason}
    from freshet.pipelines p
    where po.pipeline_id = ${lease.pipelineId} and po.object = ${lease.object} and p.id = po.pipeline_id
    returning po.first_read_at is not null or po.complete_as_of is not null
      or coalesce((p.objects -> po.object ->> 'included')::boolean, false) as is_required`;
  if (row?.is_required === false)
    await addWarnings(tx, lease.objectRunId, [createUnavailableWarning(lease.object, reason)]);
}
