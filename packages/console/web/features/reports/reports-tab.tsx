import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { pipelineQuery } from '../../api/queries.ts';
import { Loading } from '../../components/states.tsx';
import type { ReportSearch } from './report-search.ts';
import { Reports } from './reports.tsx';

/** The support reports of a pipeline, as a tab of its page. */
export function ReportsTab() {
  const { id } = useParams({ from: '/pipelines/$id/reports' });
  const search = useSearch({ from: '/pipelines/$id/reports' });
  const navigate = useNavigate({ from: '/pipelines/$id/reports' });
  const { data: pipeline } = useQuery(pipelineQuery(id));
  if (pipeline === undefined) return <Loading />;
  const update = (changes: ReportSearch) =>
    void navigate({ search: (previous: ReportSearch) => ({ ...previous, ...changes }), replace: true });
  return <Reports pipeline={pipeline} search={search} onChange={update} />;
}
