import { ActionIcon, Button, Group, Menu } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, type RefObject, useRef, useState } from 'react';
import { useAction } from '../../components/actions.tsx';
import { renderPng } from '../../components/charts/png.ts';
import { TableSwitch } from '../../components/charts/table-switch.tsx';
import { download } from '../../components/download.ts';
import { Icon } from '../../components/icon.tsx';
import { Card, InfoMark } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { DefinitionDialog } from './definition-dialog.tsx';
import { formatPeriod } from './periods.ts';
import { fetchCsv, getFileName, type ReportRequest, reportQuery } from './report-queries.ts';
import type { ReportResult } from './report-values.ts';

interface ReportCardProps {
  readonly title: string;
  readonly description: string;
  readonly request: ReportRequest;
  /** Returns the text to show instead of the chart. Null: there are values. */
  readonly findEmptiness: (result: ReportResult) => string | null;
  /** Additional controls, such as a choice of the grouping. */
  readonly controls?: ReactNode;
  /** Renders the chart or the table. A card without a chart shows only a table. */
  readonly children: (result: ReportResult, isTable: boolean) => ReactNode;
  readonly hasChart?: boolean;
}

/** A card with a report: its chart or table, its definition, its SQL and its exports. */
export function ReportCard(props: ReportCardProps) {
  const { title, description, request, findEmptiness, controls, children, hasChart = true } = props;
  const [isTable, setTable] = useState(false);
  const content = useRef<HTMLDivElement>(null);
  const query = useQuery(reportQuery(request));
  const { data: result } = query;
  const emptiness = result === undefined ? null : findEmptiness(result);
  const hasPng = hasChart && emptiness === null && !isTable;
  return (
    <Card
      title={title}
      {...(result ? { beside: <InfoMark label={title} definition={result.description} /> } : {})}
      description={description}
      actions={
        result ? (
          <ReportActions {...{ title, description, request, result }} {...(hasPng ? { content } : {})}>
            {hasChart && emptiness === null ? (
              <TableSwitch title={title} isTable={isTable} onChange={setTable} />
            ) : null}
          </ReportActions>
        ) : null
      }
      h="100%"
    >
      {controls}
      <QueryView query={query} rows={5} label={`Loading ${title}`}>
        {(data) =>
          emptiness === null ? (
            <div ref={content}>
              {children(data, isTable)}
              {data.truncated ? (
                <p className="hint">The report has more than 10,000 rows. Further rows are missing.</p>
              ) : null}
            </div>
          ) : (
            <Empty title={emptiness} icon="chart" />
          )
        }
      </QueryView>
    </Card>
  );
}

interface ReportActionsProps extends ExportMenuProps {
  readonly result: ReportResult;
  readonly children?: ReactNode;
}

/** The buttons of a report: its definition and SQL, its exports, and additional buttons. */
export function ReportActions({ result, children, ...props }: ReportActionsProps) {
  return (
    <Group gap={2} wrap="nowrap">
      <SqlButton title={props.title} result={result} />
      {children}
      <ExportMenu {...props} />
    </Group>
  );
}

function SqlButton({ title, result }: { readonly title: string; readonly result: ReportResult }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button variant="subtle" size="compact-sm" onClick={() => setOpen(true)} aria-label={`View SQL of ${title}`}>
        View SQL
      </Button>
      {isOpen ? <DefinitionDialog title={title} result={result} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

interface ExportMenuProps extends Pick<ReportCardProps, 'title' | 'description' | 'request'> {
  /** The element with the chart. Absent: there is no chart, and no PNG. */
  readonly content?: RefObject<HTMLDivElement | null>;
}

function ExportMenu({ title, description, request, content }: ExportMenuProps) {
  const csv = useAction(async () => download(await fetchCsv(request), getFileName(request, 'csv')));
  const png = useAction(async () => {
    if (content?.current == null) return;
    const subtitles = [description, `${request.pipeline.name} · ${formatPeriod(request.period)}`];
    download(await renderPng(content.current, { title, subtitles }), getFileName(request, 'png'));
  });
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`Export ${title}`}
          loading={csv.isPending || png.isPending}
        >
          <Icon name="download" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => csv.mutate()}>Download CSV</Menu.Item>
        {content ? <Menu.Item onClick={() => png.mutate()}>Download PNG</Menu.Item> : null}
      </Menu.Dropdown>
    </Menu>
  );
}
