import { AppError, type Jobs, OPEN_OBJECT_RUN_STATUSES, type QueueName } from '@freshet/contracts';
import { columnsOf, type Sql, type Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { deadJobs } from '../database/schema.ts';
import { emit } from '../notifications/events.ts';
import { finishRunIfDone, tellOfFailure } from '../runs/runs.ts';
import { sendExtract, sendLoad } from './jobs.ts';
import type { Died, JobQueue } from './queue.ts';

export type DeadJob = typeof deadJobs.$inferSelect;

/** Work that fails always: set aside, so that it takes no more workers down, and sent again when somebody has seen to it. */
export class DeadJobs {
  readonly #sql: Sql;
  readonly #queue: JobQueue;

  constructor(sql: Sql, queue: JobQueue) {
    this.#sql = sql;
    this.#queue = queue;
  }

  async list(
    { limit, cursor }: ListOptions,
    filter: { readonly queue?: string | undefined; readonly pipeline_id?: string | undefined },
  ): Promise<List<DeadJob>> {
    const sql = this.#sql;
    const rows = await sql<DeadJob[]>`
      select ${columnsOf(sql, deadJobs)} from freshet.dead_jobs where true
        ${filter.queue === undefined ? sql`` : sql`and queue = ${filter.queue}`}
        ${filter.pipeline_id === undefined ? sql`` : sql`and pipeline_id = ${filter.pipeline_id}`}
        ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}
      order by id desc limit ${limit + 1}`;
    return toList([...rows], limit);
  }

  /** Sets a job aside, and ends what waits for it: an object run without its job would stay open for ever. */
  async setAside({ queue, data, attempts, reason }: Died): Promise<void> {
    await this.#sql.begin(async (tx) => {
      const { pipelineId } = await aboutWhat(tx, queue, data);
      await tx`
        insert into freshet.dead_jobs (id, queue, data, attempts, reason, pipeline_id)
        values (${uuidv7()}, ${queue}, ${tx.json(data as never)}, ${attempts}, ${reason}, ${pipelineId})`;
      const message = `Its job was set aside after ${attempts} tries: ${reason}`;
      if (queue === 'extract')
        await failObjectRuns(tx, this.#queue, message, tx`id = ${(data as Jobs['extract']).objectRunId}`);
      if (queue === 'load') {
        const { pipelineId: id, object } = data as Jobs['load'];
        await failObjectRuns(tx, this.#queue, message, tx`pipeline_id = ${id} and object = ${object}`);
      }
      if (queue === 'erase') {
        const { erasureId } = data as Jobs['erase'];
        await tx`
          update freshet.erasures set status = 'failed', finished_at = now(), error_code = 'bug', error_message = ${message}
          where id = ${erasureId} and status in ('queued', 'running')`;
      }
      await emit(tx, this.#queue, 'job.died', { queue, pipeline_id: pipelineId, attempts, reason });
    });
  }

  /**
   * Sends a job again. An object run that it had ended is opened again.
   * @throws AppError `conflict` when another run of its pipeline has taken its place, or what it is about is over.
   */
  async redrive(id: string): Promise<void> {
    await this.#sql.begin(async (tx) => {
      const job = await take(tx, id);
      switch (job.queue) {
        case 'extract': {
          const { objectRunId } = job.data as unknown as Jobs['extract'];
          const [objectRun] = await tx<{ run_id: string }[]>`
            update freshet.object_runs set status = 'queued', error_code = null, error_message = null, finished_at = null, failures = 0
            where id = ${objectRunId} and status = 'failed' and extracted_at is null returning run_id`;
          if (!objectRun)
            throw new AppError(
              'conflict',
              'What the job is about is over or gone: run the pipeline again, and discard the job.',
            );
          const [other] = await tx`
            select o.id from freshet.runs r join freshet.runs o on o.pipeline_id = r.pipeline_id and o.kind = r.kind and o.id <> r.id
            where r.id = ${objectRun.run_id} and o.status in ('queued', 'running')`;
          if (other)
            throw new AppError(
              'conflict',
              'Another run of the pipeline is under way, and reads the object: discard the job.',
            );
          await tx`update freshet.runs set status = 'running', finished_at = null where id = ${objectRun.run_id}`;
          await sendExtract(this.#queue, tx, objectRunId, null);
          return;
        }
        case 'load': {
          const data = job.data as unknown as Jobs['load'];
          await sendLoad(this.#queue, tx, data, null);
          return;
        }
        case 'deliver': {
          const data = job.data as unknown as Jobs['deliver'];
          await this.#queue.send(tx, 'deliver', data, { key: data.deliveryId });
          return;
        }
        case 'erase': {
          const data = job.data as unknown as Jobs['erase'];
          const [erasure] = await tx<{ pipeline_id: string }[]>`
            update freshet.erasures set status = 'queued', finished_at = null, failures = 0 where id = ${data.erasureId} and status = 'failed' returning pipeline_id`;
          if (!erasure) throw new AppError('conflict', 'The erasure is over or gone: discard the job.');
          await this.#queue.send(tx, 'erase', data, { key: erasure.pipeline_id });
        }
      }
    });
  }

  async discard(id: string): Promise<void> {
    await this.#sql.begin((tx) => take(tx, id));
  }
}

async function take(tx: Tx, id: string): Promise<DeadJob> {
  const [job] = await tx<
    DeadJob[]
  >`delete from freshet.dead_jobs where id = ${id} returning ${columnsOf(tx, deadJobs)}`;
  if (!job) throw new AppError('not_found', `There is no dead job ${id}.`);
  return job;
}

async function aboutWhat(tx: Tx, queue: QueueName, data: object): Promise<{ readonly pipelineId: string | null }> {
  if (queue === 'load') return { pipelineId: (data as Jobs['load']).pipelineId };
  const [row] =
    queue === 'extract'
      ? await tx<
          { id: string }[]
        >`select pipeline_id as id from freshet.object_runs where id = ${(data as Jobs['extract']).objectRunId}`
      : queue === 'erase'
        ? await tx<
            { id: string }[]
          >`select pipeline_id as id from freshet.erasures where id = ${(data as Jobs['erase']).erasureId}`
        : [];
  return { pipelineId: row?.id ?? null };
}

async function failObjectRuns(tx: Tx, queue: JobQueue, message: string, which: ReturnType<Tx>): Promise<void> {
  await tx`select id from freshet.object_runs where ${which} and status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) order by id for no key update`;
  const failed = await tx<{ id: string; run_id: string }[]>`
    update freshet.object_runs set status = 'failed', error_code = 'bug', error_message = ${message}, not_before = null, finished_at = now()
    where ${which} and status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) returning id, run_id`;
  for (const { id } of failed) await tellOfFailure(tx, queue, id);
  for (const runId of new Set(failed.map((f) => f.run_id))) await finishRunIfDone(tx, queue, runId);
}
