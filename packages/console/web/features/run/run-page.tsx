import { SimpleGrid, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { latestRunsQuery, pipelineQuery } from '../../api/queries.ts';
import { ConfirmDialog, useAction } from '../../components/actions.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Figure, PageHeader } from '../../components/page.tsx';
import { QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time, useNow } from '../../components/time.tsx';
import { formatDuration, formatNumber } from '../../format/numbers.ts';
import { formatShort } from '../../format/times.ts';
import { isFirstSync } from '../pipelines/pipeline-state.ts';
import { LiveProgress } from './live-progress.tsx';
import { RunObjects } from './run-objects.tsx';
import { RunProblems, TraceLink } from './run-problems.tsx';
import { getUsualDuration, sumObjects } from './run-progress.ts';
import { useLiveRun } from './use-live-run.ts';

type Run = Schemas['Run'];

const KINDS: Readonly<Record<Run['kind'], string>> = {
  sync: 'Sync',
  audit: 'Audit',
  refresh: 'Refresh of records',
  replay: 'Replay of rejected records',
  rebuild: 'Rebuild of a table',
};

export function RunPage() {
  const { id } = useParams({ from: '/runs/$id' });
  const query = useLiveRun(id);
  return <QueryView query={query}>{(run) => <RunView run={run} />}</QueryView>;
}

function RunView({ run }: { readonly run: Run }) {
  const now = useNow();
  const { data: pipeline } = useQuery(pipelineQuery(run.pipeline_id));
  const { data: runs = [] } = useQuery(latestRunsQuery(run.pipeline_id));
  const to = `/pipelines/${run.pipeline_id}`;
  return (
    <>
      <PageHeader
        title={`${KINDS[run.kind]}, ${formatShort(run.created_at, now)}`}
        help="runs"
        crumbs={[
          { label: 'Pipelines', to: '/' },
          { label: pipeline?.name ?? 'Pipeline', to },
          { label: 'Runs', to: `${to}/runs` },
        ]}
        beside={
          <>
            <Status value={run.status} />
            <TraceLink run={run} />
          </>
        }
        actions={run.finished_at === null ? <CancelButton run={run} /> : <RunAgainButton run={run} />}
      />
      <Stack>
        <RunProblems run={run} />
        {run.finished_at === null ? (
          <LiveProgress run={run} isFirst={isFirstSync(run, runs)} />
        ) : (
          <Figures run={run} runs={runs} />
        )}
        <RunObjects run={run} />
      </Stack>
    </>
  );
}

function Figures({ run, runs }: { readonly run: Run; readonly runs: readonly Run[] }) {
  const totals = sumObjects(run.objects);
  const duration =
    run.started_at === null || run.finished_at === null
      ? null
      : (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000;
  const usual = getUsualDuration(run, runs);
  const completeAsOf = run.objects.flatMap((o) => o.complete_as_of ?? []).sort()[0] ?? null;
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="sm">
      <Figure
        label="Duration"
        value={duration === null ? '—' : formatDuration(duration)}
        note={usual === null ? `started by: ${run.trigger}` : `usual ${formatDuration(usual)}`}
      />
      <Figure
        label="Records read"
        value={formatNumber(totals.extracted)}
        note={`${formatNumber(totals.loaded)} loaded, ${formatNumber(totals.unchanged)} unchanged`}
      />
      <Figure label="Credits" value={formatNumber(totals.credits)} note={`trigger: ${run.trigger}`} />
      <Figure
        label="Complete as of"
        definition="Every table contains all changes up to this time. Some tables can be complete up to a later time."
        value={<Time value={completeAsOf} format="short" />}
        note={<Time value={completeAsOf} />}
      />
    </SimpleGrid>
  );
}

function CancelButton({ run }: { readonly run: Run }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <GuardedButton permission="run" variant="default" onClick={() => setOpen(true)}>
        Cancel run
      </GuardedButton>
      {isOpen ? (
        <ConfirmDialog
          title="Cancel this run?"
          confirmLabel="Cancel run"
          isDangerous
          onConfirm={() => api().post('/v1/runs/{id}/cancel', { params: { path: { id: run.id } } })}
          onClose={() => setOpen(false)}
        >
          Records that have been read are loaded. The next run continues at the same position, so no credits are lost.
        </ConfirmDialog>
      ) : null}
    </>
  );
}

function RunAgainButton({ run }: { readonly run: Run }) {
  const isFailed = run.status === 'failed' || run.status === 'partial';
  const start = useAction(
    () => api().post('/v1/pipelines/{id}/runs', { params: { path: { id: run.pipeline_id } }, body: {} }),
    { done: 'Started a run.' },
  );
  return (
    <GuardedButton
      permission="run"
      variant={isFailed ? 'filled' : 'default'}
      loading={start.isPending}
      onClick={() => start.mutate()}
    >
      {isFailed ? 'Retry failed objects' : 'Run again'}
    </GuardedButton>
  );
}
