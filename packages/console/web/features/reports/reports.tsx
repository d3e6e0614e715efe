import { Grid, Stack, Text, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { pipelineObjectsQuery } from '../../api/queries.ts';
import { usePermission } from '../../components/guarded.tsx';
import { Notice } from '../../components/notice.tsx';
import { Card } from '../../components/page.tsx';
import { Empty, Loading, QueryView } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { BreakdownCard } from './breakdown-card.tsx';
import { HeatMapCard } from './heat-map.tsx';
import { getDay, getDefaultGrouping, getPeriod, getPreviousPeriod, type Period } from './periods.ts';
import { ReportControls } from './report-controls.tsx';
import { ReportFigures } from './report-figures.tsx';
import { reportQuery } from './report-queries.ts';
import type { Grouping, Hours, ReportSearch } from './report-search.ts';
import { AnalyticsOff, ModelNotices, ModelsNotReady, ReportError } from './report-states.tsx';
import type { ReportResult } from './report-values.ts';

const ReportCharts = lazy(() => import('./report-charts.tsx'));

interface ReportsProps {
  readonly pipeline: Schemas['Pipeline'];
  readonly search: ReportSearch;
  /** Changes parameters of the URL. */
  readonly onChange: (changes: ReportSearch) => void;
}

/** The reports of a pipeline, or the reason why there are none. */
export function Reports(props: ReportsProps) {
  const { pipeline } = props;
  const { isAllowed, reason } = usePermission('read_reports');
  if (!isAllowed)
    return (
      <Card>
        <Empty title="You do not have access to reports" icon="lock">
          {reason} Ask a team admin for a token with a different role.
        </Empty>
      </Card>
    );
  if (!pipeline.analytics) return <AnalyticsOff pipeline={pipeline} />;
  if (!pipeline.analytics_refresh?.refreshed_at) return <ModelsNotReady pipeline={pipeline} />;
  return <AvailableReports {...props} />;
}

function AvailableReports({ pipeline, search, onChange }: ReportsProps) {
  // The time zone of the account is unknown until the first response. Until then, today is the
  // day of the viewer.
  const [timeZone, setTimeZone] = useState<string>();
  const period = getPeriod(search, getDay(Date.now(), timeZone));
  const summary = useQuery(reportQuery({ pipeline, period, report: 'summary', groupBy: 'total' }));
  const { data, error } = summary;
  if (data !== undefined && data.time_zone !== timeZone) setTimeZone(data.time_zone);
  const { hours = 'business' } = search;
  const grouping = search.by ?? getDefaultGrouping(period);
  const settings = { period, grouping, hours };
  return (
    <>
      <ReportControls search={search} onChange={onChange} {...settings} />
      {data === undefined && error ? (
        <ReportError error={error} pipeline={pipeline} retry={() => void summary.refetch()} />
      ) : (
        <QueryView query={summary} label="Loading reports" rows={6}>
          {(result) => (
            <Sections pipeline={pipeline} result={result} search={search} onChange={onChange} {...settings} />
          )}
        </QueryView>
      )}
    </>
  );
}

interface SectionsProps extends ReportsProps {
  /** The summary of the period. */
  readonly result: ReportResult;
  readonly period: Period;
  readonly grouping: Grouping;
  readonly hours: Hours;
}

function Sections({ pipeline, result, search, onChange, ...settings }: SectionsProps) {
  const { period, hours } = settings;
  const historySince = useHistorySince(pipeline.id);
  const isIncomplete = historySince !== null && historySince > getPreviousPeriod(period).from;
  return (
    <Stack gap="md">
      <ModelNotices pipeline={pipeline} historySince={isIncomplete ? historySince : null} />
      {result.rows.length === 0 ? (
        <Notice tone="neutral">
          <strong>There is no activity in this period.</strong> No ticket was created, answered or resolved.{' '}
          <UnstyledButton className="text-button" onClick={() => onChange({ range: 'quarter' })}>
            Show the last 13 weeks
          </UnstyledButton>
        </Notice>
      ) : null}
      <ReportFigures {...{ pipeline, period, hours, result, historySince }} />
      <Suspense fallback={<Loading label="Loading charts" rows={6} />}>
        <ReportCharts pipeline={pipeline} {...settings} />
      </Suspense>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <BreakdownCard
            {...{ pipeline, period, hours }}
            dimension={search.table ?? 'agent'}
            onDimensionChange={(table) => onChange({ table })}
          />
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <HeatMapCard pipeline={pipeline} period={period} timeZone={result.time_zone} />
        </Grid.Col>
      </Grid>
      <Text size="sm" c="dimmed">
        The models contain everything that was loaded before <Time value={result.refreshed_at} format="short" /> (your
        time). Days begin in the time zone of the account, {result.time_zone}. Spam, deleted and merged tickets do not
        count.
      </Text>
    </Stack>
  );
}

/** Returns the day since which the table of tickets is complete. Null: it has all history. */
function useHistorySince(pipelineId: string): string | null {
  const { data: objects = [] } = useQuery(pipelineObjectsQuery(pipelineId));
  const since = objects.find(({ object }) => object === 'tickets')?.complete_back_to ?? null;
  return since === null || since.startsWith('1970') ? null : since.slice(0, 10);
}
