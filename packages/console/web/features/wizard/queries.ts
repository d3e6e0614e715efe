import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from '../../api/client.ts';
import { ON_REQUEST } from '../../api/query-client.ts';

/** Tests an API key. The test uses about one credit per object, so its result is kept. */
export const accountTestQuery = (subdomain: string, credentialId: string | null) =>
  queryOptions({
    queryKey: ['account-test', subdomain, credentialId],
    queryFn: () => api().post('/v1/pipelines/test', { body: { subdomain, credential_id: credentialId as string } }),
    enabled: subdomain !== '' && credentialId !== null,
    ...ON_REQUEST,
  });

export interface EstimateParameters {
  readonly subdomain: string;
  readonly credentialId: string;
  readonly historicalSyncDays: number | null;
  readonly objects: Readonly<Record<string, Schemas['ObjectSettings']>>;
}

/** Estimates the first sync of all given objects. */
export const estimateQuery = ({ subdomain, credentialId, historicalSyncDays, objects }: EstimateParameters) =>
  queryOptions({
    queryKey: ['estimate', subdomain, credentialId, historicalSyncDays, objects],
    queryFn: () =>
      api().post('/v1/pipelines/estimate', {
        body: {
          source: {
            type: 'freshdesk',
            subdomain,
            credential_id: credentialId,
            historical_sync_days: historicalSyncDays,
          },
          objects,
        },
      }),
    enabled: Object.values(objects).some(({ included }) => included),
    placeholderData: keepPreviousData,
    ...ON_REQUEST,
  });

/** Previews the pipeline: tests both connections, and returns the tables that will be created. */
export const planQuery = (input: Schemas['PipelineInput']) =>
  queryOptions({
    queryKey: ['plan', input],
    queryFn: () => api().post('/v1/pipelines/plan', { body: input }),
    ...ON_REQUEST,
  });
