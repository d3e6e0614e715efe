import {
  AppError,
  type CreditClass,
  type ExtractionRunKind,
  getTraceparent,
  type PipelinePriority,
  type RunTrigger,
  withSpan,
} from '@freshet/contracts';
import type { Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { enqueueExtract } from '../queue/jobs.ts';
import { finishRunIfComplete } from './completion.ts';

/** An audit extracts the children of parents that changed within this many days. */
const AUDIT_CHILDREN_DAYS = 30;

/** An object that a run extracts. */
export interface ObjectToExtract {
  readonly name: string;
  /**
   * The priority of the object's requests. In a run with the trigger `manual`, `incremental`
   * becomes `by_hand`.
   */
  readonly creditClass: CreditClass;
}

/** A run that was started, or the open run of the same kind. */
export interface StartedRun {
  readonly id: string;
  /** False when the run was already open. */
  readonly isNew: boolean;
}

/** The parameters of a new run. */
export interface RunRequest {
  readonly pipelineId: string;
  readonly trigger: RunTrigger;
  readonly objects: readonly ObjectToExtract[];
  readonly kind: ExtractionRunKind;
}

/**
 * Starts a run in the caller's transaction: creates the run, its object runs, and a job for each
 * object run. The caller holds the row lock of the pipeline. If a run of the same kind is open,
 * that run is returned.
 * @throws AppError `not_found` when the pipeline does not exist.
 */
export async function startRun({ tx, queue }: JobTransaction, request: RunRequest): Promise<StartedRun> {
  const { pipelineId, trigger, kind } = request;
  const [pipeline] = await tx<{ priority: PipelinePriority; open: string | null }[]>`
    select priority,
      (
        select r.id from freshet.runs r
        where r.pipeline_id = p.id and r.kind = ${kind} and r.status in ('queued', 'running')
      ) as open
    from freshet.pipelines p where id = ${pipelineId}`;
  if (!pipeline) throw new AppError('not_found', `Pipeline ${pipelineId} does not exist.`);
  if (pipeline.open !== null) return { id: pipeline.open, isNew: false };
  const id = uuidv7();
  // The new span is a child of the caller's span, or the root of a new trace.
  const traceparent = await withSpan(
    'start run',
    { attributes: { 'freshet.run_id': id, 'freshet.pipeline_id': pipelineId, 'freshet.kind': kind } },
    async () => getTraceparent(),
  );
  await tx`
    insert into freshet.runs (id, pipeline_id, kind, trigger, traceparent)
    values (${id}, ${pipelineId}, ${kind}, ${trigger}, ${traceparent})`;
  for (const object of request.objects)
    await addObjectRun({ tx, queue }, request, object, { runId: id, pipelinePriority: pipeline.priority });
  // If the pipeline has extracted nothing yet, an audit has no object runs, and finishes at once.
  if (kind === 'audit') await finishRunIfComplete({ tx, queue }, id);
  return { id, isNew: true };
}

async function addObjectRun(
  { tx, queue }: JobTransaction,
  { pipelineId, trigger, kind }: RunRequest,
  { name, creditClass: objectClass }: ObjectToExtract,
  { runId, pipelinePriority }: { readonly runId: string; readonly pipelinePriority: PipelinePriority },
): Promise<void> {
  const isPromoted = trigger === 'manual' && objectClass === 'incremental';
  const creditClass = kind === 'audit' ? 'audit' : isPromoted ? 'by_hand' : objectClass;
  const objectRunId = uuidv7();
  await tx`insert into freshet.pipeline_objects (pipeline_id, object) values (${pipelineId}, ${name})
    on conflict do nothing`;
  // An object that was never extracted cannot be audited.
  const added = await tx`
    insert into freshet.object_runs (id, run_id, pipeline_id, object, credit_class, mode)
    select ${objectRunId}, ${runId}, ${pipelineId}, ${name}, ${creditClass},
      case when ${kind === 'audit'} then 'audit'
        when position is null or is_full_sync_due then 'full' else 'incremental' end
    from freshet.pipeline_objects
    where pipeline_id = ${pipelineId} and object = ${name} and (position is not null or ${kind === 'sync'})`;
  if (added.count === 0) return;
  if (kind === 'sync') {
    await tx`
      update freshet.pipeline_objects set is_full_sync_due = false
      where pipeline_id = ${pipelineId} and object = ${name} and is_full_sync_due`;
  } else await addRecentParents(tx, pipelineId, name, objectRunId);
  await enqueueExtract({ tx, queue }, objectRunId, { creditClass, isLong: false, pipelinePriority });
}

/**
 * Adds the recently changed parents of a child object to an audit. Syncs do not notice every change
 * of a child, because a ticket does not change when one of its notes is edited or one of its emails
 * bounces. Such changes usually happen within days after the last change of the ticket.
 */
async function addRecentParents(tx: Tx, pipelineId: string, object: string, objectRunId: string): Promise<void> {
  await tx`
    insert into freshet.audit_work (pipeline_id, object, key, reason, object_run_id)
    select pipeline_id, object, parent_id, 'parent', ${objectRunId} from freshet.child_work
    where pipeline_id = ${pipelineId} and object = ${object} and done_version = version
      and changed_at > now() - make_interval(days => ${AUDIT_CHILDREN_DAYS})
    on conflict (pipeline_id, object, key) do update set
      object_run_id = excluded.object_run_id, reason = excluded.reason, outcome = null`;
}
