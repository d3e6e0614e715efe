import { SegmentedControl } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';
import { DataTable } from '../../components/data-table.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';
import { buildHeatMap, getLevel, type HeatMap, HOUR_LABELS, listLevels, WEEKDAYS } from './heat-map-values.ts';
import { ReportCard } from './report-card.tsx';
import type { ReportRequest } from './report-queries.ts';

const MEASURES = [
  { value: 'created', label: 'Tickets', noun: 'ticket' },
  { value: 'customer_messages', label: 'Customer messages', noun: 'message' },
] as const;
type Measure = (typeof MEASURES)[number];

interface HeatMapCardProps extends Pick<ReportRequest, 'pipeline' | 'period'> {
  /** The time zone of the account. */
  readonly timeZone: string;
}

/** The hours at which tickets and messages arrive, by weekday. */
export function HeatMapCard({ pipeline, period, timeZone }: HeatMapCardProps) {
  const [measure, setMeasure] = useState<Measure>(MEASURES[0]);
  const title = 'When tickets arrive';
  return (
    <ReportCard
      title={title}
      description={`By weekday and hour, time zone of the account (${timeZone})`}
      request={{ pipeline, period, report: 'busiest_hours' }}
      findEmptiness={(result) =>
        buildHeatMap(result, measure.value).maximum === 0 ? `No ${measure.noun} arrived in this period.` : null
      }
      controls={
        <SegmentedControl
          aria-label="Measure of the heat map"
          size="xs"
          mb="sm"
          data={MEASURES.map(({ value, label }) => ({ value, label }))}
          value={measure.value}
          onChange={(value) => setMeasure(MEASURES.find((m) => m.value === value) ?? MEASURES[0])}
        />
      }
    >
      {(result, isTable) => {
        const heatMap = buildHeatMap(result, measure.value);
        return isTable ? (
          <HeatMapTable title={title} heatMap={heatMap} />
        ) : (
          <HeatMapChart title={title} heatMap={heatMap} noun={measure.noun} />
        );
      }}
    </ReportCard>
  );
}

interface HeatMapProps {
  readonly title: string;
  readonly heatMap: HeatMap;
}

const LABEL_WIDTH = 36;
const ROW_HEIGHT = 30;
const GAP = 3;
const FOOTER_HEIGHT = 18;
/** The width before the browser has measured the card. */
const WIDTH_INITIAL = 480;

function HeatMapChart({ title, heatMap, noun }: HeatMapProps & { readonly noun: string }) {
  const { ref, width: measured } = useElementSize();
  const width = measured || WIDTH_INITIAL;
  const step = (width - LABEL_WIDTH) / 24;
  const height = WEEKDAYS.length * ROW_HEIGHT + FOOTER_HEIGHT;
  const { peak, maximum } = heatMap;
  const peakText = `Most arrive on ${WEEKDAYS[peak.weekday]} at ${HOUR_LABELS[peak.hour]}: ${formatCount(maximum, noun)}`;
  return (
    <>
      <div
        ref={ref}
        className="heat-map-frame"
        role="img"
        aria-label={`${title}. ${peakText}. The table contains all values.`}
      >
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} className="heat-map" aria-hidden="true">
          {WEEKDAYS.map((weekday, row) => (
            <g key={weekday}>
              <text x={0} y={row * ROW_HEIGHT + 18}>
                {weekday.slice(0, 3)}
              </text>
              {HOUR_LABELS.map((hour, column) => {
                const value = heatMap.values[row]?.[column] ?? 0;
                return (
                  <rect
                    key={hour}
                    x={LABEL_WIDTH + column * step}
                    y={row * ROW_HEIGHT}
                    width={Math.max(1, step - GAP)}
                    height={ROW_HEIGHT - GAP}
                    rx={2}
                    data-level={getLevel(value, maximum)}
                  >
                    <title>{`${weekday} ${hour}–${HOUR_LABELS[(column + 1) % 24]}: ${formatCount(value, noun)}`}</title>
                  </rect>
                );
              })}
            </g>
          ))}
          {[0, 6, 12, 18, 23].map((hour) => (
            <text key={hour} x={LABEL_WIDTH + hour * step + (step - GAP) / 2} y={height - 4} textAnchor="middle">
              {hour}
            </text>
          ))}
        </svg>
      </div>
      <ul className="legend">
        {listLevels(maximum).map(({ level, first, last }) => (
          <li key={level}>
            <i className="heat-mark" data-level={level} />
            {first === last ? formatNumber(first) : `${formatNumber(first)}–${formatNumber(last)}`}
          </li>
        ))}
      </ul>
      <p className="hint">{peakText}.</p>
    </>
  );
}

function HeatMapTable({ title, heatMap }: HeatMapProps) {
  return (
    <div className="value-table">
      <DataTable
        label={title}
        columns={[
          { title: 'Hour', cell: (hour: number) => HOUR_LABELS[hour] },
          ...WEEKDAYS.map((weekday, row) => ({
            title: weekday.slice(0, 3),
            isNumber: true,
            cell: (hour: number) => formatNumber(heatMap.values[row]?.[hour] ?? 0),
          })),
        ]}
        rows={HOUR_LABELS.map((_, hour) => hour)}
        getKey={String}
        minWidth={380}
      />
    </div>
  );
}
