import { queryOptions } from '@tanstack/react-query';
import { api, FreshetError, type Schemas } from '../../api/client.ts';
import type { Period } from './periods.ts';

/** The interval at which a report is requested again while its warehouse cannot be reached. */
const RETRY_MS = 10_000;

export interface ReportRequest {
  readonly pipeline: Schemas['Pipeline'];
  /** The name of the report. */
  readonly report: string;
  readonly period: Period;
  /** Absent: the report has no groups. */
  readonly groupBy?: string;
}

/** Reports query the warehouse, so they are requested again only when the models have changed. */
export const reportQuery = (request: ReportRequest) => {
  const { pipeline, report, period, groupBy = null } = request;
  const key = ['reports', pipeline.id, report, period.from, period.to, groupBy];
  return queryOptions({
    queryKey: [...key, pipeline.analytics_refresh?.refreshed_at],
    queryFn: ({ signal }) => api().get('/v1/pipelines/{id}/reports/{report}', { params: toParams(request), signal }),
    // Data of the same report are shown until the data of the refreshed models arrive.
    placeholderData: (data, query) => (key.every((part, i) => query?.queryKey[i] === part) ? data : undefined),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchInterval: ({ state: { error } }) => (isTemporary(error) ? RETRY_MS : false),
    meta: { isOnRequest: true },
  });
};

function isTemporary(error: Error | null): boolean {
  return error instanceof FreshetError && [0, 502, 503].includes(error.status);
}

/** Requests the rows of a report as CSV. */
export async function fetchCsv(request: ReportRequest): Promise<Blob> {
  const params = toParams(request);
  const text: unknown = await api().get('/v1/pipelines/{id}/reports/{report}', {
    params: { ...params, query: { ...params.query, format: 'csv' } },
    parseAs: 'text',
  });
  return new Blob([text as string], { type: 'text/csv' });
}

/** Returns the name of an exported file: "freshdesk_acme-csat-2026-10-30-2026-11-29.csv". */
export function getFileName({ pipeline, report, period }: ReportRequest, extension: 'csv' | 'png'): string {
  return `${pipeline.destination_schema}-${report}-${period.from}-${period.to}.${extension}`;
}

function toParams({ pipeline, report, period, groupBy }: ReportRequest) {
  return {
    path: { id: pipeline.id, report },
    query: { from: period.from, to: period.to, ...(groupBy === undefined ? {} : { group_by: groupBy }) },
  };
}
