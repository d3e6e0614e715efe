import { Grid } from '@mantine/core';
import type { Schemas } from '../../api/client.ts';
import { ChartCard } from '../../components/charts/chart-card.tsx';
import { formatDuration, formatDurationBriefly, formatNumber, listDurationTicks } from '../../format/numbers.ts';
import { CREDIT_CLASSES, DAYS, formatDay, getLagByDay, listDays, sumByDay } from './usage-data.ts';

interface UsageChartsProps {
  readonly usage: readonly Schemas['UsageByDay'][];
  /** The objective of freshness in minutes. Absent: there is none. */
  readonly objectiveMinutes?: number;
}

/** Charts of the last 30 days: records, freshness, and credits by class. */
export default function UsageCharts({ usage, objectiveMinutes }: UsageChartsProps) {
  const days = listDays(Date.now());
  const labels = days.map(formatDay);
  const lags = getLagByDay(usage, days);
  const description = `Last ${DAYS} days (UTC)`;
  const credits = CREDIT_CLASSES.map(({ key, label, color }) => ({
    name: label,
    color,
    values: sumByDay(usage, days, (row) => row.credits_by_class[key]),
  })).filter(({ values }) => values.some((value) => value > 0));
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, lg: 7 }}>
        <ChartCard
          title="Records per day"
          description={description}
          kind="bars"
          labels={labels}
          series={[
            { name: 'Loaded', color: 'var(--good-fill)', values: sumByDay(usage, days, (row) => row.records_loaded) },
            {
              name: 'Read without change',
              color: 'var(--neutral-fill)',
              values: sumByDay(usage, days, (row) => Math.max(0, row.records_extracted - row.records_loaded)),
            },
          ]}
          format={(value) => formatNumber(value)}
          empty="No records were read in the last 30 days."
        />
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <ChartCard
          title="Freshness"
          description={`Longest lag of a table by day, UTC${objectiveMinutes === undefined ? '' : `; objective ${objectiveMinutes} min`}`}
          kind="area"
          labels={labels}
          series={[{ name: 'Longest lag', color: 'var(--good-fill)', values: lags }]}
          format={(value) => formatDuration(value)}
          formatTick={formatDurationBriefly}
          ticks={listDurationTicks(Math.max(0, (objectiveMinutes ?? 0) * 60, ...lags.map((lag) => lag ?? 0)))}
          {...(objectiveMinutes === undefined
            ? {}
            : { reference: { name: 'Objective', value: objectiveMinutes * 60 } })}
          empty="No table was loaded in the last 30 days."
        />
      </Grid.Col>
      <Grid.Col span={12}>
        <ChartCard
          title="Credits per day"
          description={`${description}, by kind of work`}
          kind="bars"
          labels={labels}
          series={credits}
          format={(value) => formatNumber(value)}
          empty="No credits were used in the last 30 days."
        />
      </Grid.Col>
    </Grid>
  );
}
