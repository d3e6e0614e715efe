import { Button, Group, Modal, Stack, Switch, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { previewQuery } from '../../api/queries.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { usePermission } from '../../components/guarded.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { formatBytes, formatCount } from '../../format/numbers.ts';
import { formatType, getQualifiedName, isMetadataColumn, isNumericType, type Table } from './tables.ts';

type PreviewData = Schemas['TablePreview'];

const LIMITS = [50, 200] as const;

interface PreviewProps {
  readonly pipelineId: string;
  readonly table: Table;
}

/** The first rows of a table. Without the permission, states which role is required. */
export function Preview({ pipelineId, table }: PreviewProps) {
  const { isAllowed, reason } = usePermission('read_warehouse');
  const [limit, setLimit] = useState<number>(LIMITS[0]);
  const query = useQuery({ ...previewQuery(pipelineId, getQualifiedName(table), limit), enabled: isAllowed });
  if (!isAllowed)
    return (
      <Empty title="You do not have access to the rows" icon="lock">
        {reason} The columns and the SQL are available to every role.
      </Empty>
    );
  return (
    <QueryView query={query} rows={5} label="Loading the rows">
      {(preview) => (
        <Rows
          preview={preview}
          table={table}
          updatedAt={query.dataUpdatedAt}
          refresh={() => void query.refetch()}
          isRefreshing={query.isFetching}
          showMore={preview.has_more && limit === LIMITS[0] ? () => setLimit(LIMITS[1]) : null}
        />
      )}
    </QueryView>
  );
}

interface RowsProps {
  readonly preview: PreviewData;
  readonly table: Table;
  /** Milliseconds since 1970. */
  readonly updatedAt: number;
  readonly refresh: () => void;
  readonly isRefreshing: boolean;
  /** Null: all rows, or as many as possible, are shown. */
  readonly showMore: (() => void) | null;
}

function Rows({ preview, table, updatedAt, refresh, isRefreshing, showMore }: RowsProps) {
  const [hasMetadata, setMetadata] = useState(false);
  const [opened, setOpened] = useState<number | null>(null);
  const { rows, columns, order_by: order, has_more: hasMore } = preview;
  const shown = columns.filter(({ name }) => hasMetadata || !isMetadataColumn(name));
  const row = opened === null ? undefined : rows[opened];
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="xs">
        <Text size="sm" c="dimmed">
          {hasMore ? 'The first ' : ''}
          {formatCount(rows.length, 'row')}
          {order.length === 0 ? ', in no defined order' : `, by ${order.join(', ')} descending`}, read{' '}
          <Time value={new Date(updatedAt).toISOString()} />
        </Text>
        <Group gap="md">
          {shown.length < columns.length || hasMetadata ? (
            <Switch
              label="Metadata"
              size="xs"
              checked={hasMetadata}
              onChange={(event) => setMetadata(event.currentTarget.checked)}
            />
          ) : null}
          <Button variant="default" size="compact-sm" loading={isRefreshing} onClick={refresh}>
            Refresh
          </Button>
        </Group>
      </Group>
      {rows.length === 0 ? (
        <Empty title="The table has no rows" icon="table" />
      ) : (
        <div className="preview">
          <DataTable
            label={`Rows of ${table.name}`}
            columns={buildColumns(preview, shown, setOpened)}
            rows={rows.map((_, index) => index)}
            getKey={String}
          />
        </div>
      )}
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          Rows can contain personal data, so the audit log lists each preview.
        </Text>
        {showMore === null ? null : (
          <Button variant="default" size="compact-sm" onClick={showMore}>
            Show 200 rows
          </Button>
        )}
      </Group>
      {row === undefined || opened === null ? null : (
        <Modal opened onClose={() => setOpened(null)} title={`Row ${opened + 1} of ${table.name}`} size="lg">
          <dl className="row-values">
            {columns.map(({ name, type }) => (
              <div key={name} className="row-value">
                <dt>
                  <span className="object-name">{name}</span>
                  <Text size="xs" c="dimmed" component="span">
                    {formatType(type)}
                  </Text>
                </dt>
                <dd>
                  <Value preview={preview} row={opened} column={name} />
                </dd>
              </div>
            ))}
          </dl>
        </Modal>
      )}
    </Stack>
  );
}

/** The columns of the preview. A row of the table is the index of a row of the preview. */
function buildColumns(
  preview: PreviewData,
  columns: PreviewData['columns'],
  onOpen: (row: number) => void,
): Column<number>[] {
  return [
    {
      title: 'Row',
      isTitleHidden: true,
      cell: (row) => (
        <Button variant="default" size="compact-xs" aria-label={`View row ${row + 1}`} onClick={() => onOpen(row)}>
          View
        </Button>
      ),
    },
    ...columns.map(({ name, type }) => ({
      title: name,
      isNumber: isNumericType(type),
      cell: (row: number) => <Value preview={preview} row={row} column={name} />,
    })),
  ];
}

interface ValueProps {
  readonly preview: PreviewData;
  readonly row: number;
  readonly column: string;
}

function Value({ preview, row, column }: ValueProps) {
  const value = preview.rows[row]?.[column];
  if (value === null || value === undefined) return <span className="null-value">null</span>;
  const cut = preview.cut_values.find((other) => other.row === row && other.column === column);
  return (
    <>
      {String(value)}
      {cut ? <span className="null-value">… cut, {formatBytes(cut.bytes)} in total</span> : null}
    </>
  );
}
