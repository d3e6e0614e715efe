import type { Schemas } from '../../api/client.ts';
import type { Draft } from './draft-storage.ts';
import { getDefaultSchema } from './inputs.ts';
import { buildObjectSettings, getPresetObjects } from './selection.ts';

/**
 * Returns the selected objects of a draft. Until the user changes them, these are the objects of
 * the preset "Recommended".
 */
export function getSelectedObjects(
  draft: Draft,
  catalog: readonly Schemas['CatalogObject'][],
  isReadable: (name: string) => boolean,
): readonly string[] {
  return draft.objects ?? getPresetObjects('recommended', catalog, isReadable);
}

/** Builds the request that creates the pipeline. */
export function buildPipelineInput(
  draft: Draft,
  catalog: readonly Schemas['CatalogObject'][],
  isReadable: (name: string) => boolean,
): Schemas['PipelineInput'] {
  return {
    name: draft.name.trim(),
    source: {
      type: 'freshdesk',
      subdomain: draft.subdomain,
      credential_id: draft.credentialId ?? '',
      historical_sync_days: draft.historicalSyncDays,
      credit_share_percent: draft.creditSharePercent,
    },
    destination_id: draft.destinationId ?? '',
    destination_schema: draft.destinationSchema || getDefaultSchema(draft.subdomain),
    frequency_minutes: draft.frequencyMinutes,
    schedule: draft.schedule,
    objects: buildObjectSettings(getSelectedObjects(draft, catalog, isReadable), catalog, draft),
  };
}
