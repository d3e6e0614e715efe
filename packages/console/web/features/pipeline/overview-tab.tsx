import { Grid, SimpleGrid, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { Schemas } from '../../api/client.ts';
import { budgetQuery, pipelineObjectsQuery, pipelineQuery, usageByDayQuery } from '../../api/queries.ts';
import { Notice } from '../../components/notice.tsx';
import { Card, Figure, TextLink } from '../../components/page.tsx';
import { Loading } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';
import {
  describeResult,
  describeSchedule,
  getFreshAsOf,
  isFirstSync,
  summarizeRun,
} from '../pipelines/pipeline-state.ts';
import { LiveProgress } from '../run/live-progress.tsx';
import { useLatestRuns, useLiveRun } from '../run/use-live-run.ts';
import { BudgetCard } from '../usage/budget-card.tsx';
import { listDays, sumByDay } from '../usage/usage-data.ts';

const UsageCharts = lazy(() => import('../usage/usage-charts.tsx'));

type Pipeline = Schemas['Pipeline'];
type Run = Schemas['Run'];

/** The overview of a pipeline: its state in one sentence, the live progress, and trends. */
export function OverviewTab() {
  const { id } = useParams({ from: '/pipelines/$id' });
  const { data: pipeline } = useQuery(pipelineQuery(id));
  const runs = useLatestRuns(id);
  if (pipeline === undefined || runs === undefined) return <Loading />;
  return <Overview pipeline={pipeline} runs={runs} />;
}

function Overview({ pipeline, runs }: { readonly pipeline: Pipeline; readonly runs: readonly Run[] }) {
  const open = runs.find((run) => run.finished_at === null);
  const live = useLiveRun(open?.id).data;
  const run = live?.finished_at === null ? live : undefined;
  const { data: usage = [] } = useQuery(usageByDayQuery(pipeline.id));
  return (
    <Stack>
      {run ? (
        <LiveProgress run={run} isFirst={isFirstSync(run, runs)} />
      ) : (
        <StateSentence pipeline={pipeline} runs={runs} />
      )}
      <Figures pipeline={pipeline} runs={runs} usage={usage} />
      <Suspense fallback={<Loading label="Loading charts" />}>
        <UsageCharts usage={usage} />
      </Suspense>
      <BudgetAndData pipeline={pipeline} />
    </Stack>
  );
}

/** The state of a pipeline that is not running: what happened last, and what to do. */
function StateSentence({ pipeline, runs }: { readonly pipeline: Pipeline; readonly runs: readonly Run[] }) {
  const latest = runs[0];
  if (pipeline.status === 'paused') return <PausedSentence pipeline={pipeline} />;
  if (latest === undefined)
    return (
      <Notice tone="running">
        <strong>The first sync starts in a few seconds.</strong> This page shows its progress as soon as it has started.
      </Notice>
    );
  const link = <TextLink to={`/runs/${latest.id}`}>{describeResult(summarizeRun(latest)).toLowerCase()}</TextLink>;
  if (latest.status === 'succeeded')
    return (
      <Notice tone="good">
        <strong>Everything is up to date.</strong> The last run {link} <Time value={latest.finished_at} />. The next run
        starts <Time value={pipeline.next_run_at} />.
      </Notice>
    );
  return (
    <Notice tone={latest.status === 'failed' ? 'failed' : latest.status === 'partial' ? 'attention' : 'neutral'}>
      <strong>Last run {latest.status}:</strong> {link}, <Time value={latest.finished_at} />. The next run starts{' '}
      <Time value={pipeline.next_run_at} />.
    </Notice>
  );
}

function PausedSentence({ pipeline }: { readonly pipeline: Pipeline }) {
  const reasons: Readonly<Record<Schemas['PausedBy'], string>> = {
    user: 'A user paused this pipeline.',
    record_spike:
      'Freshet paused this pipeline, because a sync read far more records than usual. Check the last run before you resume.',
    monthly_quota:
      'Freshet paused this pipeline, because the monthly quota is reached. It resumes in the next month, or when you raise the quota.',
  };
  return (
    <Notice tone={pipeline.paused_by === 'user' || pipeline.paused_by === null ? 'neutral' : 'attention'}>
      <strong>Paused.</strong> {reasons[pipeline.paused_by ?? 'user']} No new run starts until the pipeline is resumed.
    </Notice>
  );
}

interface FiguresProps {
  readonly pipeline: Pipeline;
  readonly runs: readonly Run[];
  readonly usage: readonly Schemas['UsageByDay'][];
}

function Figures({ pipeline, runs, usage }: FiguresProps) {
  const { data: objects = [] } = useQuery(pipelineObjectsQuery(pipeline.id));
  const today = listDays(Date.now(), 1);
  const included = objects.filter((o) => o.included);
  const stale = objects.filter((o) => o.stale_since !== null);
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="sm">
      <Figure
        label="Freshness"
        definition="The age of the data in the least fresh table. The table contains every change up to that time."
        value={<Time value={getFreshAsOf(runs)} format="age" />}
        note={stale.length > 0 ? `${formatCount(stale.length, 'table')} later than the objective` : 'least fresh table'}
      />
      <Figure
        label="Next run"
        value={pipeline.status === 'paused' ? 'Paused' : <Time value={pipeline.next_run_at} />}
        note={describeSchedule(pipeline)}
      />
      <Figure
        label="Records loaded today"
        value={formatNumber(sumByDay(usage, today, (row) => row.records_loaded)[0] ?? 0)}
        note={`${formatCount(included.length, 'table')} in ${pipeline.destination_schema}`}
      />
      <Figure
        label="Credits today"
        value={formatNumber(sumByDay(usage, today, (row) => row.credits_used)[0] ?? 0)}
        note={`share ${pipeline.source.credit_share_percent} % of the account’s limit`}
      />
    </SimpleGrid>
  );
}

function BudgetAndData({ pipeline: { id, source, destination_schema: schema } }: { readonly pipeline: Pipeline }) {
  const { data: budget } = useQuery(budgetQuery(source.subdomain));
  if (budget === undefined) return null;
  return (
    <Grid>
      <Grid.Col span={{ base: 12, md: 6 }}>
        <BudgetCard budget={budget} />
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 6 }}>
        <Card
          title="Query the data"
          description={`The tables are in the schema ${schema} of your warehouse. Any SQL client can read them.`}
        >
          <Stack gap="xs" align="start">
            <TextLink to={`/pipelines/${id}/data`}>Tables, previews and SQL</TextLink>
            <TextLink to="/guides">How to connect a SQL client</TextLink>
          </Stack>
        </Card>
      </Grid.Col>
    </Grid>
  );
}
