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
import { describeResult, describeSchedule, getFreshAsOf, getPipelineState } from './pipeline-state.ts';

type Pipeline = Schemas['Pipeline'];
type Run = Schemas['Run'];

interface PipelinesTableProps {
  readonly pipelines: readonly Pipeline[];
  readonly runsByPipeline: ReadonlyMap<string, readonly Run[]>;
  readonly usage: readonly Schemas['Usage'][];
  readonly destinations: readonly Schemas['Destination'][];
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

export function PipelinesTable(props: PipelinesTableProps) {
  return (
    <DataTable
      label="Pipelines"
      columns={buildColumns(props)}
      rows={props.pipelines}
      getKey={(p) => p.id}
      minWidth={980}
    />
  );
}

function buildColumns({
  runsByPipeline,
  usage,
  destinations,
  selected,
  onSelect,
}: PipelinesTableProps): Column<Pipeline>[] {
  const destinationNames = new Map(destinations.map(({ id, name }) => [id, name]));
  const usageByPipeline = Map.groupBy(usage, (row) => row.pipeline_id);
  const days = listDays(Date.now());
  const runsOf = (p: Pipeline) => runsByPipeline.get(p.id) ?? [];
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
      cell: (p) => (
        <Checkbox aria-label={`Select ${p.name}`} checked={selected.has(p.id)} onChange={() => toggle(p.id)} />
      ),
    },
    {
      title: 'Pipeline',
      cell: (p) => <PipelineName pipeline={p} destination={destinationNames.get(p.destination_id)} />,
    },
    {
      title: 'Status',
      cell: (p) => {
        const { label, tone } = getPipelineState(p, runsOf(p));
        return (
          <Status value={p.status} tone={tone}>
            {label}
          </Status>
        );
      },
    },
    { title: 'Freshness', cell: (p) => <Time value={getFreshAsOf(runsOf(p))} format="age" /> },
    { title: 'Last run', cell: (p) => <LastRun run={runsOf(p)[0]} /> },
    { title: 'Next run', cell: (p) => <NextRun pipeline={p} isRunning={runsOf(p)[0]?.finished_at === null} /> },
    {
      title: `Records, ${DAYS} days`,
      cell: (p) => {
        const values = sumByDay(usageByPipeline.get(p.id) ?? [], days, (row) => row.records_loaded);
        const total = values.reduce((sum, value) => sum + value, 0);
        const { tone } = getPipelineState(p, runsOf(p));
        return <Sparkline values={values} tone={tone} label={`${formatNumber(total)} records in ${DAYS} days`} />;
      },
    },
    {
      title: 'Credits today',
      isNumber: true,
      cell: (p) =>
        formatNumber(sumByDay(usageByPipeline.get(p.id) ?? [], days.slice(-1), (row) => row.credits_used)[0] ?? 0),
    },
    { title: 'Actions', isTitleHidden: true, cell: (p) => <RunNowButton pipeline={p} runs={runsOf(p)} /> },
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

function LastRun({ run }: { readonly run: Run | undefined }) {
  if (run === undefined) return <>none</>;
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
function RunNowButton({ pipeline, runs }: { readonly pipeline: Pipeline; readonly runs: readonly Run[] }) {
  const navigate = useNavigate();
  const open = runs.find((run) => run.finished_at === null);
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
