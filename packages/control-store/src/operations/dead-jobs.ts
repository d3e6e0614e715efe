import { AppError, type JobPayloads, OPEN_OBJECT_RUN_STATUSES, type QueueName } from '@freshet/contracts';
import { buildColumnList, type Fragment, type Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { deadJobs } from '../database/schema/index.ts';
import { emit } from '../notifications/events.ts';
import type { DeadLetter, JobTransaction } from '../queue/job-queue.ts';
import { enqueueExtract, enqueueLoad } from '../queue/jobs.ts';
import { failAnalyticsRefresh, requestTrackingRemoval, retryAnalyticsRefresh } from '../resources/analytics.ts';
import { emitObjectRunFailed, finishRunIfComplete } from '../runs/completion.ts';
import { Store } from '../store.ts';

export type DeadJob = typeof deadJobs.$inferSelect;

/**
 * Dead jobs: jobs that failed on every attempt. They are stored until a user retries or discards
 * them.
 */
export class DeadJobs extends Store {
  async list(
    { limit, cursor }: ListOptions,
    filter: { readonly queue?: string | undefined; readonly pipeline_id?: string | undefined },
  ): Promise<List<DeadJob>> {
    const sql = this.sql;
    const rows = await sql<DeadJob[]>`
      select ${buildColumnList(sql, deadJobs)} from freshet.dead_jobs where true
        ${filter.queue === undefined ? sql`` : sql`and queue = ${filter.queue}`}
        ${filter.pipeline_id === undefined ? sql`` : sql`and pipeline_id = ${filter.pipeline_id}`}
        ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}
      order by id desc limit ${limit + 1}`;
    return toList([...rows], limit);
  }

  /**
   * Stores a dead job, and fails the object runs, the erasure or the refresh of models that depend
   * on the job. Without the job, they would never finish.
   */
  async record({ queue, data, attempts, reason }: DeadLetter): Promise<void> {
    await this.sql.begin(async (tx) => {
      const pipelineId = await findPipelineId(tx, queue, data);
      await tx`
        insert into freshet.dead_jobs (id, queue, data, attempts, reason, pipeline_id)
        values (${uuidv7()}, ${queue}, ${tx.json(data as never)}, ${attempts}, ${reason}, ${pipelineId})`;
      await failDependents(
        { tx, queue: this.queue },
        queue,
        data,
        `The job failed on all ${attempts} attempts. ${reason}`,
      );
      await emit({ tx, queue: this.queue }, 'job.died', { queue, pipeline_id: pipelineId, attempts, reason });
    });
  }

  /**
   * Enqueues a dead job again. Reopens the object run that failed together with an extract job, or
   * the erasure that failed together with an erase job. The object runs that failed together with a
   * load job stay failed, but their batches are loaded.
   * @throws AppError `not_found`, or `conflict` when the job has nothing left to do.
   */
  async retry(id: string): Promise<void> {
    await this.sql.begin(async (tx) => {
      const job = await deleteJob(tx, id);
      switch (job.queue) {
        case 'extract':
          return retryExtract({ tx, queue: this.queue }, job.data as unknown as JobPayloads['extract']);
        case 'load':
          return enqueueLoad({ tx, queue: this.queue }, job.data as unknown as JobPayloads['load'], null);
        case 'deliver': {
          const data = job.data as unknown as JobPayloads['deliver'];
          return this.queue.enqueue(tx, 'deliver', data, { key: data.deliveryId });
        }
        case 'erase':
          return retryErasure({ tx, queue: this.queue }, job.data as unknown as JobPayloads['erase']);
        case 'refresh_analytics': {
          const { pipelineId, removal } = job.data as unknown as JobPayloads['refresh_analytics'];
          if (removal === undefined) return retryAnalyticsRefresh({ tx, queue: this.queue }, pipelineId);
          const request = { ...removal, requestedAt: new Date().toISOString() };
          return requestTrackingRemoval({ tx, queue: this.queue }, pipelineId, request);
        }
      }
    });
  }

  /** Deletes a dead job. @throws AppError `not_found`. */
  async discard(id: string): Promise<void> {
    await this.sql.begin((tx) => deleteJob(tx, id));
  }
}

async function deleteJob(tx: Tx, id: string): Promise<DeadJob> {
  const [job] = await tx<DeadJob[]>`
    delete from freshet.dead_jobs where id = ${id} returning ${buildColumnList(tx, deadJobs)}`;
  if (!job) throw new AppError('not_found', `Dead job ${id} does not exist.`);
  return job;
}

async function retryExtract({ tx, queue }: JobTransaction, { objectRunId }: JobPayloads['extract']): Promise<void> {
  const [objectRun] = await tx<{ run_id: string }[]>`
    update freshet.object_runs set status = 'queued', error_code = null, error_message = null, finished_at = null,
      failures = 0
    where id = ${objectRunId} and status = 'failed' and extracted_at is null returning run_id`;
  if (!objectRun) {
    throw new AppError(
      'conflict',
      'The object run that this job was executing has finished or was deleted. Discard the job, and start a new run.',
    );
  }
  const [openRun] = await tx`
    select o.id from freshet.runs r join freshet.runs o on o.pipeline_id = r.pipeline_id and o.kind = r.kind
      and o.id <> r.id
    where r.id = ${objectRun.run_id} and o.status in ('queued', 'running')`;
  if (openRun) {
    throw new AppError(
      'conflict',
      'Another run of the pipeline is open, and extracts the same object. Discard the job.',
    );
  }
  await tx`update freshet.runs set status = 'running', finished_at = null where id = ${objectRun.run_id}`;
  await enqueueExtract({ tx, queue }, objectRunId, null);
}

async function retryErasure({ tx, queue }: JobTransaction, data: JobPayloads['erase']): Promise<void> {
  const [erasure] = await tx<{ pipeline_id: string }[]>`
    update freshet.erasures set status = 'queued', finished_at = null, failures = 0
    where id = ${data.erasureId} and status = 'failed' returning pipeline_id`;
  if (!erasure)
    throw new AppError(
      'conflict',
      'The erasure that this job was executing has already finished or was deleted. Discard the job.',
    );
  await queue.enqueue(tx, 'erase', data, { key: erasure.pipeline_id });
}

/**
 * Finds the pipeline that a job concerns. Null: the job concerns no pipeline, or the pipeline was
 * deleted.
 */
async function findPipelineId(tx: Tx, queue: QueueName, data: object): Promise<string | null> {
  switch (queue) {
    case 'load':
    case 'refresh_analytics':
      return (data as JobPayloads['load' | 'refresh_analytics']).pipelineId;
    case 'extract': {
      const [row] = await tx<{ pipeline_id: string }[]>`
        select pipeline_id from freshet.object_runs where id = ${(data as JobPayloads['extract']).objectRunId}`;
      return row?.pipeline_id ?? null;
    }
    case 'erase': {
      const [row] = await tx<{ pipeline_id: string }[]>`
        select pipeline_id from freshet.erasures where id = ${(data as JobPayloads['erase']).erasureId}`;
      return row?.pipeline_id ?? null;
    }
    case 'deliver':
      return null;
  }
}

async function failDependents(
  { tx, queue }: JobTransaction,
  deadQueue: QueueName,
  data: object,
  message: string,
): Promise<void> {
  if (deadQueue === 'extract')
    await failObjectRuns({ tx, queue }, message, tx`id = ${(data as JobPayloads['extract']).objectRunId}`);
  if (deadQueue === 'load') {
    const { pipelineId, object } = data as JobPayloads['load'];
    await failObjectRuns({ tx, queue }, message, tx`pipeline_id = ${pipelineId} and object = ${object}`);
  }
  if (deadQueue === 'erase') {
    const { erasureId } = data as JobPayloads['erase'];
    await tx`
      update freshet.erasures set status = 'failed', finished_at = now(), error_code = 'bug', error_message = ${message}
      where id = ${erasureId} and status in ('queued', 'running')`;
  }
  if (deadQueue === 'refresh_analytics') {
    const { pipelineId } = data as JobPayloads['refresh_analytics'];
    await failAnalyticsRefresh({ tx, queue }, pipelineId, { code: 'bug', message });
  }
}

async function failObjectRuns({ tx, queue }: JobTransaction, message: string, condition: Fragment): Promise<void> {
  const open = await tx<{ id: string }[]>`
    select id from freshet.object_runs where ${condition} and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
    order by id for no key update`;
  const failed = await tx<{ id: string; run_id: string }[]>`
    update freshet.object_runs set status = 'failed', error_code = 'bug', error_message = ${message},
      not_before = null, finished_at = now()
    where id = any(${open.map(({ id }) => id)}) returning id, run_id`;
  for (const { id } of failed) await emitObjectRunFailed({ tx, queue }, id);
  for (const runId of new Set(failed.map((row) => row.run_id))) await finishRunIfComplete({ tx, queue }, runId);
}
