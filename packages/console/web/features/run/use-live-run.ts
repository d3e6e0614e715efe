import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { latestRunsQuery, runQuery } from '../../api/queries.ts';
import { isNotOnRequest } from '../../api/query-client.ts';

/** Returns a run, and updates it with the run's event stream until the run has finished. */
export function useLiveRun(id: string | undefined) {
  const queryClient = useQueryClient();
  const query = useQuery({ ...runQuery(id ?? ''), enabled: id !== undefined });
  const isRunning = query.data?.finished_at === null;
  useEffect(() => {
    if (id === undefined || !isRunning) return;
    const unmounted = new AbortController();
    const watch = async () => {
      for await (const update of api().watchRun(id, { signal: unmounted.signal }))
        queryClient.setQueryData<Schemas['Run']>(runQuery(id).queryKey, update);
      await queryClient.invalidateQueries({ predicate: isNotOnRequest });
    };
    // If the stream fails, the page still fetches the run periodically.
    watch().catch(() => undefined);
    return () => unmounted.abort();
  }, [id, isRunning, queryClient]);
  return query;
}

/**
 * Returns the latest runs of a pipeline. The open run has the state of its event stream, so that
 * all parts of a page show the same progress.
 */
export function useLatestRuns(pipelineId: string): readonly Schemas['Run'][] | undefined {
  const { data: runs } = useQuery(latestRunsQuery(pipelineId));
  const open = runs?.find((run) => run.finished_at === null);
  const { data: live } = useQuery({ ...runQuery(open?.id ?? ''), enabled: open !== undefined });
  return live === undefined ? runs : runs?.map((run) => (run.id === live.id ? live : run));
}
