import { Checkbox, Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { api, type Schemas } from '../../api/client.ts';
import { useAction } from '../../components/actions.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { TextLink } from '../../components/page.tsx';
import { Sparkline } from '../../components/sparkline.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { formatNumber } from '../../format/numbers.ts';
import { DAYS, listDays, sumByDay } from '../usage/usage-data.ts';
import { describeResult, describeSchedule, getPipelineState } from './pipeline-state.ts';

type Pipeline = Schemas['Pipeline'];
type Activity = Schemas['PipelineActivity'];
type Run = Schemas['RunSummary'];

interface PipelinesTableProps {
  readonly activities: readonly Activity[];
  readonly destinations: readonly Schemas['Destination'][];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

export function PipelinesTable(props: PipelinesTableProps) {
  return (
    <DataTable
      label="Pipelines"
      columns={buildColumns(props)}
      rows={props.activities}
      getKey={({ pipeline }) => pipeline.id}
      minWidth={980}
    />
  );
}

function getState({ pipeline, open_run: open, last_status }: Activity) {
  const openRun = open === null ? null : { ...open, isFirst: open.is_first_sync };
  return getPipelineState(pipeline, { open: openRun, lastStatus: last_status });
}

function buildColumns({ destinations, selected, onSelect }: PipelinesTableProps): Column<Activity>[] {
  const destinationNames = new Map(destinations.map(({ id, name }) => [id, name]));
  const days = listDays(Date.now());
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect(next);
  };
  return [
    {
      title: 'Select',
      isTitleHidden: true,
      width: 40,
      cell: ({ pipeline: { id, name } }) => (
        <Checkbox aria-label={`Select ${name}`} checked={selected.has(id)} onChange={() => toggle(id)} />
      ),
    },
    {
      title: 'Pipeline',
      cell: ({ pipeline }) => (
        <PipelineName pipeline={pipeline} destination={destinationNames.get(pipeline.destination_id)} />
      ),
    },
    {
      title: 'Status',
      cell: (activity) => {
        const { label, tone } = getState(activity);
        return (
          <Status value={activity.pipeline.status} tone={tone}>
            {label}
          </Status>
        );
      },
    },
    { title: 'Freshness', cell: ({ fresh_as_of }) => <Time value={fresh_as_of} format="age" /> },
    { title: 'Last run', cell: ({ last_run }) => <LastRun run={last_run} /> },
    {
      title: 'Next run',
      cell: ({ pipeline, open_run }) => <NextRun pipeline={pipeline} isRunning={open_run !== null} />,
    },
    {
      title: `Records, ${DAYS} days`,
      cell: (activity) => {
        const values = sumByDay(activity.usage, days, (day) => day.records_loaded);
        const total = values.reduce((sum, value) => sum + value, 0);
        const { tone } = getState(activity);
        return <Sparkline values={values} tone={tone} label={`${formatNumber(total)} records in ${DAYS} days`} />;
      },
    },
    {
      title: 'Credits today',
      isNumber: true,
      cell: ({ usage }) => formatNumber(sumByDay(usage, days.slice(-1), (day) => day.credits_used)[0] ?? 0),
    },
    {
      title: 'Actions',
      isTitleHidden: true,
      cell: ({ pipeline, open_run }) => <RunNowButton pipeline={pipeline} open={open_run} />,
    },
  ];
}

function PipelineName({
  pipeline,
  destination,
}: {
  readonly pipeline: Pipeline;
  readonly destination: string | undefined;
}) {
  const { id, name, source, destination_schema } = pipeline;
  return (
    <>
      <TextLink to={`/pipelines/${id}`} fw={650}>
        {name}
      </TextLink>
      <Text size="sm" c="dimmed">
        {source.subdomain}.freshdesk.com → {destination === undefined ? '' : `${destination} / `}
        {destination_schema}
      </Text>
    </>
  );
}

function LastRun({ run }: { readonly run: Run | null }) {
  if (run === null) return <>none</>;
  return (
    <>
      <TextLink to={`/runs/${run.id}`}>{describeResult(run)}</TextLink>{' '}
      <Time value={run.finished_at ?? run.created_at} />
    </>
  );
}

function NextRun({ pipeline, isRunning }: { readonly pipeline: Pipeline; readonly isRunning: boolean }) {
  if (pipeline.status === 'paused') return <>—</>;
  if (isRunning)
    return (
      <Text c="dimmed" size="sm">
        then {describeSchedule(pipeline)}
      </Text>
    );
  return <Time value={pipeline.next_run_at} />;
}

/** Starts a run. While a run is open, leads to this run instead. */
function RunNowButton({ pipeline, open }: { readonly pipeline: Pipeline; readonly open: Run | null }) {
  const navigate = useNavigate();
  const start = useAction(() => api().post('/v1/pipelines/{id}/runs', { params: { path: { id: pipeline.id } } }), {
    done: `Started a run of ${pipeline.name}.`,
    onDone: (run) => void navigate({ to: '/runs/$id', params: { id: run.id } }),
  });
  if (open) return <TextLink to={`/runs/${open.id}`}>Watch run</TextLink>;
  return (
    <GuardedButton
      permission="run"
      variant="default"
      size="compact-sm"
      loading={start.isPending}
      onClick={() => start.mutate()}
      aria-label={`Run now: ${pipeline.name}`}
    >
      Run now
    </GuardedButton>
  );
}
