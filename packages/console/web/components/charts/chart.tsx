import { Button } from '@mantine/core';
import { useState } from 'react';
import {
  Area,
  AreaChart,
  Bar,
  BarChart,
  CartesianGrid,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import { DataTable } from '../../components/data-table.tsx';
import { Card } from '../../components/page.tsx';
import { Empty } from '../../components/states.tsx';

interface Series {
  readonly name: string;
  readonly color: string;
  /** Null: there is no value. */
  readonly values: readonly (number | null)[];
}

interface ChartCardProps {
  readonly title: string;
  readonly description: string;
  readonly kind: 'bars' | 'area';
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** Formats a value of the axis, which has little space. Absent: `format`. */
  readonly formatTick?: (value: number) => string;
  /** A horizontal line, such as an objective. */
  readonly reference?: { readonly name: string; readonly value: number };
  readonly empty: string;
}

const HEIGHT = 200;

/** A chart with axes and values on hover, which can also be shown as a table. */
export function ChartCard(props: ChartCardProps) {
  const { title, description, series, empty } = props;
  const [isTable, setTable] = useState(false);
  const isEmpty = series.every(({ values }) => values.every((value) => value === null || value === 0));
  return (
    <Card
      title={title}
      description={description}
      actions={
        isEmpty ? null : (
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={() => setTable(!isTable)}
            aria-label={`${isTable ? 'Chart' : 'Table'} of ${title}`}
          >
            {isTable ? 'Chart' : 'Table'}
          </Button>
        )
      }
      h="100%"
    >
      {isEmpty ? (
        <Empty title={empty} icon="chart" />
      ) : isTable ? (
        <ValueTable {...props} />
      ) : (
        <ChartWithLegend {...props} />
      )}
    </Card>
  );
}

function ChartWithLegend(props: ChartCardProps) {
  const { title, series, labels, format, reference } = props;
  const last = labels.length - 1;
  const summary = series
    .map(({ name, values }) => `${name} ${values[last] == null ? 'none' : format(values[last])}`)
    .join(', ');
  return (
    <>
      <div role="img" aria-label={`${title}. Latest day: ${summary}. The table contains all values.`}>
        <div aria-hidden="true">
          <ResponsiveContainer width="100%" height={HEIGHT}>
            {props.kind === 'bars' ? renderBars(props) : renderArea(props)}
          </ResponsiveContainer>
        </div>
      </div>
      <ul className="legend">
        {series.map(({ name, color }) => (
          <li key={name}>
            <i style={{ background: color }} />
            {name}
          </li>
        ))}
        {reference ? (
          <li>
            <i className="reference-mark" />
            {reference.name}
          </li>
        ) : null}
      </ul>
    </>
  );
}

const AXIS = { tickLine: false, axisLine: false, tick: { fontSize: 11, fill: 'var(--mantine-color-dimmed)' } } as const;
const MARGIN = { top: 8, right: 8, bottom: 0, left: 0 };

function buildRows({ labels, series }: ChartCardProps): Record<string, string | number | null>[] {
  return labels.map((label, i) => ({
    label,
    ...Object.fromEntries(series.map(({ name, values }) => [name, values[i] ?? null])),
  }));
}

/** The elements that both kinds of charts share. */
function renderFrame({ format, formatTick = format }: ChartCardProps) {
  return [
    <CartesianGrid key="grid" vertical={false} stroke="var(--line)" />,
    <XAxis key="x" dataKey="label" minTickGap={48} {...AXIS} />,
    <YAxis
      key="y"
      width={56}
      tickCount={4}
      allowDecimals={false}
      tickFormatter={(value: number) => formatTick(value)}
      {...AXIS}
    />,
    <Tooltip
      key="tooltip"
      isAnimationActive={false}
      cursor={{ fill: 'var(--sunken)', opacity: 0.6 }}
      formatter={(value) => format(Number(value))}
      contentStyle={{ background: 'var(--card)', border: '1px solid var(--line)', borderRadius: 8, fontSize: 12 }}
      labelStyle={{ fontWeight: 600, color: 'var(--mantine-color-text)' }}
      itemStyle={{ color: 'var(--mantine-color-text)' }}
    />,
  ];
}

function renderBars(props: ChartCardProps) {
  return (
    <BarChart data={buildRows(props)} margin={MARGIN} accessibilityLayer={false} barCategoryGap="20%">
      {renderFrame(props)}
      {props.series.map(({ name, color }) => (
        <Bar key={name} dataKey={name} stackId="all" fill={color} isAnimationActive={false} />
      ))}
    </BarChart>
  );
}

function renderArea(props: ChartCardProps) {
  return (
    <AreaChart data={buildRows(props)} margin={MARGIN} accessibilityLayer={false}>
      {renderFrame(props)}
      {props.reference ? (
        <ReferenceLine y={props.reference.value} stroke="#b42318" strokeDasharray="4 3" ifOverflow="extendDomain" />
      ) : null}
      {props.series.map(({ name, color }) => (
        <Area
          key={name}
          dataKey={name}
          stroke={color}
          strokeWidth={2}
          fill={color}
          fillOpacity={0.12}
          connectNulls
          dot={props.labels.length > 0 && countValues(props) < 3}
          isAnimationActive={false}
        />
      ))}
    </AreaChart>
  );
}

/** One or two values form no line, so they are drawn as dots. */
function countValues({ series }: ChartCardProps): number {
  return Math.max(...series.map(({ values }) => values.filter((value) => value !== null).length));
}

function ValueTable({ title, labels, series, format }: ChartCardProps) {
  const rows = labels.map((label, i) => ({ label, i })).toReversed();
  return (
    <div className="value-table">
      <DataTable
        label={title}
        columns={[
          { title: 'Day', cell: ({ label }: { label: string; i: number }) => label },
          ...series.map(({ name, values }) => ({
            title: name,
            isNumber: true,
            cell: ({ i }: { label: string; i: number }) => {
              const value = values[i] ?? null;
              return value === null ? '—' : format(value);
            },
          })),
        ]}
        rows={rows}
        getKey={({ label }) => label}
        minWidth={260}
      />
    </div>
  );
}
