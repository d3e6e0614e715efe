import { AppError, type RunTrigger, traceparent } from '@freshet/contracts';
import type { Sql, Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { sendLoad } from '../work/jobs.ts';
import type { JobQueue } from '../work/queue.ts';
import { finishRunIfDone } from './runs.ts';

/** What a rebuild has to build with. */
export interface Rebuild {
  readonly runId: string;
  readonly batches: number;
  readonly records: number;
  /** When the oldest stored record was read. */
  readonly reachesBackTo: Date;
  /** What is stored begins with a whole reading of the object: nothing of the table stays as it was. */
  readonly isWhole: boolean;
}

/** Tables loaded anew from the batches that are stored still: no credit is spent. */
export class Rebuilds {
  readonly #sql: Sql;
  readonly #queue: JobQueue;

  constructor(sql: Sql, queue: JobQueue) {
    this.#sql = sql;
    this.#queue = queue;
  }

  /**
   * Stages everything again that was read of an object and is stored still, in its order, in a run of its own. Each row is
   * written again from its newest stored record; rows of which nothing is stored stay as they are, and the table is there throughout.
   * @throws AppError `conflict` when a rebuild is under way, or nothing is stored.
   */
  async start(pipelineId: string, object: string): Promise<Rebuild> {
    return await this.#sql.begin(async (tx) => {
      const [pipeline] = await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
      if (!pipeline) throw new AppError('not_found', `There is no pipeline ${pipelineId}.`);
      const open = await openRebuild(tx, pipelineId);
      if (open !== null) throw new AppError('conflict', `A table is being rebuilt already, by the run ${open}.`);
      const stored = await storedRecords(tx, pipelineId, object);
      if (stored === null) {
        throw new AppError(
          'conflict',
          `Nothing that was read of ${object} is stored any more: restart it to read it again.`,
        );
      }
      return startRebuild(tx, this.#queue, { pipelineId, object }, stored, 'manual');
    });
  }
}

/** The rebuild of a pipeline that is under way, locked so that it does not finish meanwhile; one at a time is. */
export async function openRebuild(tx: Tx, pipelineId: string): Promise<string | null> {
  const [open] = await tx<{ id: string }[]>`
    select id from freshet.runs where pipeline_id = ${pipelineId} and kind = 'rebuild' and status in ('queued', 'running') for no key update`;
  return open?.id ?? null;
}

/** The records of an object in its stored batches; null: there is none. */
export async function storedRecords(tx: Tx, pipelineId: string, object: string): Promise<StoredRecords | null> {
  const [stored] = await tx<{ batches: number; records: number; oldest: Date | null; whole: boolean }[]>`
        with kept as (
          select b.id, b.records, b.extracted_at, b.object_run_id from freshet.batches b join freshet.object_runs o on o.id = b.object_run_id
          where b.pipeline_id = ${pipelineId} and b.object = ${object} and b.loaded_at is not null and o.mode <> 'rebuild'
        )
        select count(*)::int as batches, coalesce(sum(records), 0)::float8 as records, min(extracted_at) as oldest,
          exists (
            select from freshet.object_runs o where o.pipeline_id = ${pipelineId} and o.object = ${object} and o.mode = 'full' and o.extracted_at is not null
              and o.records_extracted = (select coalesce(sum(k.records), 0) from kept k where k.object_run_id = o.id)
          ) as whole
        from kept`;
  return !stored || stored.oldest === null ? null : { ...stored, oldest: stored.oldest };
}

interface StoredRecords {
  readonly batches: number;
  readonly records: number;
  readonly oldest: Date;
  /** They begin with a whole reading. */
  readonly whole: boolean;
}

/**
 * Stages the stored batches of an object again. The caller holds the pipeline's row lock.
 * @param joined a rebuild of other tables that this one becomes part of; null: it is a run of its own.
 */
export async function startRebuild(
  tx: Tx,
  queue: JobQueue,
  { pipelineId, object }: { readonly pipelineId: string; readonly object: string },
  stored: StoredRecords,
  trigger: RunTrigger,
  joined: string | null = null,
): Promise<Rebuild> {
  const runId = joined ?? uuidv7();
  const objectRunId = uuidv7();
  if (joined === null) {
    await tx`
      insert into freshet.runs (id, pipeline_id, kind, trigger, status, started_at, traceparent)
      values (${runId}, ${pipelineId}, 'rebuild', ${trigger}, 'running', now(), ${traceparent()})`;
  }
  await tx`
        insert into freshet.object_runs (id, run_id, pipeline_id, object, mode, credit_class, status, started_at, extracted_at, records_extracted)
        values (${objectRunId}, ${runId}, ${pipelineId}, ${object}, 'rebuild', ${trigger === 'manual' ? 'by_hand' : 'incremental'}, 'running', now(), now(), ${stored.records})`;
  // Batches of their own: the warehouse's ledger has applied the others.
  await tx`
        insert into freshet.batches (id, pipeline_id, object, object_run_id, generation, records, raw_bytes, extracted_at, body)
        select gen_random_uuid(), b.pipeline_id, b.object, ${objectRunId}, b.generation, b.records, b.raw_bytes, b.extracted_at, b.body
        from freshet.batches b join freshet.object_runs o on o.id = b.object_run_id
        where b.pipeline_id = ${pipelineId} and b.object = ${object} and b.loaded_at is not null and o.mode <> 'rebuild' order by b.seq`;
  await sendLoad(queue, tx, { pipelineId, object }, null);
  await finishRunIfDone(tx, queue, runId);
  return {
    runId,
    batches: stored.batches,
    records: stored.records,
    reachesBackTo: stored.oldest,
    isWhole: stored.whole,
  };
}
