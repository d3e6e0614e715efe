import { OPEN_OBJECT_RUN_STATUSES, type RunKind } from '@freshet/contracts';
import { emit } from '../notifications/events.ts';
import type { JobTransaction } from '../queue/job-queue.ts';
import { requestAnalyticsRefresh } from '../resources/analytics.ts';
import { checkRecordSpike } from './record-spikes.ts';
import { getOutstandingUnits, type OutstandingUnits } from './unit-failures.ts';

/*
 * The row of the run is locked FOR NO KEY UPDATE instead of FOR UPDATE. When a transaction updates
 * an object run for the second time, PostgreSQL checks the foreign key of the object run again, and
 * takes a lock FOR KEY SHARE on the row of the run. Two transactions that both hold such a lock and
 * then request a lock FOR UPDATE on the same row would deadlock.
 */

/**
 * Finishes an object run whose extraction and loading are complete. If no other object run of the
 * run is open, the run is finished too. The caller holds the row lock of the object run. If one
 * transaction completes the extraction and another completes the loading, the second transaction
 * therefore sees the changes of the first.
 */
export async function finishObjectRunIfComplete({ tx, queue }: JobTransaction, objectRunId: string): Promise<void> {
  const outstanding = await getOutstandingUnits(tx, objectRunId);
  const isPartial = outstanding.units > 0;
  const message = isPartial ? buildOutstandingMessage(outstanding) : null;
  // An object run whose record counts disagree fails, although all of its batches are loaded (I10).
  const [finished] = await tx<{ run_id: string; status: string }[]>`
    update freshet.object_runs o set
      status = case when agreed then ${isPartial ? 'partial' : 'succeeded'} else 'failed' end,
      units_failed = ${outstanding.units},
      error_code = case when agreed then ${outstanding.code} else 'bug' end,
      error_message = case when agreed then ${message}
        else 'Record counts disagree: ' || records_extracted || ' extracted, ' || counted || ' accounted for.' end,
      not_before = null,
      finished_at = now()
    from (
      select id,
        records_inserted + records_updated + records_unchanged + records_rejected as counted,
        records_extracted = records_inserted + records_updated + records_unchanged + records_rejected as agreed
      from freshet.object_runs where id = ${objectRunId}
    ) sums
    where o.id = sums.id and o.extracted_at is not null and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
      and not exists (select from freshet.batches b where b.object_run_id = o.id and b.loaded_at is null)
    returning o.run_id, o.status`;
  if (!finished) return;
  if (finished.status === 'failed') await emitObjectRunFailed({ tx, queue }, objectRunId);
  await finishRunIfComplete({ tx, queue }, finished.run_id);
}

function buildOutstandingMessage({ units, message }: OutstandingUnits): string {
  const subject = units === 1 ? '1 unit could not be read and is' : `${units} units could not be read and are`;
  return `${subject} quarantined. Everything else is complete. List the failed units to get their keys. Last error: ${message ?? 'unknown'}`;
}

/**
 * Finishes a run whose object runs are all finished, emits the event of its status, and requests a
 * refresh of the analytics models. Object runs
 * with the warning `object_unavailable` are ignored. If all other object runs succeeded, the run is
 * `succeeded`. If none of them succeeded or was partial, the run is `failed`. Otherwise, the run is
 * `partial`. A run with only ignored object runs is `failed`.
 */
export async function finishRunIfComplete({ tx, queue }: JobTransaction, runId: string): Promise<void> {
  await tx`select id from freshet.runs where id = ${runId} for no key update`;
  const [finished] = await tx<{ status: 'succeeded' | 'partial' | 'failed'; pipeline_id: string; kind: RunKind }[]>`
    update freshet.runs r set
      finished_at = now(),
      status = case when ok = required and (ok > 0 or ignored = 0) then 'succeeded'
        when ok = 0 and not any_partial then 'failed' else 'partial' end
    from (
      select count(*) filter (where status = 'succeeded') as ok,
        coalesce(bool_or(status = 'partial'), false) as any_partial,
        count(*) filter (where status <> 'skipped' and not is_ignored) as required,
        count(*) filter (where is_ignored) as ignored,
        count(*) filter (where status = any(${[...OPEN_OBJECT_RUN_STATUSES]})) as open
      from (
        select status, warnings @> '[{"code": "object_unavailable"}]' as is_ignored
        from freshet.object_runs where run_id = ${runId}
      ) o
    ) sums
    where r.id = ${runId} and r.status in ('queued', 'running') and sums.open = 0
    returning r.status, r.pipeline_id, r.kind`;
  if (!finished) return;
  const { status, pipeline_id, kind } = finished;
  const [sums] = await tx`
    select coalesce(sum(records_inserted + records_updated), 0)::float8 as records_loaded,
      coalesce(sum(records_rejected), 0)::float8 as records_rejected,
      coalesce(sum(credits_used), 0)::float8 as credits_used
    from freshet.object_runs where run_id = ${runId}`;
  if (kind === 'sync') await checkRecordSpike({ tx, queue }, pipeline_id, runId);
  await emit({ tx, queue }, `run.${status}`, { pipeline_id, run_id: runId, kind, status, ...sums });
  // Even a failed run may have loaded rows.
  await requestAnalyticsRefresh({ tx, queue }, pipeline_id);
}

/**
 * Emits `object.failed` for an object run. If Freshdesk rejected the API key, this also emits
 * `credential.refused`.
 */
export async function emitObjectRunFailed({ tx, queue }: JobTransaction, objectRunId: string): Promise<void> {
  const [row] = await tx<
    { run_id: string; pipeline_id: string; object: string; code: string; message: string; credential_id: string }[]
  >`
    select o.run_id, o.pipeline_id, o.object, o.error_code as code, o.error_message as message, p.credential_id
    from freshet.object_runs o join freshet.pipelines p on p.id = o.pipeline_id where o.id = ${objectRunId}`;
  if (!row) return;
  const { run_id, pipeline_id, object, code, message, credential_id } = row;
  await emit({ tx, queue }, 'object.failed', { pipeline_id, run_id, object, error: { code, message } });
  if (code === 'source_auth')
    await emit({ tx, queue }, 'credential.refused', { pipeline_id, run_id, credential_id, error: { code, message } });
}
