import type { Pipeline, PipelineObject as StoredObject } from '@freshet/control-store';
import type { ObjectSpec } from '@freshet/freshdesk-extractor';

export function toPipelineObjectJson(pipeline: Pipeline, object: ObjectSpec, states: readonly StoredObject[]) {
  const state = states.find((o) => o.object === object.name);
  return {
    object: object.name,
    table: `${pipeline.destination_schema}.${pipeline.table_prefix}${object.name}`,
    included: pipeline.objects[object.name]?.included ?? object.includedByDefault,
    detail: pipeline.objects[object.name]?.detail ?? false,
    history: pipeline.objects[object.name]?.history ?? false,
    columns: pipeline.objects[object.name]?.columns ?? {},
    max_staleness_minutes: pipeline.objects[object.name]?.max_staleness_minutes ?? null,
    availability: state?.availability ?? ('unknown' as const),
    availability_message: state?.availability_message ?? null,
    stale_since: state?.stale_since?.toISOString() ?? null,
    completing_since: state?.completing_since?.toISOString() ?? null,
    complete_as_of: state?.complete_as_of?.toISOString() ?? null,
    complete_back_to: state?.complete_back_to?.toISOString() ?? null,
  };
}
