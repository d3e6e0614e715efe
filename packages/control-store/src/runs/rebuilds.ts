import { AppError, getTraceparent, type RunTrigger } from '@freshet/contracts';
import type { Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { enqueueLoad } from '../queue/jobs.ts';
import { Store } from '../store.ts';
import { finishRunIfComplete } from './completion.ts';

/** A rebuild that was started, and a summary of the stored records that it loads. */
export interface Rebuild {
  readonly runId: string;
  readonly batches: number;
  readonly records: number;
  /** When the oldest stored record was extracted. */
  readonly oldestRecordAt: Date;
  /**
   * Whether the stored batches contain all records of a full sync, so that every row is rewritten.
   */
  readonly isComplete: boolean;
}

/** The loaded batches of an object that are still stored. */
export interface StoredRecords {
  readonly batches: number;
  readonly records: number;
  /** When the oldest record was extracted. */
  readonly oldest: Date;
  /** Whether the batches contain all records of a full sync. */
  readonly isComplete: boolean;
}

/**
 * Rebuilds: each rebuild rewrites the rows of a table from stored batches, without spending
 * credits.
 */
export class Rebuilds extends Store {
  /**
   * Stages copies of the loaded batches of an object that are still stored, in the order of
   * storage, in a separate run. Each row is rewritten from its newest stored record. Rows without a
   * stored record stay unchanged, and the table remains available.
   * @throws AppError `not_found` when the pipeline does not exist, or `conflict` when a rebuild of
   * the pipeline is open or no loaded batch of the object is stored.
   */
  async start(pipelineId: string, object: string): Promise<Rebuild> {
    return await this.sql.begin(async (tx) => {
      const [pipeline] = await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
      if (!pipeline) throw new AppError('not_found', `Pipeline ${pipelineId} does not exist.`);
      const openRunId = await findOpenRebuild(tx, pipelineId);
      if (openRunId !== null) {
        throw new AppError(
          'conflict',
          `Run ${openRunId} of this pipeline is already rebuilding a table. Wait until the run finishes.`,
        );
      }
      const stored = await getStoredRecords(tx, pipelineId, object);
      if (stored === null) {
        throw new AppError(
          'conflict',
          `${object}: no batches are stored any more. Restart the object to extract it again.`,
        );
      }
      return startRebuild(
        { tx, queue: this.queue },
        { pipelineId, object },
        { stored, trigger: 'manual', runId: null },
      );
    });
  }
}

/**
 * Finds the open rebuild run of a pipeline, and locks it until the transaction ends. A pipeline has
 * at most one open rebuild run.
 */
export async function findOpenRebuild(tx: Tx, pipelineId: string): Promise<string | null> {
  const [open] = await tx<{ id: string }[]>`
    select id from freshet.runs
    where pipeline_id = ${pipelineId} and kind = 'rebuild' and status in ('queued', 'running')
    for no key update`;
  return open?.id ?? null;
}

/**
 * Summarizes the loaded batches of an object that are still stored. Null: there is no such batch.
 */
export async function getStoredRecords(tx: Tx, pipelineId: string, object: string): Promise<StoredRecords | null> {
  const [stored] = await tx<{ batches: number; records: number; oldest: Date | null; is_complete: boolean }[]>`
    with stored as (
      select b.id, b.records, b.extracted_at, b.object_run_id
      from freshet.batches b join freshet.object_runs o on o.id = b.object_run_id
      where b.pipeline_id = ${pipelineId} and b.object = ${object} and b.loaded_at is not null and o.mode <> 'rebuild'
    )
    select count(*)::int as batches, coalesce(sum(records), 0)::float8 as records, min(extracted_at) as oldest,
      exists (
        select from freshet.object_runs o
        where o.pipeline_id = ${pipelineId} and o.object = ${object} and o.mode = 'full' and o.extracted_at is not null
          and o.records_extracted = (select coalesce(sum(s.records), 0) from stored s where s.object_run_id = o.id)
      ) as is_complete
    from stored`;
  if (!stored || stored.oldest === null) return null;
  const { batches, records, oldest, is_complete: isComplete } = stored;
  return { batches, records, oldest, isComplete };
}

/** The parameters of a rebuild of a table. */
export interface RebuildOptions {
  readonly stored: StoredRecords;
  readonly trigger: RunTrigger;
  /** The open rebuild run to join. Null: a new run is created. */
  readonly runId: string | null;
}

/**
 * Stages copies of the loaded batches of an object that are still stored. The caller holds the row
 * lock of the pipeline.
 */
export async function startRebuild(
  { tx, queue }: JobTransaction,
  { pipelineId, object }: { readonly pipelineId: string; readonly object: string },
  { stored, trigger, runId: openRunId }: RebuildOptions,
): Promise<Rebuild> {
  const runId = openRunId ?? uuidv7();
  const objectRunId = uuidv7();
  if (openRunId === null) {
    await tx`
      insert into freshet.runs (id, pipeline_id, kind, trigger, status, started_at, traceparent)
      values (${runId}, ${pipelineId}, 'rebuild', ${trigger}, 'running', now(), ${getTraceparent()})`;
  }
  await tx`
    insert into freshet.object_runs (id, run_id, pipeline_id, object, mode, credit_class, status, started_at,
      extracted_at, records_extracted)
    values (${objectRunId}, ${runId}, ${pipelineId}, ${object}, 'rebuild',
      ${trigger === 'manual' ? 'by_hand' : 'incremental'}, 'running',
      now(), now(), ${stored.records})`;
  // The copies have new ids, because the ledger of the warehouse contains the ids of the original
  // batches.
  await tx`
    insert into freshet.batches (id, pipeline_id, object, object_run_id, generation, records, raw_bytes, extracted_at,
      body)
    select gen_random_uuid(), b.pipeline_id, b.object, ${objectRunId}, b.generation, b.records, b.raw_bytes,
      b.extracted_at, b.body
    from freshet.batches b join freshet.object_runs o on o.id = b.object_run_id
    where b.pipeline_id = ${pipelineId} and b.object = ${object} and b.loaded_at is not null and o.mode <> 'rebuild'
    order by b.seq`;
  await enqueueLoad({ tx, queue }, { pipelineId, object }, null);
  await finishRunIfComplete({ tx, queue }, runId);
  return {
    runId,
    batches: stored.batches,
    records: stored.records,
    oldestRecordAt: stored.oldest,
    isComplete: stored.isComplete,
  };
}
