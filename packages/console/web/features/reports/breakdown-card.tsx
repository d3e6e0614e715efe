import { Button, Group, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';
import { ReportCard } from './report-card.tsx';
import type { ReportRequest } from './report-queries.ts';
import { DIMENSIONS, type Dimension, type Hours } from './report-search.ts';
import { formatMinutesBriefly, formatPercentage, getNumber, type ReportRow } from './report-values.ts';

interface BreakdownCardProps extends Pick<ReportRequest, 'pipeline' | 'period'> {
  readonly hours: Hours;
  readonly dimension: Dimension;
  readonly onDimensionChange: (dimension: Dimension) => void;
}

const LABELS: Readonly<
  Record<Dimension, { readonly title: string; readonly singular: string; readonly none: string }>
> = {
  agent: { title: 'Agents', singular: 'Agent', none: 'No agent' },
  group: { title: 'Groups', singular: 'Group', none: 'No group' },
  source: { title: 'Channels', singular: 'Channel', none: 'No channel' },
  company: { title: 'Companies', singular: 'Company', none: 'No company' },
};
/** The number of rows that are shown at first, and that each click adds. */
const ROWS_INITIAL = 7;
const ROWS_ADDED = 50;

/** The measures of agents, groups, channels or companies as a table that can be sorted. */
export function BreakdownCard({ pipeline, period, hours, dimension, onDimensionChange }: BreakdownCardProps) {
  const [limit, setLimit] = useState(ROWS_INITIAL);
  const { title, singular } = LABELS[dimension];
  return (
    <ReportCard
      title={`By ${singular.toLowerCase()}`}
      description={`Times are medians in ${hours} hours`}
      request={{ pipeline, period, report: 'summary', groupBy: dimension }}
      hasChart={false}
      findEmptiness={({ rows }) =>
        rows.length === 0 ? `No ${singular.toLowerCase()} has tickets in this period.` : null
      }
      controls={
        <SegmentedControl
          aria-label="Rows of the table"
          size="xs"
          mb="xs"
          data={DIMENSIONS.map((value) => ({ value, label: LABELS[value].title }))}
          value={dimension}
          onChange={(value) => {
            setLimit(ROWS_INITIAL);
            onDimensionChange(value as Dimension);
          }}
        />
      }
    >
      {({ rows }) => (
        <div className="breakdown">
          <DataTable
            key={dimension}
            label={title}
            columns={listColumns(dimension, hours)}
            rows={rows}
            getKey={(row) => [row['group_id'], row['group']].join(' ')}
            initialSort={{ title: dimension === 'agent' ? 'Resolved' : 'Created', isDescending: true }}
            limit={limit}
            minWidth={520}
          />
          {rows.length > limit ? (
            <Group justify="center" mt="xs">
              <Button variant="default" size="compact-sm" onClick={() => setLimit(limit + ROWS_ADDED)}>
                Show more of {formatCount(rows.length, singular.toLowerCase(), title.toLowerCase())}
              </Button>
            </Group>
          ) : null}
        </div>
      )}
    </ReportCard>
  );
}

function listColumns(dimension: Dimension, hours: Hours): Column<ReportRow>[] {
  const { singular, none } = LABELS[dimension];
  const unit = hours === 'business' ? 'business_minutes' : 'minutes';
  const getName = (row: ReportRow) => (row['group_id'] === null ? none : String(row['group']));
  const formatTime = (minutes: number) => formatMinutesBriefly(minutes, hours);
  return [
    { title: singular, cell: (row) => <span title={getName(row)}>{getName(row)}</span>, sortValue: getName },
    ...(dimension === 'agent' ? [] : [createColumn('Created', 'created', formatNumber)]),
    createColumn('Resolved', 'resolved', formatNumber),
    createColumn('First response', `first_response_${unit}_median`, formatTime),
    createColumn('Resolution', `resolution_${unit}_median`, formatTime),
    createColumn('In SLA', 'resolution_sla_percent', formatPercentage),
    createColumn('CSAT', 'csat_percent', formatPercentage),
    ...(dimension === 'agent'
      ? [createColumn('Time tracked', 'minutes_tracked', (minutes) => formatMinutesBriefly(minutes, 'business'))]
      : []),
  ];
}

function createColumn(title: string, column: string, format: (value: number) => string): Column<ReportRow> {
  return {
    title,
    isNumber: true,
    cell: (row) => {
      const value = getNumber(row, column);
      return value === null ? '—' : format(value);
    },
    sortValue: (row) => getNumber(row, column),
  };
}
