import type { RecordSpike } from '../database/schema/index.ts';
import { emit } from '../notifications/events.ts';
import type { JobTransaction } from '../queue/job-queue.ts';

/** The maximum and the minimum number of earlier runs from which the average is computed. */
const [COMPARED_RUNS_MAX, COMPARED_RUNS_MIN] = [10, 3] as const;
/** A run with fewer records than this is never a spike. */
const SPIKE_RECORDS_MIN = 100;

/**
 * Emits `records.spiked` for a run that extracted many more records than the average of the last
 * runs, and pauses the pipeline if its settings require that. Only the records of object runs in
 * the mode `incremental` are counted.
 */
export async function checkRecordSpike(
  { tx, queue }: JobTransaction,
  pipelineId: string,
  runId: string,
): Promise<void> {
  const [pipeline] = await tx<{ record_spike: RecordSpike | null }[]>`
    select record_spike from freshet.pipelines where id = ${pipelineId}`;
  const spike = pipeline?.record_spike ?? null;
  if (spike === null) return;
  const [counts] = await tx<{ records: number; average: number | null; runs: number }[]>`
    with sums as (
      select r.id, coalesce(sum(o.records_extracted) filter (where o.mode = 'incremental'), 0)::float8 as records
      from (
        select id from freshet.runs
        where pipeline_id = ${pipelineId} and kind = 'sync' and status in ('succeeded', 'partial') and id <= ${runId}
        order by id desc limit ${COMPARED_RUNS_MAX + 1}
      ) r join freshet.object_runs o on o.run_id = r.id
      group by r.id having count(*) filter (where o.mode = 'incremental') > 0
    )
    select coalesce((select records from sums where id = ${runId}), 0) as records,
      (select avg(records)::float8 from sums where id <> ${runId}) as average,
      (select count(*)::int from sums where id <> ${runId}) as runs`;
  if (!counts || counts.average === null) return;
  if (counts.runs < COMPARED_RUNS_MIN || counts.records < SPIKE_RECORDS_MIN) return;
  if (counts.records <= (counts.average * spike.percent) / 100) return;
  if (spike.pause) {
    await tx`
      update freshet.pipelines set status = 'paused', paused_by = 'record_spike', version = version + 1,
        updated_at = now()
      where id = ${pipelineId} and status = 'active'`;
  }
  await emit({ tx, queue }, 'records.spiked', {
    pipeline_id: pipelineId,
    run_id: runId,
    records_extracted: counts.records,
    usual: Math.round(counts.average),
    percent: spike.percent,
    paused: spike.pause,
  });
}
