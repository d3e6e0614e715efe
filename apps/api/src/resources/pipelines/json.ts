import type { Pipeline as StoredPipeline } from '@freshet/control-store';

export function toPipelineJson(pipeline: StoredPipeline) {
  return {
    id: pipeline.id,
    name: pipeline.name,
    source: {
      type: 'freshdesk' as const,
      subdomain: pipeline.subdomain,
      credential_id: pipeline.credential_id,
      historical_sync_days: pipeline.historical_sync_days,
      credit_share_percent: pipeline.credit_share_percent,
    },
    destination_id: pipeline.destination_id,
    destination_schema: pipeline.destination_schema,
    table_prefix: pipeline.table_prefix,
    frequency_minutes: pipeline.frequency_minutes,
    audit_frequency_days: pipeline.audit_frequency_days,
    objects: pipeline.objects,
    schema_policy: pipeline.schema_policy,
    priority: pipeline.priority,
    schedule: pipeline.schedule,
    record_spike: pipeline.record_spike,
    monthly_quota: pipeline.monthly_quota,
    status: pipeline.status,
    paused_by: pipeline.paused_by,
    next_run_at: pipeline.next_run_at.toISOString(),
    next_audit_at: pipeline.audit_frequency_days === null ? null : pipeline.next_audit_at.toISOString(),
    created_at: pipeline.created_at.toISOString(),
    updated_at: pipeline.updated_at.toISOString(),
  };
}
