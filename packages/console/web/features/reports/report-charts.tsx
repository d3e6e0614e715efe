/** The charts of the reports page by time. */
import { Grid, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { Chart, type ChartProps, ChartTable, hasNoValues, type Series } from '../../components/charts/chart.tsx';
import { formatNumber } from '../../format/numbers.ts';
import { formatInterval, listIntervals, type Period } from './periods.ts';
import { ReportCard } from './report-card.tsx';
import type { ReportRequest } from './report-queries.ts';
import type { Grouping, Hours } from './report-search.ts';
import {
  formatMinutes,
  formatPercentage,
  getDurationUnit,
  getNumber,
  getSeries,
  type ReportResult,
} from './report-values.ts';

interface ReportChartProps {
  readonly pipeline: ReportRequest['pipeline'];
  readonly period: Period;
  readonly grouping: Grouping;
  readonly hours: Hours;
}

const INTERVAL_TITLES: Readonly<Record<Grouping, string>> = { day: 'Day', week: 'Week of', month: 'Month' };

/** A chart or its table, for the intervals of a period. */
function renderIntervals(
  props: Omit<ChartProps, 'labels' | 'labelTitle'>,
  { period, grouping }: ReportChartProps,
  isTable: boolean,
) {
  const intervals = listIntervals(period, grouping);
  const labels = intervals.map((interval) => formatInterval(interval, grouping, period));
  const chart = { ...props, labels, labelTitle: INTERVAL_TITLES[grouping] };
  return isTable ? <ChartTable {...chart} /> : <Chart {...chart} />;
}

export default function ReportCharts(props: ReportChartProps) {
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, lg: 7 }}>
        <VolumeCard {...props} />
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <BacklogCard {...props} />
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 6 }}>
        <DurationCard {...props} title="First response" report="first_response_time" />
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 6 }}>
        <DurationCard {...props} title="Resolution" report="resolution_time" />
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 6 }}>
        <SlaCard {...props} />
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 6 }}>
        <CsatCard {...props} />
      </Grid.Col>
    </Grid>
  );
}

const formatCountTick = (value: number) => formatNumber(value);
const toRequest = ({ pipeline, period, grouping }: ReportChartProps, report: string): ReportRequest => ({
  pipeline,
  report,
  period,
  groupBy: grouping,
});

function VolumeCard(props: ReportChartProps) {
  const { period, grouping } = props;
  const title = 'Created and resolved';
  const intervals = listIntervals(period, grouping);
  const toSeries = (result: ReportResult): Series[] => [
    {
      name: 'Created',
      color: 'var(--chart-blue)',
      values: getSeries(result, intervals, 'created', 0),
      isFilled: false,
    },
    { name: 'Resolved', color: 'var(--good-fill)', values: getSeries(result, intervals, 'resolved', 0) },
  ];
  return (
    <ReportCard
      title={title}
      description={`Tickets per ${grouping}`}
      request={toRequest(props, 'tickets_created_resolved')}
      findEmptiness={(result) =>
        hasNoValues(toSeries(result)) ? 'No ticket was created or resolved in this period.' : null
      }
    >
      {(result, isTable) =>
        renderIntervals({ title, kind: 'area', series: toSeries(result), format: formatCountTick }, props, isTable)
      }
    </ReportCard>
  );
}

/** The ages of unresolved tickets: the name, and the columns whose difference is the number. */
const AGES = [
  { name: '< 1 day', color: 'var(--age-1)', column: 'open_tickets', older: 'older_than_1_day' },
  { name: '1–7 days', color: 'var(--age-2)', column: 'older_than_1_day', older: 'older_than_7_days' },
  { name: '7–30 days', color: 'var(--age-3)', column: 'older_than_7_days', older: 'older_than_30_days' },
  { name: '> 30 days', color: 'var(--age-4)', column: 'older_than_30_days', older: null },
] as const;

function BacklogCard(props: ReportChartProps) {
  const { period, grouping } = props;
  const title = 'Backlog';
  const intervals = listIntervals(period, grouping);
  const toSeries = (result: ReportResult): Series[] =>
    AGES.map(({ name, color, column, older }) => {
      const olderValues = older === null ? null : getSeries(result, intervals, older, 0);
      const values = getSeries(result, intervals, column, 0).map((value, i) => (value ?? 0) - (olderValues?.[i] ?? 0));
      return { name, color, values };
    }).toReversed();
  return (
    <ReportCard
      title={title}
      description={`Unresolved at the end of the ${grouping}, by age`}
      request={toRequest(props, 'backlog')}
      findEmptiness={(result) => (hasNoValues(toSeries(result)) ? 'No ticket was unresolved in this period.' : null)}
    >
      {(result, isTable) =>
        renderIntervals({ title, kind: 'bars', series: toSeries(result), format: formatCountTick }, props, isTable)
      }
    </ReportCard>
  );
}

interface DurationCardProps extends ReportChartProps {
  readonly title: string;
  readonly report: string;
}

