import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router';
import { api, type Schemas } from '../../api/client.ts';
import { failedUnitsQuery, pipelineQuery, rejectedRecordsQuery } from '../../api/queries.ts';
import { useAction } from '../../components/actions.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import type { HelpTopic } from '../../components/help-topics.ts';
import { PageHeader } from '../../components/page.tsx';
import { QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { getPipelineState, getRunState } from '../pipelines/pipeline-state.ts';
import { useLatestRuns } from '../run/use-live-run.ts';

/** The documentation of the tabs. The other tabs have the documentation of pipelines. */
const TAB_HELP: readonly { readonly tab: string; readonly topic: HelpTopic }[] = [
  { tab: 'objects', topic: 'objects' },
  { tab: 'runs', topic: 'runs' },
  { tab: 'data', topic: 'data' },
  { tab: 'reports', topic: 'reports' },
  { tab: 'failures', topic: 'rejectedRecords' },
];

/** The frame of the pages of one pipeline: its name, its state, the main actions and the tabs. */
export function PipelineLayout() {
  const { id } = useParams({ from: '/pipelines/$id' });
  const pipeline = useQuery(pipelineQuery(id));
  return (
    <QueryView query={pipeline}>
      {(data) => (
        <>
          <Header pipeline={data} />
          <Tabs id={id} />
          <Outlet />
        </>
      )}
    </QueryView>
  );
}

function Header({ pipeline }: { readonly pipeline: Schemas['Pipeline'] }) {
  const runs = useLatestRuns(pipeline.id) ?? [];
  const state = getPipelineState(pipeline, getRunState(runs));
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const help = TAB_HELP.find(({ tab }) => path.endsWith(`/${tab}`))?.topic ?? 'pipelines';
  return (
    <PageHeader
      title={pipeline.name}
      help={help}
      crumbs={[{ label: 'Pipelines', to: '/' }]}
      beside={
        <Status value={pipeline.status} tone={state.tone}>
          {state.label}
        </Status>
      }
      actions={<Actions pipeline={pipeline} runs={runs} />}
    />
  );
}

function Actions({
  pipeline,
  runs,
}: {
  readonly pipeline: Schemas['Pipeline'];
  readonly runs: readonly Schemas['Run'][];
}) {
  const navigate = useNavigate();
  const params = { path: { id: pipeline.id } };
  const openRun = ({ id }: Schemas['Run']) => void navigate({ to: '/runs/$id', params: { id } });
  const pause = useAction(() => api().post('/v1/pipelines/{id}/pause', { params }), {
    done: 'Paused. An open run continues until it has finished.',
  });
  const resume = useAction(() => api().post('/v1/pipelines/{id}/resume', { params }), { done: 'Resumed.' });
  const sync = useAction(() => api().post('/v1/pipelines/{id}/runs', { params, body: {} }), {
    done: 'Started a run.',
    onDone: openRun,
  });
  const audit = useAction(() => api().post('/v1/pipelines/{id}/runs', { params, body: { kind: 'audit' } }), {
    done: 'Started an audit.',
    onDone: openRun,
  });
  const open = runs.find((run) => run.finished_at === null);
  return (
    <>
      {pipeline.status === 'paused' ? (
        <GuardedButton permission="run" variant="default" loading={resume.isPending} onClick={() => resume.mutate()}>
          Resume
        </GuardedButton>
      ) : (
        <GuardedButton permission="run" variant="default" loading={pause.isPending} onClick={() => pause.mutate()}>
          Pause
        </GuardedButton>
      )}
      <GuardedButton permission="run" variant="default" loading={audit.isPending} onClick={() => audit.mutate()}>
        Audit now
      </GuardedButton>
      <GuardedButton
        permission="run"
        loading={sync.isPending}
        disabled={open !== undefined}
        onClick={() => sync.mutate()}
      >
        {open === undefined ? 'Run now' : 'Running'}
      </GuardedButton>
    </>
  );
}

function Tabs({ id }: { readonly id: string }) {
  const { data: rejected } = useQuery(rejectedRecordsQuery(id));
  const { data: failed } = useQuery(failedUnitsQuery(id));
  const count = (rejected?.data.length ?? 0) + (failed?.data.length ?? 0);
  const hasMore = rejected?.next_cursor != null || failed?.next_cursor != null;
  const tabs = [
    { to: '/pipelines/$id', label: 'Overview' },
    { to: '/pipelines/$id/objects', label: 'Objects' },
    { to: '/pipelines/$id/runs', label: 'Runs' },
    { to: '/pipelines/$id/data', label: 'Data' },
    { to: '/pipelines/$id/reports', label: 'Reports' },
    { to: '/pipelines/$id/failures', label: `Rejected & failed${count > 0 ? ` (${count}${hasMore ? '+' : ''})` : ''}` },
    { to: '/pipelines/$id/settings', label: 'Settings' },
  ] as const;
  return (
    <nav className="tabs" aria-label="Pipeline">
      {tabs.map(({ to, label }) => (
        <Link
          key={to}
          to={to}
          params={{ id }}
          activeOptions={{ exact: true, includeSearch: false }}
          activeProps={{ 'aria-current': 'page' }}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
