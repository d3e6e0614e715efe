import { FreshetError } from '@freshet/client';
import { type Query, QueryClient } from '@tanstack/react-query';

/** The interval at which the data of a visible page is fetched again. */
const POLL_MS = 5000;

/** Marks queries that use credits. They are sent only on request, and never again by themselves. */
export const ON_REQUEST = {
  staleTime: 10 * 60_000,
  gcTime: 30 * 60_000,
  refetchInterval: false,
  refetchOnWindowFocus: false,
  meta: { isOnRequest: true },
} as const;

/** Selects the queries that may be sent again after a change. */
export function isNotOnRequest({ meta }: Pick<Query, 'meta'>): boolean {
  return meta?.['isOnRequest'] !== true;
}

/**
 * Returns the interval at which a query is sent again. After an error that persists, the query is
 * not sent again.
 */
export function getPollInterval({ state: { error } }: { readonly state: { readonly error: unknown } }): number | false {
  return error instanceof FreshetError && [401, 403, 404].includes(error.status) ? false : POLL_MS;
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // The API client repeats requests that received no response. Other errors are final.
      retry: false,
      // Without a network, a request must fail, so that the page can say so.
      networkMode: 'always',
      refetchOnWindowFocus: true,
      throwOnError: false,
      refetchInterval: getPollInterval,
    },
    mutations: { retry: false, networkMode: 'always' },
  },
});
