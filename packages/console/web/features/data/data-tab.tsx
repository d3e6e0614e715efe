import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { pipelineQuery, tablesQuery } from '../../api/queries.ts';
import { Card, TextLink } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { ConnectCard } from './connect-card.tsx';
import { TableDetails } from './table-details.tsx';
import { TableList } from './table-list.tsx';
import { getQualifiedName, type Table } from './tables.ts';

/** The tables of a pipeline in the warehouse: a list, and the details of the selected table. */
export function DataTab() {
  const { id } = useParams({ from: '/pipelines/$id' });
  const query = useQuery(tablesQuery(id));
  return (
    <QueryView query={query} rows={6}>
      {(tables) => (tables.length === 0 ? <NoTables /> : <Tables pipelineId={id} tables={tables} />)}
    </QueryView>
  );
}

function NoTables() {
  const { id } = useParams({ from: '/pipelines/$id' });
  return (
    <Card>
      <Empty
        title="The warehouse contains no tables yet"
        icon="table"
        action={<TextLink to={`/pipelines/${id}`}>Go to the overview</TextLink>}
      >
        Freshet creates a table when it loads the first records of an object. The overview shows the progress of the
        first run.
      </Empty>
    </Card>
  );
}

function Tables({ pipelineId, tables }: { readonly pipelineId: string; readonly tables: readonly Table[] }) {
  const { table: selected = null, view = 'columns' } = useSearch({ from: '/pipelines/$id/data' });
  const { data: pipeline } = useQuery(pipelineQuery(pipelineId));
  const table = tables.find((t) => getQualifiedName(t) === selected);
  return (
    <div className="data-layout" data-selected={selected !== null || undefined}>
      <TableList pipelineId={pipelineId} tables={tables} selected={selected} />
      <Stack gap="md" className="data-details">
        {selected === null ? null : (
          <Link to="/pipelines/$id/data" params={{ id: pipelineId }} className="data-back">
            All tables
          </Link>
        )}
        {table !== undefined ? (
          <TableDetails key={getQualifiedName(table)} pipelineId={pipelineId} table={table} view={view} />
        ) : selected === null ? (
          <ConnectCard tables={tables} {...(pipeline ? { pipeline } : {})} />
        ) : (
          <Card>
            <Empty title={`The table ${selected} does not exist`} icon="search">
              The warehouse does not contain the table, or it does not belong to this pipeline. Select a table from the
              list.
            </Empty>
          </Card>
        )}
      </Stack>
    </div>
  );
}
