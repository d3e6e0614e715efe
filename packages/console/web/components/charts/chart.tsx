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
import { DataTable } from '../data-table.tsx';

export interface Series {
  readonly name: string;
  readonly color: string;
  /** Null: there is no value. */
  readonly values: readonly (number | null)[];
  /** Whether the ground below the line of an area chart is tinted. Default: true. */
  readonly isFilled?: boolean;
  readonly isDashed?: boolean;
}

export interface ChartProps {
  readonly title: string;
  /** `bars`: the series are stacked. `groups`: the bars of the series are side by side. */
  readonly kind: 'bars' | 'groups' | 'area';
  readonly labels: readonly string[];
  /** The title of the column with the labels. Default: Day. */
  readonly labelTitle?: string;
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** Formats a value of the axis, which has little space. Absent: `format`. */
  readonly formatTick?: (value: number) => string;
  /** The labeled values of the axis, in ascending order. Absent: round numbers. */
  readonly ticks?: readonly number[];
  /** The greatest value of the axis. Absent: the greatest value of the series. */
  readonly maximum?: number;
  /** A horizontal line, such as an objective. */
  readonly reference?: { readonly name: string; readonly value: number };
}

const HEIGHT = 200;

/** Whether a chart of the series would show nothing. */
export function hasNoValues(series: readonly Series[]): boolean {
  return series.every(({ values }) => values.every((value) => value === null || value === 0));
}

/** A chart with axes, a legend, and values on hover. */
export function Chart(props: ChartProps) {
  const { title, series, labels, labelTitle = 'Day', format, reference } = props;
  const last = labels.length - 1;
  const summary = series
    .map(({ name, values }) => `${name} ${values[last] == null ? 'none' : format(values[last])}`)
    .join(', ');
  const latest = labelTitle === 'Day' ? 'Latest day' : `${labelTitle} ${labels[last] ?? ''}`;
  return (
    <>
      <div role="img" aria-label={`${title}. ${latest}: ${summary}. The table contains all values.`}>
        <div aria-hidden="true">
          <ResponsiveContainer width="100%" height={HEIGHT}>
            {props.kind === 'area' ? renderArea(props) : renderBars(props)}
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

function buildRows({ labels, series }: ChartProps): Record<string, string | number | null>[] {
  return labels.map((label, i) => ({
    label,
    ...Object.fromEntries(series.map(({ name, values }) => [name, values[i] ?? null])),
  }));
}

/** The elements that both kinds of charts share. */
function renderFrame({ format, formatTick = format, ticks, maximum = ticks?.at(-1) }: ChartProps) {
  return [
    <CartesianGrid key="grid" vertical={false} stroke="var(--line)" />,
    <XAxis key="x" dataKey="label" minTickGap={48} {...AXIS} />,
    <YAxis
      key="y"
      width={56}
      tickCount={maximum === undefined ? 4 : 5}
      allowDecimals={false}
      {...(maximum === undefined ? {} : { domain: [0, maximum] as [number, number] })}
      {...(ticks === undefined ? {} : { ticks: [...ticks] })}
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

function renderBars(props: ChartProps) {
  return (
    <BarChart data={buildRows(props)} margin={MARGIN} accessibilityLayer={false} barCategoryGap="20%">
      {renderFrame(props)}
      {props.series.map(({ name, color }) => (
        <Bar
          key={name}
          dataKey={name}
          {...(props.kind === 'bars' ? { stackId: 'all' } : {})}
          fill={color}
          isAnimationActive={false}
        />
      ))}
    </BarChart>
  );
}

function renderArea(props: ChartProps) {
  return (
    <AreaChart data={buildRows(props)} margin={MARGIN} accessibilityLayer={false}>
      {renderFrame(props)}
      {props.reference ? (
        <ReferenceLine y={props.reference.value} stroke="#b42318" strokeDasharray="4 3" ifOverflow="extendDomain" />
      ) : null}
      {props.series.map(({ name, color, isFilled = true, isDashed = false }) => (
        <Area
          key={name}
          dataKey={name}
          stroke={color}
          strokeWidth={2}
          fill={color}
          fillOpacity={isFilled ? 0.12 : 0}
          {...(isDashed ? { strokeDasharray: '4 3' } : {})}
          connectNulls
          dot={props.labels.length > 0 && countValues(props) < 3}
          isAnimationActive={false}
        />
      ))}
    </AreaChart>
  );
}

/** One or two values form no line, so they are drawn as dots. */
function countValues({ series }: ChartProps): number {
  return Math.max(...series.map(({ values }) => values.filter((value) => value !== null).length));
}

/** The values of a chart as a table, the latest first. */
export function ChartTable({ title, labels, labelTitle = 'Day', series, format }: ChartProps) {
  const rows = labels.map((label, i) => ({ label, i })).toReversed();
  return (
    <div className="value-table">
      <DataTable
        label={title}
        columns={[
          { title: labelTitle, cell: ({ label }: { label: string; i: number }) => label },
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
