import { getAnalyticsSchema } from '@freshet/analytics';
import type { AnalyticsRefresh, ControlStore, Pipeline as StoredPipeline } from '@freshet/control-store';

/** A pipeline, and the state of its analytics models. */
export interface PipelineWithState extends StoredPipeline {
  /** Null: the pipeline has no models, or has not requested a refresh yet. */
  readonly refresh: AnalyticsRefresh | null;
}

/** Adds the states of the analytics models to pipelines. */
export async function addStates(
  { analytics }: ControlStore,
  pipelines: readonly StoredPipeline[],
): Promise<PipelineWithState[]> {
  const ids = pipelines.filter((pipeline) => pipeline.analytics).map(({ id }) => id);
  const refreshes = await analytics.findRefreshes(ids);
  return pipelines.map((pipeline) => ({ ...pipeline, refresh: refreshes.get(pipeline.id) ?? null }));
}

/** Adds the state of the analytics models to a pipeline. */
export async function addState(store: ControlStore, pipeline: StoredPipeline): Promise<PipelineWithState> {
  const [withState] = await addStates(store, [pipeline]);
  return withState as PipelineWithState;
}

export function toPipelineJson(pipeline: PipelineWithState) {
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
    analytics: pipeline.analytics,
    analytics_time_zone: pipeline.analytics_time_zone,
    status: pipeline.status,
    paused_by: pipeline.paused_by,
    next_run_at: pipeline.next_run_at.toISOString(),
    next_audit_at: pipeline.audit_frequency_days === null ? null : pipeline.next_audit_at.toISOString(),
    analytics_refresh: pipeline.analytics ? toRefreshJson(pipeline) : null,
    created_at: pipeline.created_at.toISOString(),
    updated_at: pipeline.updated_at.toISOString(),
  };
}

function toRefreshJson({ destination_schema, refresh }: PipelineWithState) {
  return {
    schema: getAnalyticsSchema(destination_schema),
    // A new pipeline requests a refresh when its first run finishes.
    status: refresh?.status ?? ('pending' as const),
    refreshed_at: refresh?.refreshed_at?.toISOString() ?? null,
    kind: refresh?.kind ?? null,
    tickets: refresh?.tickets ?? null,
    error: refresh?.error_code ? { code: refresh.error_code, message: refresh.error_message ?? '' } : null,
    warnings: refresh?.warnings ?? [],
  };
}
