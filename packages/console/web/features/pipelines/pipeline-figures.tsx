import { SimpleGrid } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client.ts';
import { pipelineSummaryQuery, systemQuery } from '../../api/queries.ts';
import { Figure } from '../../components/page.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';
import { getChangePercent } from '../usage/usage-data.ts';

type Summary = Schemas['PipelineSummary'];

/** The four figures above the list of pipelines. They cover all pipelines, not only those shown. */
export function PipelineFigures() {
  const { data: summary } = useQuery(pipelineSummaryQuery());
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="sm">
      <UsageFigure
        label="Records loaded today"
        definition="Rows that were inserted or updated in all warehouses since midnight UTC."
        summary={summary}
        getValue={(day) => day.records_loaded}
      />
      <Figure
        label="Freshest / stalest pipeline"
        definition="The age of the data in the least fresh table of a pipeline, for the freshest and for the stalest pipeline."
        value={
          summary === undefined || summary.synced_pipelines === 0 ? (
            '—'
          ) : (
            <>
              <Time value={summary.freshest_as_of} format="age" /> / <Time value={summary.stalest_as_of} format="age" />
            </>
          )
        }
        note={
          summary === undefined
            ? '…'
            : summary.synced_pipelines === 0
              ? 'no sync has finished yet'
              : `of ${formatCount(summary.synced_pipelines, 'pipeline')}`
        }
      />
      <UsageFigure
        label="Credits used today"
        definition="Credits are the units of Freshdesk’s rate limit. A request uses one credit or more. The day starts at midnight UTC."
        summary={summary}
        getValue={(day) => day.credits_used}
      />
      <AttentionFigure summary={summary} />
    </SimpleGrid>
  );
}

interface UsageFigureProps {
  readonly label: string;
  readonly definition: string;
  /** Undefined: the summary has not been fetched yet. */
  readonly summary: Summary | undefined;
  readonly getValue: (day: Schemas['DailyUsage']) => number;
}

function UsageFigure({ label, definition, summary, getValue }: UsageFigureProps) {
  if (summary === undefined) return <Figure label={label} definition={definition} value="—" note="…" />;
  const [today, weekAgo] = [getValue(summary.today), getValue(summary.week_ago)];
  return (
    <Figure label={label} definition={definition} value={formatNumber(today)} note={describeChange(today, weekAgo)} />
  );
}

function AttentionFigure({ summary }: Pick<UsageFigureProps, 'summary'>) {
  // The System page fetches the status more often.
  const { data: system } = useQuery({ ...systemQuery(), refetchInterval: 20_000 });
  const count = summary?.pipelines_needing_attention ?? 0;
  const parts = [
    ...(count > 0 ? [formatCount(count, 'pipeline')] : []),
    ...(system && system.rejected_records > 0 ? [formatCount(system.rejected_records, 'rejected record')] : []),
    ...(system && system.failed_units > 0 ? [formatCount(system.failed_units, 'failed unit')] : []),
    ...(system && system.dead_jobs > 0 ? [formatCount(system.dead_jobs, 'dead job')] : []),
  ];
  return (
    <Figure
      label="Needs attention"
      definition="Pipelines whose last run failed or is incomplete, and records, units and jobs that wait for a decision."
      value={parts.length === 0 ? 'Nothing' : formatNumber(parts.length)}
      note={parts.length === 0 ? 'all pipelines are healthy or paused' : parts.join(', ')}
    />
  );
}

function describeChange(value: number, before: number): string {
  const percent = getChangePercent(value, before);
  return percent === null
    ? 'none on this day of last week'
    : `${percent >= 0 ? '+' : '−'}${Math.abs(percent)} % vs. last week`;
}
