import {
  AppError,
  type CreditClass,
  type ExtractionRunKind,
  getTraceparent,
  type PipelinePriority,
  type RunMode,
  type RunTrigger,
  withSpan,
} from '@freshet/contracts';
import type { Fragment, Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { ObjectSettings } from '../database/schema/index.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { enqueueFirstExtracts } from '../queue/jobs.ts';
import { finishRunIfComplete } from './completion.ts';
import { buildQueuedRun, type Run } from './run-rows.ts';

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

/** Lists the objects that a pipeline with these settings extracts. */
export type ObjectLister = (settings: Readonly<Record<string, ObjectSettings>>) => readonly ObjectToExtract[];

/** A run that was started, or the open run of the same kind. */
export interface StartedRun {
  readonly id: string;
  /** False when the run was already open. */
  readonly isNew: boolean;
  /** The run as `Runs.get` returns it. Null: the run was already open, or it is an audit. */
  readonly run: Run | null;
}

/** The parameters of a new run. */
export interface RunRequest {
  readonly pipelineId: string;
  readonly trigger: RunTrigger;
  readonly objects: readonly ObjectToExtract[];
  readonly kind: ExtractionRunKind;
}

/** The state of a pipeline that the start of a run depends on. */
interface StartState {
  readonly priority: PipelinePriority;
  readonly objects: Readonly<Record<string, ObjectSettings>>;
  /** The id of the open run of the same kind. Null: no run of this kind is open. */
  readonly open: string | null;
}

/** @throws AppError `not_found` when the pipeline does not exist. */
export async function findStartState(tx: Tx, pipelineId: string, kind: ExtractionRunKind): Promise<StartState> {
  const [state] = await tx<StartState[]>`
    select priority, objects,
      (
        select r.id from freshet.runs r
        where r.pipeline_id = p.id and r.kind = ${kind} and r.status in ('queued', 'running')
      ) as open
    from freshet.pipelines p where id = ${pipelineId}`;
  if (!state) throw new AppError('not_found', `Pipeline ${pipelineId} does not exist.`);
  return state;
}

/**
 * Starts a run in the caller's transaction: creates the run, its object runs, and a job for each
 * object run. The caller holds the row lock of the pipeline. If a run of the same kind is open,
 * that run is returned. The number of round trips to the database does not depend on the number of
 * objects.
 * @param state the state of the pipeline, found after the lock was acquired.
 */
export async function startRun(
  { tx, queue }: JobTransaction,
  request: RunRequest,
  { open, priority }: StartState,
): Promise<StartedRun> {
  const { pipelineId, kind } = request;
  if (open !== null) return { id: open, isNew: false, run: null };
  const id = uuidv7();
  // The new span is a child of the caller's span, or the root of a new trace.
  const traceparent = await withSpan(
    'start run',
    { attributes: { 'freshet.run_id': id, 'freshet.pipeline_id': pipelineId, 'freshet.kind': kind } },
    async () => getTraceparent(),
  );
  const objectRuns = buildObjectRuns(request);
  const inserted = insertRun(tx, request, { id, traceparent, objectRuns });
  if (kind === 'sync') {
    // A sync has all object runs, so their jobs are sent together with them.
    const [run] = await Promise.all([inserted, enqueueFirstExtracts({ tx, queue }, objectRuns, priority)]);
    return { id, isNew: true, run };
  }
  const { objects } = await inserted;
  await addRecentParents(tx, pipelineId, id);
  const insertedIds = new Set(objects.map((objectRun) => objectRun.id));
  const auditRuns = objectRuns.filter((objectRun) => insertedIds.has(objectRun.id));
  await enqueueFirstExtracts({ tx, queue }, auditRuns, priority);
  // If the pipeline has extracted nothing yet, an audit has no object runs, and finishes at once.
  await finishRunIfComplete({ tx, queue }, id);
  return { id, isNew: true, run: null };
}

interface NewObjectRun {
  readonly id: string;
  readonly name: string;
  readonly creditClass: CreditClass;
}

function buildObjectRuns({ objects, trigger, kind }: RunRequest): NewObjectRun[] {
  return objects.map(({ name, creditClass }) => {
    const isPromoted = trigger === 'manual' && creditClass === 'incremental';
    return { id: uuidv7(), name, creditClass: kind === 'audit' ? 'audit' : isPromoted ? 'by_hand' : creditClass };
  });
}

interface NewRun {
  readonly id: string;
  readonly traceparent: string | null;
  readonly objectRuns: readonly NewObjectRun[];
}

/**
 * Creates a run, its object runs, and the objects that the pipeline has never extracted. Uses one
 * statement, because each statement costs about as much as a row.
 */
async function insertRun(
  tx: Tx,
  { pipelineId, trigger, kind }: RunRequest,
  { id: runId, traceparent, objectRuns }: NewRun,
): Promise<Run> {
  const isSync = kind === 'sync';
  // All parts of the statement read the same snapshot. Therefore, a full sync that is requested
  // concurrently stays due unless this run performs it.
  const rows = await tx<{ created_at: Date; id: string | null; mode: RunMode }[]>`
    with requested as materialized (
      select n.id, n.object, n.credit_class, po.object is null as is_new,
        po.position is null as is_first, coalesce(po.is_full_sync_due, false) as is_full_sync_due
      from unnest(
        ${objectRuns.map(({ id }) => id)}::uuid[], ${objectRuns.map(({ name }) => name)}::text[],
        ${objectRuns.map(({ creditClass }) => creditClass)}::text[]
      ) as n (id, object, credit_class)
      left join freshet.pipeline_objects po on po.pipeline_id = ${pipelineId} and po.object = n.object
    ), run as (
      insert into freshet.runs (id, pipeline_id, kind, trigger, traceparent)
      values (${runId}, ${pipelineId}, ${kind}, ${trigger}, ${traceparent}) returning created_at
    ), new_objects as (
      insert into freshet.pipeline_objects (pipeline_id, object)
      select ${pipelineId}::uuid, object from requested where is_new on conflict do nothing
    ), performed_full_syncs as (
      update freshet.pipeline_objects po set is_full_sync_due = false from requested r
      where ${isSync} and r.is_full_sync_due and po.pipeline_id = ${pipelineId} and po.object = r.object
    ), added as (
      insert into freshet.object_runs (id, run_id, pipeline_id, object, credit_class, mode)
      select id, ${runId}::uuid, ${pipelineId}::uuid, object, credit_class,
        case when ${!isSync} then 'audit' when is_first or is_full_sync_due then 'full' else 'incremental' end
      -- An object that was never extracted cannot be audited.
      from requested where ${isSync} or not is_first
      returning id, object, mode
    )
    select run.created_at, added.id, added.mode from run left join added on true order by added.object`;
  const requested = new Map(objectRuns.map((objectRun) => [objectRun.id, objectRun]));
  const [{ created_at }] = rows as unknown as [{ created_at: Date }];
  const objects = rows.flatMap(({ id, mode }) => {
    const objectRun = id === null ? undefined : requested.get(id);
    return objectRun === undefined ? [] : [{ ...objectRun, mode }];
  });
  return buildQueuedRun({ id: runId, pipeline_id: pipelineId, kind, trigger, traceparent, created_at }, objects);
}

/**
 * Adds the recently changed parents of child objects to an audit. Syncs do not notice every change
 * of a child, because a ticket does not change when one of its notes is edited or one of its emails
 * bounces. Such changes usually happen within days after the last change of the ticket.
 */
function addRecentParents(tx: Tx, pipelineId: string, runId: string): Fragment {
  return tx`
    insert into freshet.audit_work (pipeline_id, object, key, reason, object_run_id)
    select w.pipeline_id, w.object, w.parent_id, 'parent', o.id
    from freshet.child_work w join freshet.object_runs o on o.run_id = ${runId} and o.object = w.object
    where w.pipeline_id = ${pipelineId} and w.done_version = w.version
      and w.changed_at > now() - make_interval(days => ${AUDIT_CHILDREN_DAYS})
    on conflict (pipeline_id, object, key) do update set
      object_run_id = excluded.object_run_id, reason = excluded.reason, outcome = null`;
}
