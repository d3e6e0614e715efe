import { SimpleGrid } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Schemas } from '../../api/client.ts';
import { systemQuery } from '../../api/queries.ts';
import { Figure } from '../../components/page.tsx';
import { Time } from '../../components/time.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';
import { getChangePercent, listDays, sumByDay } from '../usage/usage-data.ts';
import { getFreshAsOf, getPipelineState } from './pipeline-state.ts';

interface PipelineFiguresProps {
  readonly pipelines: readonly Schemas['Pipeline'][];
  readonly runsByPipeline: ReadonlyMap<string, readonly Schemas['Run'][]>;
  readonly usage: readonly Schemas['Usage'][];
}

/** The four figures above the list of pipelines. */
export function PipelineFigures({ pipelines, runsByPipeline, usage }: PipelineFiguresProps) {
  const days = listDays(Date.now(), 8);
  const records = sumByDay(usage, days, (row) => row.records_loaded);
  const credits = sumByDay(usage, days, (row) => row.credits_used);
  const fresh = pipelines.flatMap((p) => getFreshAsOf(runsByPipeline.get(p.id) ?? []) ?? []).sort();
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="sm">
      <Figure
        label="Records loaded today"
        definition="Rows that were inserted or updated in all warehouses since midnight UTC."
        value={formatNumber(records[7] ?? 0)}
        note={describeChange(records[7] ?? 0, records[0] ?? 0)}
      />
      <Figure
        label="Freshest / stalest pipeline"
        definition="The age of the data in the least fresh table of a pipeline, for the freshest and for the stalest pipeline."
        value={
          fresh.length === 0 ? (
            '—'
          ) : (
            <>
              <Time value={fresh.at(-1) ?? null} format="age" /> / <Time value={fresh[0] ?? null} format="age" />
            </>
          )
        }
        note={fresh.length === 0 ? 'no sync has finished yet' : `of ${formatCount(fresh.length, 'pipeline')}`}
      />
      <Figure
        label="Credits used today"
        definition="Credits are the units of Freshdesk’s rate limit. A request uses one credit or more. The day starts at midnight UTC."
        value={formatNumber(credits[7] ?? 0)}
        note={describeChange(credits[7] ?? 0, credits[0] ?? 0)}
      />
      <AttentionFigure pipelines={pipelines} runsByPipeline={runsByPipeline} />
    </SimpleGrid>
  );
}

function AttentionFigure({ pipelines, runsByPipeline }: Pick<PipelineFiguresProps, 'pipelines' | 'runsByPipeline'>) {
  const { data: system } = useQuery(systemQuery());
  const count = pipelines.filter((p) => getPipelineState(p, runsByPipeline.get(p.id) ?? []).needsAttention).length;
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
