import { useState } from 'react';
import { Card } from '../page.tsx';
import { Empty } from '../states.tsx';
import { Chart, type ChartProps, ChartTable, hasNoValues } from './chart.tsx';
import { TableSwitch } from './table-switch.tsx';

interface ChartCardProps extends ChartProps {
  readonly description: string;
  readonly empty: string;
}

/** A card with a chart, which can also be shown as a table. */
export function ChartCard({ description, empty, ...chart }: ChartCardProps) {
  const [isTable, setTable] = useState(false);
  const isEmpty = hasNoValues(chart.series);
  return (
    <Card
      title={chart.title}
      description={description}
      actions={isEmpty ? null : <TableSwitch title={chart.title} isTable={isTable} onChange={setTable} />}
      h="100%"
    >
      {isEmpty ? <Empty title={empty} icon="chart" /> : isTable ? <ChartTable {...chart} /> : <Chart {...chart} />}
    </Card>
  );
}
