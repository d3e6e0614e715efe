import type { ObjectRun as StoredObjectRun, Run as StoredRun } from '@freshet/control-store';
import type { Deps } from '../../context.ts';
import { estimateRun, getObjectProgress } from './progress.ts';

/** A sampled trace context (W3C Trace Context). Spans of other contexts are not exported. */
const SAMPLED_TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-01$/;

export function toRunJson(run: StoredRun, { traceUrl = null }: Pick<Deps, 'traceUrl'>) {
  const traceId = SAMPLED_TRACEPARENT.exec(run.traceparent ?? '')?.[1] ?? null;
  const { progress, estimatedFinishedAt } = estimateRun(run, new Date());
  return {
    id: run.id,
    pipeline_id: run.pipeline_id,
    kind: run.kind,
    status: run.status,
    trigger: run.trigger,
    created_at: run.created_at.toISOString(),
    started_at: run.started_at?.toISOString() ?? null,
    finished_at: run.finished_at?.toISOString() ?? null,
    progress,
    estimated_finished_at: estimatedFinishedAt?.toISOString() ?? null,
    trace_id: traceId,
    trace_url: traceId === null || traceUrl === null ? null : traceUrl.replaceAll('{trace_id}', traceId),
    objects: run.objects.map(toObjectRunJson),
  };
}

function toObjectRunJson(objectRun: StoredObjectRun) {
  return {
    object: objectRun.object,
    status: objectRun.status,
    mode: objectRun.mode,
    records_extracted: objectRun.records_extracted,
    records_loaded: objectRun.records_inserted + objectRun.records_updated,
    records_unchanged: objectRun.records_unchanged,
    records_deleted: objectRun.records_deleted,
    records_rejected: objectRun.records_rejected,
    failed_units: objectRun.units_failed,
    findings:
      objectRun.mode === 'audit'
        ? {
            missing: objectRun.records_missing,
            stale: objectRun.records_stale,
            repaired: objectRun.records_missing + objectRun.records_stale + objectRun.records_deleted,
            explained: objectRun.explained,
          }
        : null,
    credits_used: objectRun.credits_used,
    bytes_staged: objectRun.bytes_staged,
    progress: getObjectProgress(objectRun),
    started_at: objectRun.started_at?.toISOString() ?? null,
    finished_at: objectRun.finished_at?.toISOString() ?? null,
    not_before: objectRun.not_before?.toISOString() ?? null,
    complete_as_of: objectRun.complete_as_of?.toISOString() ?? null,
    complete_back_to: objectRun.complete_back_to?.toISOString() ?? null,
    warnings: objectRun.warnings.map(({ code, message, count }) => ({ code, message, count })),
    error:
      objectRun.error_code === null ? null : { code: objectRun.error_code, message: objectRun.error_message ?? '' },
  };
}
