import {
  AppError,
  getTraceparent,
  OPEN_OBJECT_RUN_STATUSES,
  type PipelinePriority,
  type RunStatus,
} from '@freshet/contracts';
import type { Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { enqueueExtract } from '../queue/jobs.ts';
import { Store } from '../store.ts';

/** A record to refresh, or a parent whose children are refreshed. */
export interface RefreshRequest {
  readonly object: string;
  readonly key: string;
  readonly kind: 'record' | 'parent';
}

/**
 * Refreshes of single records, and of the children of single parents. A pipeline has at most one
 * open refresh run. While the run is open, further requests are added to it.
 */
export class Refreshes extends Store {
  /**
   * Requests refreshes. If a record is requested again before it is read, it is still read only
   * once.
   * @returns the id of the refresh run.
   */
  async request(pipelineId: string, requests: readonly RefreshRequest[]): Promise<string> {
    return await this.sql.begin((tx) => addRefreshRequests({ tx, queue: this.queue }, pipelineId, requests));
  }
}

/**
 * Adds requests to the open refresh run of a pipeline, or starts a refresh run, in the caller's
 * transaction.
 * @returns the id of the run.
 * @throws AppError `not_found` when the pipeline does not exist.
 */
export async function addRefreshRequests(
  { tx, queue }: JobTransaction,
  pipelineId: string,
  requests: readonly RefreshRequest[],
): Promise<string> {
  const [pipeline] = await tx<{ priority: PipelinePriority }[]>`
    select priority from freshet.pipelines where id = ${pipelineId} for no key update`;
  if (!pipeline) throw new AppError('not_found', `Pipeline ${pipelineId} does not exist.`);
  const runId = (await lockOpenRefresh(tx, pipelineId)) ?? uuidv7();
  await tx`
    insert into freshet.runs (id, pipeline_id, kind, trigger, traceparent)
    values (${runId}, ${pipelineId}, 'refresh', 'manual', ${getTraceparent()}) on conflict do nothing`;
  for (const [object, own] of Map.groupBy(requests, (request) => request.object)) {
    await tx`insert into freshet.pipeline_objects (pipeline_id, object) values (${pipelineId}, ${object})
      on conflict do nothing`;
    // The object run may have finished while other object runs of the run are still open. In this
    // case, reopen the object run.
    const [objectRun] = await tx<{ id: string }[]>`
      insert into freshet.object_runs (id, run_id, pipeline_id, object, credit_class, mode)
      values (${uuidv7()}, ${runId}, ${pipelineId}, ${object}, 'by_hand', 'refresh')
      on conflict (run_id, object) do update set extracted_at = null, finished_at = null, error_code = null,
        error_message = null,
        status = case when object_runs.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
          then object_runs.status else 'queued' end
      returning id`;
    const { id } = objectRun as { id: string };
    const keys = own.map(({ key }) => key);
    const reasons = own.map(({ kind }) => (kind === 'record' ? 'requested' : 'parent'));
    await tx`
      insert into freshet.audit_work (pipeline_id, object, key, reason, object_run_id)
      select distinct on (w.k) ${pipelineId}::uuid, ${object}, w.k, w.r, ${id}::uuid
      from unnest(${keys}::text[], ${reasons}::text[]) as w(k, r)
      on conflict (pipeline_id, object, key) do update set
        object_run_id = excluded.object_run_id, reason = excluded.reason, outcome = null, is_final = false`;
    await enqueueExtract({ tx, queue }, id, {
      creditClass: 'by_hand',
      isLong: false,
      pipelinePriority: pipeline.priority,
    });
  }
  return runId;
}

/**
 * Locks the open refresh run of a pipeline, so that the run stays open until the transaction ends.
 * Null: no refresh run is open.
 */
async function lockOpenRefresh(tx: Tx, pipelineId: string): Promise<string | null> {
  const [open] = await tx<{ id: string }[]>`
    select id from freshet.runs
    where pipeline_id = ${pipelineId} and kind = 'refresh' and status in ('queued', 'running')`;
  if (!open) return null;
  // Lock order: object runs before their run, in every transaction.
  await tx`select id from freshet.object_runs where run_id = ${open.id} order by id for no key update`;
  const [run] = await tx<{ status: RunStatus }[]>`
    select status from freshet.runs where id = ${open.id} for no key update`;
  return run?.status === 'queued' || run?.status === 'running' ? open.id : null;
}
