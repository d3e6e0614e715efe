/** The queries of the console. Each function returns the options of one query. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, type Schemas } from './client.ts';
import { ON_REQUEST } from './query-client.ts';

const NEVER_CHANGES = { staleTime: Number.POSITIVE_INFINITY, refetchInterval: false } as const;
const PAGE_SIZE = 50;
/** A row of this list has a chart, and its usage of a month. */
const PIPELINES_PAGE_SIZE = 25;

export const currentTokenQuery = () =>
  queryOptions({
    queryKey: ['tokens', 'current'],
    queryFn: ({ signal }) => api().get('/v1/tokens/current', { signal }),
    staleTime: 60_000,
    refetchInterval: 60_000,
  });

export const catalogQuery = () =>
  queryOptions({
    queryKey: ['catalog'],
    queryFn: async ({ signal }) => (await api().get('/v1/catalog/objects', { signal })).data,
    ...NEVER_CHANGES,
  });

export interface PipelineFilter {
  readonly status?: Schemas['PipelineStatus'];
  readonly search?: string;
}

/** One page of the pipelines, with their newest runs and their usage. */
export const pipelineActivityQuery = (filter: PipelineFilter, cursor: string | null) =>
  queryOptions({
    queryKey: ['pipelines', 'activity', filter, cursor],
    queryFn: ({ signal }) =>
      api().get('/v1/pipelines/activity', {
        params: { query: { limit: PIPELINES_PAGE_SIZE, ...filter, ...(cursor === null ? {} : { cursor }) } },
        signal,
      }),
    placeholderData: keepPreviousData,
  });

export const pipelineSummaryQuery = () =>
  queryOptions({
    queryKey: ['pipelines', 'summary'],
    queryFn: ({ signal }) => api().get('/v1/pipelines/summary', { signal }),
    staleTime: 15_000,
    refetchInterval: 20_000,
  });

export const pipelineQuery = (id: string) =>
  queryOptions({
    queryKey: ['pipelines', id],
    queryFn: ({ signal }) => api().get('/v1/pipelines/{id}', { params: { path: { id } }, signal }),
  });

export const pipelineObjectsQuery = (id: string) =>
  queryOptions({
    queryKey: ['pipelines', id, 'objects'],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/pipelines/{id}/objects', { params: { path: { id } }, signal })).data,
  });

/**
 * The tables of a pipeline. Each request opens a connection to the warehouse, so it is sent rarely.
 */
export const tablesQuery = (id: string) =>
  queryOptions({
    queryKey: ['pipelines', id, 'tables'],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/pipelines/{id}/tables', { params: { path: { id } }, signal })).data,
    staleTime: 30_000,
    refetchInterval: 30_000,
  });

/**
 * The first rows of a table. Each request adds an entry to the audit log, so no request is sent
 * automatically.
 */
export const previewQuery = (id: string, table: string, limit: number) =>
  queryOptions({
    queryKey: ['pipelines', id, 'tables', table, limit],
    queryFn: ({ signal }) =>
      api().get('/v1/pipelines/{id}/tables/{table}/rows', {
        params: { path: { id, table }, query: { limit } },
        signal,
      }),
    ...ON_REQUEST,
  });

export const rejectedRecordsQuery = (id: string) =>
  queryOptions({
    queryKey: ['pipelines', id, 'rejected-records'],
    queryFn: ({ signal }) =>
      api().get('/v1/pipelines/{id}/rejected-records', { params: { path: { id }, query: { limit: 100 } }, signal }),
  });

export const failedUnitsQuery = (id: string) =>
  queryOptions({
    queryKey: ['pipelines', id, 'failed-units'],
    queryFn: ({ signal }) =>
      api().get('/v1/pipelines/{id}/failed-units', { params: { path: { id }, query: { limit: 100 } }, signal }),
  });

export const erasuresQuery = (id: string) =>
  queryOptions({
    queryKey: ['pipelines', id, 'erasures'],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/pipelines/{id}/erasures', { params: { path: { id }, query: { limit: 20 } }, signal })).data,
  });

export interface RunFilter {
  readonly kind?: Schemas['RunKind'];
  readonly status?: Schemas['RunStatus'];
}

