import { CREDIT_CLASSES, type CreditClass, type PipelinePriority } from '@freshet/contracts';
import type { Tx } from '../database/database.ts';
import type { EnqueueOptions, JobTransaction } from './job-queue.ts';

/** The values that determine which of two due jobs runs first. */
export interface JobPriority {
  readonly creditClass: CreditClass;
  /** Whether a slice of the object run has ended because its time limit expired. */
  readonly isLong: boolean;
  readonly pipelinePriority: PipelinePriority;
}

/**
 * Converts a priority to the number that pg-boss uses: jobs with a higher number run first. Jobs of
 * a more urgent class run before jobs of a less urgent class, so that the backfill of one pipeline
 * does not delay the changes of another pipeline. As an exception, a long object run of any class
 * ranks no higher than a backfill, so that other pipelines wait for at most one of its slices.
 */
function toQueuePriority({ creditClass, isLong, pipelinePriority }: JobPriority): number {
  const rank = CREDIT_CLASSES.indexOf(creditClass);
  const effectiveRank = isLong ? Math.max(rank, CREDIT_CLASSES.indexOf('backfill')) : rank;
  return -2 * effectiveRank + (pipelinePriority === 'high' ? 1 : 0);
}

/**
 * Enqueues the next slice of an object run, in the caller's transaction.
 * @param priority null: the stored priority of the object run.
 */
export async function enqueueExtract(
  { tx, queue }: JobTransaction,
  objectRunId: string,
  priority: JobPriority | null,
  startAfterMs = 0,
): Promise<void> {
  const found = priority ?? (await findExtractPriority(tx, objectRunId));
  if (found === null) return;
  const options = { key: objectRunId, priority: toQueuePriority(found), startAfterMs };
  await queue.enqueue(tx, 'extract', { objectRunId }, options);
}

/**
 * Enqueues the first slice of each object run of a new run, in the caller's transaction.
 * @param objectRuns the ids and the credit classes of the object runs.
 */
export async function enqueueFirstExtracts(
  { tx, queue }: JobTransaction,
  objectRuns: readonly { readonly id: string; readonly creditClass: CreditClass }[],
  pipelinePriority: PipelinePriority,
): Promise<void> {
  const jobs = objectRuns.map(({ id, creditClass }) => ({
    data: { objectRunId: id },
    key: id,
    priority: toQueuePriority({ creditClass, isLong: false, pipelinePriority }),
  }));
  await queue.enqueueAll(tx, 'extract', jobs);
}

/**
 * Enqueues a load of the pending batches of a table, in the caller's transaction. At most one load
 * job of a table is active at a time.
 * @param priority null: the priority of the most urgent pending batch.
 */
export async function enqueueLoad(
  { tx, queue }: JobTransaction,
  { pipelineId, object }: { readonly pipelineId: string; readonly object: string },
  priority: JobPriority | null,
  options: Pick<EnqueueOptions, 'startAfterMs' | 'deduplicateSeconds' | 'replacesWaiting'> = {},
): Promise<void> {
  const found = priority ?? (await findLoadPriority(tx, pipelineId, object));
  const key = `${pipelineId}/${object}`;
  await queue.enqueue(tx, 'load', { pipelineId, object }, { ...options, key, priority: toQueuePriority(found) });
}

/** Finds the stored priority of an object run. Null: the object run does not exist. */
async function findExtractPriority(tx: Tx, objectRunId: string): Promise<JobPriority | null> {
  const [priority] = await tx<JobPriority[]>`
    select o.credit_class as "creditClass", o.is_long as "isLong", p.priority as "pipelinePriority"
    from freshet.object_runs o join freshet.pipelines p on p.id = o.pipeline_id where o.id = ${objectRunId}`;
  return priority ?? null;
}

async function findLoadPriority(tx: Tx, pipelineId: string, object: string): Promise<JobPriority> {
  const [priority] = await tx<JobPriority[]>`
    select o.credit_class as "creditClass", o.is_long as "isLong", p.priority as "pipelinePriority"
    from freshet.batches b join freshet.object_runs o on o.id = b.object_run_id
    join freshet.pipelines p on p.id = b.pipeline_id
    where b.pipeline_id = ${pipelineId} and b.object = ${object} and b.loaded_at is null
    order by o.is_long, array_position(${[...CREDIT_CLASSES]}::text[], o.credit_class) limit 1`;
  // Without a pending batch, the job ends at once, so it can have the highest priority.
  return priority ?? { creditClass: 'by_hand', isLong: false, pipelinePriority: 'normal' };
}
