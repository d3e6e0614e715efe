import { Group, SimpleGrid, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Figure } from '../../components/page.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';
import { type Comparison, compareCounts, compareMinutes, comparePercentages } from './comparison.ts';
import { describePreviousPeriod, formatPeriod, getPreviousPeriod } from './periods.ts';
import { ReportActions } from './report-card.tsx';
import { type ReportRequest, reportQuery } from './report-queries.ts';
import type { Hours } from './report-search.ts';
import {
  formatMinutes,
  formatPercentage,
  getDefinition,
  getNumber,
  NO_DATA,
  type ReportResult,
} from './report-values.ts';

interface ReportFiguresProps extends Pick<ReportRequest, 'pipeline' | 'period'> {
  /** The summary of the period. */
  readonly result: ReportResult;
  readonly hours: Hours;
  /** The day since which the warehouse contains tickets. Null: all days, or the day is unknown. */
  readonly historySince: string | null;
}

/** The four main figures of the period, compared with the previous period. */
export function ReportFigures({ pipeline, period, result, hours, historySince }: ReportFiguresProps) {
  const previousPeriod = getPreviousPeriod(period);
  const { data: previousResult } = useQuery(
    reportQuery({ pipeline, period: previousPeriod, report: 'summary', groupBy: 'total' }),
  );
  const isComparable = historySince === null || historySince <= previousPeriod.from;
  const row = result.rows[0];
  const before = isComparable ? previousResult?.rows[0] : undefined;
  const isPending = previousResult === undefined;
  const describe = (comparison: Comparison, suffix?: string): ReactNode => (
    <Change comparison={isPending ? null : comparison} suffix={suffix} />
  );
  const responseColumn = `first_response_${hours === 'business' ? 'business_minutes' : 'minutes'}_median`;
  const created = getNumber(row, 'created') ?? 0;
  const volume = compareCounts(created, getNumber(before, 'created') ?? 0);
  const response = getNumber(row, responseColumn);
  const sla = getNumber(row, 'resolution_sla_percent');
  const csat = getNumber(row, 'csat_percent');
  const ratings = getNumber(row, 'csat_ratings') ?? 0;
  const define = (column: string) => {
    const definition = getDefinition(result, column);
    return definition === undefined ? {} : { definition };
  };
  const request = { pipeline, period, report: 'summary', groupBy: 'total' };
  return (
    <div>
      <Group justify="space-between" gap="xs" mb="xs">
        <Text size="sm" c="dimmed">
          {isComparable ? `Compared with ${formatPeriod(previousPeriod)}` : 'The previous period is incomplete.'}
        </Text>
        <ReportActions title="Figures" description="Main figures" request={request} result={result} />
      </Group>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }} spacing="sm">
        <Figure
          label="Tickets created"
          {...define('created')}
          value={formatNumber(created)}
          note={describe(volume, volume.text === null ? undefined : `vs. ${describePreviousPeriod(period)}`)}
        />
        <Figure
          label="First response, median"
          {...define(responseColumn)}
          value={response === null ? NO_DATA : formatMinutes(response, hours)}
          note={describe(compareMinutes(response, getNumber(before, responseColumn), hours))}
        />
        <Figure
          label="Resolved within SLA"
          {...define('resolution_sla_percent')}
          value={sla === null ? NO_DATA : formatPercentage(sla)}
          note={describe(comparePercentages(sla, getNumber(before, 'resolution_sla_percent')))}
        />
        <Figure
          label="CSAT"
          {...define('csat_percent')}
          value={csat === null ? NO_DATA : formatPercentage(csat)}
          note={describe(
            comparePercentages(csat, getNumber(before, 'csat_percent')),
            `· ${formatCount(ratings, 'rating')}`,
          )}
        />
      </SimpleGrid>
    </div>
  );
}

interface ChangeProps {
  /** Null: the previous period is not loaded yet. */
  readonly comparison: Comparison | null;
  /** A text after the change. */
  readonly suffix?: string | undefined;
}

const ARROWS = { up: '▲', down: '▼' } as const;

function Change({ comparison, suffix }: ChangeProps) {
  const end = suffix === undefined ? '' : ` ${suffix}`;
  if (comparison === null) return <>…{end}</>;
  const { direction, tone, text } = comparison;
  return (
    <>
      <span className="change" data-tone={tone}>
        {direction === null ? null : <span aria-hidden="true">{ARROWS[direction]} </span>}
        {text ?? 'nothing to compare'}
      </span>
      {end}
    </>
  );
}
