import { Anchor, Group, Stack, Tabs, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef } from 'react';
import { pipelineObjectsQuery, pipelineQuery } from '../../api/queries.ts';
import { CodeBlock } from '../../components/copy.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { getHelpUrl } from '../../components/help-topics.ts';
import { Card } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { formatBytes, formatCount, formatNumber } from '../../format/numbers.ts';
import { formatHistorySince } from '../../format/times.ts';
import { PsqlCommand } from './connect-card.tsx';
import { Preview } from './preview.tsx';
import { VIEWS, type View } from './search.ts';
import { buildSelect, buildSelectAsOf } from './sql.ts';
import {
  describeRowCount,
  formatRowCount,
  formatType,
  getHelpPath,
  getQualifiedName,
  isMetadataColumn,
  type Table,
} from './tables.ts';

interface TableDetailsProps {
  readonly pipelineId: string;
  readonly table: Table;
  readonly view: View;
}

/** A table: its description, size and freshness, its columns, a preview of its rows, and SQL. */
export function TableDetails({ pipelineId, table, view }: TableDetailsProps) {
  const navigate = useNavigate({ from: '/pipelines/$id/data' });
  const { data: pipeline } = useQuery(pipelineQuery(pipelineId));
  return (
    <Card>
      <Stack gap="md">
        <Heading table={table} tablePrefix={pipeline?.table_prefix ?? ''} />
        <Facts pipelineId={pipelineId} table={table} />
        <Tabs
          value={view}
          onChange={(value) => {
            const next = VIEWS.find((name) => name === value) ?? 'columns';
            void navigate({ search: (previous) => ({ ...previous, view: next }), replace: true });
          }}
          keepMounted={false}
        >
          <Tabs.List mb="md">
            <Tabs.Tab value="columns">Columns</Tabs.Tab>
            <Tabs.Tab value="preview">Preview</Tabs.Tab>
            <Tabs.Tab value="sql">SQL</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="columns">
            <Columns table={table} />
          </Tabs.Panel>
          <Tabs.Panel value="preview">
            <Preview pipelineId={pipelineId} table={table} />
          </Tabs.Panel>
          <Tabs.Panel value="sql">
            <Statements pipelineId={pipelineId} table={table} />
          </Tabs.Panel>
        </Tabs>
      </Stack>
    </Card>
  );
}

const KINDS: Readonly<Record<Table['kind'], string>> = {
  object: 'Object',
  history: 'History',
  model: 'Analytics model',
  settings: 'Settings',
  ledger: 'Ledger',
};

function Heading({ table, tablePrefix }: { readonly table: Table; readonly tablePrefix: string }) {
  const help = getHelpPath(table, tablePrefix);
  const heading = useRef<HTMLHeadingElement>(null);
  // On a narrow screen, the details replace the list, so the focus would be lost.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div>
      <Group gap="sm">
        <Title order={2} className="data-title" tabIndex={-1} ref={heading}>
          {getQualifiedName(table)}
        </Title>
        <Status value="neutral">{table.internal ? 'Internal model' : KINDS[table.kind]}</Status>
        {table.view ? <Status value="neutral">View</Status> : null}
      </Group>
      {table.description === null ? null : <Text mt={4}>{table.description.replaceAll('`', '')}</Text>}
      {help === null ? null : (
        <Anchor href={getHelpUrl(help)} target="_blank" rel="noreferrer" size="sm">
          Documentation of this table<span className="sr-only">, opens in a new tab</span>
        </Anchor>
      )}
    </div>
  );
}

function Facts({ pipelineId, table }: { readonly pipelineId: string; readonly table: Table }) {
  const { data: objects = [] } = useQuery(pipelineObjectsQuery(pipelineId));
  const object = objects.find((o) => o.object === table.object);
  return (
    <dl className="table-facts">
      <Fact label="Rows" value={formatRowCount(table)} note={describeRowCount(table)} />
      <Fact
        label="Size"
        value={table.size_bytes === null ? '—' : formatBytes(table.size_bytes)}
        note={table.size_bytes === null ? 'A view stores no rows' : 'Including indexes'}
      />
      <Fact
        label="Columns"
        value={formatNumber(table.columns.length)}
        note={table.key.length === 0 ? 'No key' : `Key: ${table.key.join(', ')}`}
      />
      {object ? (
        <Fact
          label="Freshness"
          value={<Time value={object.complete_as_of} format="age" />}
          note={describeHistory(object.complete_back_to)}
        />
      ) : null}
    </dl>
  );
}

function describeHistory(completeBackTo: string | null): string {
  const since = formatHistorySince(completeBackTo);
  return since === 'all' ? 'Complete history' : `History since ${since}`;
}

interface FactProps {
  readonly label: string;
  readonly value: ReactNode;
  readonly note: string;
}

function Fact({ label, value, note }: FactProps) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <span className="table-fact">{value}</span>
        <Text size="xs" c="dimmed" component="span">
          {note}
        </Text>
      </dd>
    </div>
  );
}

function Columns({ table }: { readonly table: Table }) {
  const own = table.columns.filter(({ name }) => !isMetadataColumn(name));
  const metadata = table.columns.filter(({ name }) => isMetadataColumn(name));
  return (
    <DataTable
      label={`Columns of ${table.name}`}
      minWidth={520}
      getKey={({ name }) => name}
      groups={[
        { title: 'Columns', rows: own, summary: formatCount(own.length, 'column') },
        {
          title: 'Metadata',
          rows: metadata,
          summary: `${formatCount(metadata.length, 'column')} that Freshet adds to every table`,
          isFolded: true,
        },
      ].filter(({ rows }) => rows.length > 0)}
      columns={[
        { title: 'Name', cell: ({ name }) => <span className="object-name">{name}</span> },
        {
          title: 'Type',
          cell: ({ name, type, nullable }) => (
            <>
              <span className="object-name">{formatType(type)}</span>
              <Text size="xs" c="dimmed">
                {[table.key.includes(name) ? 'key' : '', nullable ? '' : 'not null'].filter(Boolean).join(', ')}
              </Text>
            </>
          ),
        },
        { title: 'Description', cell: ({ description }) => description?.replaceAll('`', '') ?? '—' },
      ]}
    />
  );
}

function Statements({ pipelineId, table }: { readonly pipelineId: string; readonly table: Table }) {
  const { data: pipeline } = useQuery(pipelineQuery(pipelineId));
  const asOf = buildSelectAsOf(table);
  return (
    <Stack gap="sm">
      <Text size="sm">Select the newest rows:</Text>
      <CodeBlock label="SQL that selects the newest rows" code={buildSelect(table)} />
      {asOf === null ? null : (
        <>
          <Text size="sm">Select the rows as they were seven days ago:</Text>
          <CodeBlock label="SQL that selects the rows at an earlier time" code={asOf} />
        </>
      )}
      {pipeline ? (
        <>
          <Text size="sm">Connect to the warehouse:</Text>
          <PsqlCommand pipeline={pipeline} tables={[table]} />
        </>
      ) : null}
    </Stack>
  );
}