export const runsQuery = (pipelineId: string, filter: RunFilter = {}) =>
  infiniteQueryOptions({
    queryKey: ['runs', 'list', pipelineId, filter],
    queryFn: ({ pageParam, signal }) =>
      api().get('/v1/runs', {
        params: {
          query: {
            pipeline_id: pipelineId,
            limit: 25,
            ...filter,
            ...(pageParam === null ? {} : { cursor: pageParam }),
          },
        },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

/** The latest runs of a pipeline. */
export const latestRunsQuery = (pipelineId: string) =>
  queryOptions({
    queryKey: ['runs', 'latest', pipelineId],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/runs', { params: { query: { limit: 20, pipeline_id: pipelineId } }, signal })).data,
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ['runs', id],
    queryFn: ({ signal }) => api().get('/v1/runs/{id}', { params: { path: { id } }, signal }),
  });

/** The usage of the last 30 days, by day. @param pipelineId absent: the sums of all pipelines. */
export const usageByDayQuery = (pipelineId?: string) =>
  queryOptions({
    queryKey: ['usage', 'days', pipelineId ?? 'all'],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/usage/days', { params: { query: pipelineId ? { pipeline_id: pipelineId } : {} }, signal }))
        .data,
    staleTime: 15_000,
    // The sums of all pipelines take longer to compute.
    refetchInterval: pipelineId === undefined ? 60_000 : 20_000,
  });

/** One page of the usage of the last 30 days, by pipeline. */
export const usageByPipelineQuery = (cursor: string | null) =>
  queryOptions({
    queryKey: ['usage', 'pipelines', cursor],
    queryFn: ({ signal }) =>
      api().get('/v1/usage/pipelines', {
        params: { query: { limit: PIPELINES_PAGE_SIZE, ...(cursor === null ? {} : { cursor }) } },
        signal,
      }),
    placeholderData: keepPreviousData,
    staleTime: 15_000,
    refetchInterval: 60_000,
  });

export const budgetQuery = (subdomain: string) =>
  queryOptions({
    queryKey: ['budget', subdomain],
    queryFn: ({ signal }) => api().get('/v1/accounts/{subdomain}/budget', { params: { path: { subdomain } }, signal }),
  });

export const credentialsQuery = () =>
  queryOptions({
    queryKey: ['credentials'],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/credentials', { params: { query: { limit: 200 } }, signal })).data,
  });

export const destinationsQuery = () =>
  queryOptions({
    queryKey: ['destinations'],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/destinations', { params: { query: { limit: 200 } }, signal })).data,
  });

/** All pipelines, up to the limit of one page, for pages that show where a resource is used. */
export const allPipelinesQuery = () =>
  queryOptions({
    queryKey: ['pipelines', 'all'],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/pipelines', { params: { query: { limit: 200 } }, signal })).data,
  });

export const webhooksQuery = () =>
  queryOptions({
    queryKey: ['webhooks'],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/webhooks', { params: { query: { limit: 200 } }, signal })).data,
  });

export const deliveriesQuery = (id: string) =>
  queryOptions({
    queryKey: ['webhooks', id, 'deliveries'],
    queryFn: async ({ signal }) =>
      (await api().get('/v1/webhooks/{id}/deliveries', { params: { path: { id }, query: { limit: 30 } }, signal }))
        .data,
  });

export const tokensQuery = () =>
  queryOptions({
    queryKey: ['tokens', 'list'],
    queryFn: async ({ signal }) => (await api().get('/v1/tokens', { params: { query: { limit: 200 } }, signal })).data,
  });

export interface AuditFilter {
  readonly action?: string;
  readonly resource?: string;
}

export const auditLogQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit-log', filter],
    queryFn: ({ pageParam, signal }) =>
      api().get('/v1/audit-log', {
        params: { query: { limit: PAGE_SIZE, ...filter, ...(pageParam === null ? {} : { cursor: pageParam }) } },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const systemQuery = () =>
  queryOptions({
    queryKey: ['system'],
    queryFn: ({ signal }) => api().get('/v1/system', { signal }),
    refetchInterval: 2500,
  });

export const deadJobsQuery = () =>
  queryOptions({
    queryKey: ['dead-jobs'],
    queryFn: async ({ signal }) => (await api().get('/v1/dead-jobs', { signal })).data,
  });