function DurationCard(props: DurationCardProps) {
  const { title, report, hours, period, grouping } = props;
  const intervals = listIntervals(period, grouping);
  const prefix = hours === 'business' ? 'business_minutes' : 'minutes';
  const toSeries = (result: ReportResult): Series[] => [
    {
      name: '90th percentile',
      color: 'var(--chart-orange)',
      values: getSeries(result, intervals, `${prefix}_p90`, null),
      isFilled: false,
    },
    { name: 'Median', color: 'var(--good-fill)', values: getSeries(result, intervals, `${prefix}_median`, null) },
  ];
  const findEmptiness = (result: ReportResult) => {
    if (result.rows.length === 0) return `No ticket had a ${title.toLowerCase()} in this period.`;
    const hasValues = toSeries(result).some(({ values }) => values.some((value) => value !== null));
    return hasValues ? null : 'The warehouse contains no business hours. Select calendar hours.';
  };
  return (
    <ReportCard
      title={title}
      description={`Time since creation by ${grouping}, in ${hours} hours`}
      request={toRequest(props, report)}
      findEmptiness={findEmptiness}
    >
      {(result, isTable) => {
        const series = toSeries(result);
        const maximum = Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
        const unit = getDurationUnit(maximum, hours);
        // The axis counts in its unit, so that its values are round.
        const scaled = series.map((s) => ({
          ...s,
          values: s.values.map((v) => (v === null ? null : v / unit.minutes)),
        }));
        const format = (value: number) => formatMinutes(value * unit.minutes, hours);
        const formatTick = (value: number) => `${formatNumber(value, 1)} ${unit.name}`;
        return renderIntervals({ title, kind: 'area', series: scaled, format, formatTick }, props, isTable);
      }}
    </ReportCard>
  );
}

/**
 * The parts of a service level agreement. Next responses are missing: Freshdesk removes their due
 * time when an agent responds, so that only late responses are known.
 */
const SLA_PARTS = [
  { name: 'First response', color: 'var(--chart-blue)', column: 'first_response_percent' },
  { name: 'Resolution', color: 'var(--good-fill)', column: 'resolution_percent' },
] as const;

function SlaCard(props: ReportChartProps) {
  const { period, grouping } = props;
  const title = 'Service levels';
  const [view, setView] = useState<'time' | 'priority'>('time');
  const intervals = listIntervals(period, grouping);
  const hasValues = ({ rows }: ReportResult) =>
    rows.some((row) => SLA_PARTS.some(({ column }) => getNumber(row, column) !== null));
  const chart = { title, format: formatPercentage, maximum: 100 } as const;
  return (
    <ReportCard
      title={title}
      description={`Targets met, by part of the SLA policy and ${view === 'time' ? grouping : 'priority'}`}
      request={{ ...toRequest(props, 'sla'), ...(view === 'time' ? {} : { groupBy: 'priority' }) }}
      findEmptiness={(result) => (hasValues(result) ? null : 'No target became due in this period.')}
      controls={
        <SegmentedControl
          aria-label="Grouping of service levels"
          size="xs"
          mb="xs"
          data={[
            { value: 'time', label: 'Over time' },
            { value: 'priority', label: 'By priority' },
          ]}
          value={view}
          onChange={(value) => setView(value as typeof view)}
        />
      }
    >
      {(result, isTable) => {
        if (view === 'time') {
          const series = SLA_PARTS.map(({ name, color, column }) => ({
            name,
            color,
            values: getSeries(result, intervals, column, null),
            isFilled: false,
          }));
          return renderIntervals({ ...chart, kind: 'area', series }, props, isTable);
        }
        const labels = result.rows.map((row) => String(row['group']));
        const series = SLA_PARTS.map(({ name, color, column }) => ({
          name,
          color,
          values: result.rows.map((row) => getNumber(row, column)),
        }));
        const byPriority = { ...chart, kind: 'groups', labels, labelTitle: 'Priority', series } as const;
        return isTable ? <ChartTable {...byPriority} /> : <Chart {...byPriority} />;
      }}
    </ReportCard>
  );
}

const RATINGS = [
  { name: 'Positive', color: 'var(--good-fill)', column: 'positive' },
  { name: 'Neutral', color: 'var(--neutral-fill)', column: 'neutral' },
  { name: 'Negative', color: 'var(--failed-fill)', column: 'negative' },
] as const;

function CsatCard(props: ReportChartProps) {
  const title = 'Customer satisfaction';
  const intervals = listIntervals(props.period, props.grouping);
  const toSeries = (result: ReportResult): Series[] =>
    RATINGS.map(({ name, color, column }) => ({ name, color, values: getSeries(result, intervals, column, 0) }));
  return (
    <ReportCard
      title={title}
      description={`Ratings per ${props.grouping}`}
      request={toRequest(props, 'csat')}
      findEmptiness={(result) => (hasNoValues(toSeries(result)) ? 'No customer rated a ticket in this period.' : null)}
    >
      {(result, isTable) =>
        renderIntervals({ title, kind: 'bars', series: toSeries(result), format: formatCountTick }, props, isTable)
      }
    </ReportCard>
  );
}
