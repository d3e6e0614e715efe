import {
  AppError,
  OPEN_OBJECT_RUN_STATUSES,
  type PipelinePriority,
  type RunStatus,
  traceparent,
} from '@freshet/contracts';
import type { Sql, Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { sendExtract } from '../work/jobs.ts';
import type { JobQueue } from '../work/queue.ts';

/** A record to be read anew, or a parent whose children are. */
export interface Wanted {
  readonly object: string;
  readonly key: string;
  readonly as: 'record' | 'parent';
}

/** Single records that somebody wants to have read now: in a run of their own, which takes in what is asked for while it is under way. */
export class Refreshes {
  readonly #sql: Sql;
  readonly #queue: JobQueue;

  constructor(sql: Sql, queue: JobQueue) {
    this.#sql = sql;
    this.#queue = queue;
  }

  /** @returns the run that reads them. A record that is requested twice before it is read is read once. */
  async request(pipelineId: string, wanted: readonly Wanted[]): Promise<string> {
    return await this.#sql.begin((tx) => addRequests(tx, this.#queue, pipelineId, wanted));
  }
}

/** The same in the caller's transaction. @throws AppError `not_found` when the pipeline does not exist. */
export async function addRequests(
  tx: Tx,
  queue: JobQueue,
  pipelineId: string,
  wanted: readonly Wanted[],
): Promise<string> {
  const [pipeline] = await tx<
    { priority: PipelinePriority }[]
  >`select priority from freshet.pipelines where id = ${pipelineId} for no key update`;
  if (!pipeline) throw new AppError('not_found', `Pipeline ${pipelineId} does not exist.`);
  const runId = (await openRun(tx, pipelineId)) ?? uuidv7();
  await tx`
    insert into freshet.runs (id, pipeline_id, kind, trigger, traceparent)
    values (${runId}, ${pipelineId}, 'refresh', 'manual', ${traceparent()}) on conflict do nothing`;
  for (const [object, own] of Map.groupBy(wanted, (w) => w.object)) {
    await tx`insert into freshet.pipeline_objects (pipeline_id, object) values (${pipelineId}, ${object}) on conflict do nothing`;
    // An object run that is open, or that finished before the others of its run, gets more work.
    const [objectRun] = await tx<{ id: string }[]>`
      insert into freshet.object_runs (id, run_id, pipeline_id, object, credit_class, mode)
      values (${uuidv7()}, ${runId}, ${pipelineId}, ${object}, 'by_hand', 'refresh')
      on conflict (run_id, object) do update set extracted_at = null, finished_at = null, error_code = null, error_message = null,
        status = case when object_runs.status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) then object_runs.status else 'queued' end
      returning id`;
    const { id } = objectRun as { id: string };
    await tx`
      insert into freshet.audit_work (pipeline_id, object, key, reason, object_run_id)
      select distinct on (w.k) ${pipelineId}::uuid, ${object}, w.k, w.r, ${id}::uuid
      from unnest(${own.map(({ key }) => key)}::text[], ${own.map(({ as }) => (as === 'record' ? 'asked' : 'parent'))}::text[]) as w(k, r)
      on conflict (pipeline_id, object, key) do update set object_run_id = excluded.object_run_id, reason = excluded.reason, outcome = null, lasting = false`;
    await sendExtract(queue, tx, id, { creditClass: 'by_hand', isLong: false, priority: pipeline.priority });
  }
  return runId;
}

/** The pipeline's refresh that is under way, held so that it stays so. */
async function openRun(tx: Tx, pipelineId: string): Promise<string | null> {
  const [open] = await tx<{ id: string }[]>`
    select id from freshet.runs where pipeline_id = ${pipelineId} and kind = 'refresh' and status in ('queued', 'running')`;
  if (!open) return null;
  // Object runs before their run: the order in which everybody locks them.
  await tx`select id from freshet.object_runs where run_id = ${open.id} order by id for no key update`;
  const [run] = await tx<
    { status: RunStatus }[]
  >`select status from freshet.runs where id = ${open.id} for no key update`;
  return run?.status === 'queued' || run?.status === 'running' ? open.id : null;
}
