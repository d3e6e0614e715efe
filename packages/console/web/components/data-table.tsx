import { Table, UnstyledButton } from '@mantine/core';
import { Fragment, type ReactNode, useState } from 'react';
import { Icon } from './icon.tsx';

export interface Column<T> {
  readonly title: string;
  /** Numbers are aligned to the right, with digits of equal width. */
  readonly isNumber?: boolean;
  readonly cell: (row: T) => ReactNode;
  /** The title is only for screen readers. */
  readonly isTitleHidden?: boolean;
  readonly width?: number | string;
}

interface RowGroup<T> {
  readonly title: string;
  readonly rows: readonly T[];
  /** A summary of the rows, such as "3 of 10 included". */
  readonly summary?: ReactNode;
  /** Whether the rows are hidden until the heading is clicked. */
  readonly isFolded?: boolean;
}

interface DataTableProps<T> {
  /** The name of the table for screen readers. */
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows?: readonly T[];
  /** Rows with headings. Replaces `rows`. */
  readonly groups?: readonly RowGroup<T>[];
  readonly getKey: (row: T) => string;
  /** The narrowest width before the table scrolls. */
  readonly minWidth?: number;
}

export function DataTable<T>({ label, columns, rows = [], groups, getKey, minWidth = 640 }: DataTableProps<T>) {
  const cellProps = (column: Column<T>) => (column.isNumber ? { className: 'number' } : {});
  const renderRow = (row: T) => (
    <Table.Tr key={getKey(row)}>
      {columns.map((column) => (
        <Table.Td key={column.title} {...cellProps(column)}>
          {column.cell(row)}
        </Table.Td>
      ))}
    </Table.Tr>
  );
  return (
    // A region that scrolls must be reachable with the keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the region scrolls on narrow screens.
    <section className="table-region" aria-label={`Table: ${label}`} tabIndex={0}>
      <Table miw={minWidth} verticalSpacing="xs" horizontalSpacing="sm" aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.title} scope="col" {...cellProps(column)} w={column.width}>
                {column.isTitleHidden ? <span className="sr-only">{column.title}</span> : column.title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {groups
            ? groups.map((group) => (
                <Group key={`${group.title} ${group.isFolded}`} group={group} columnCount={columns.length}>
                  {group.rows.map(renderRow)}
                </Group>
              ))
            : rows.map(renderRow)}
        </Table.Tbody>
      </Table>
    </section>
  );
}

interface GroupProps<T> {
  readonly group: RowGroup<T>;
  readonly columnCount: number;
  readonly children: ReactNode;
}

/** A heading with its rows. The heading is a button that folds and unfolds the rows. */
function Group<T>({ group, columnCount, children }: GroupProps<T>) {
  const [isFolded, setFolded] = useState(group.isFolded ?? false);
  return (
    <Fragment>
      <Table.Tr className="group-row">
        <Table.Th scope="rowgroup" colSpan={columnCount}>
          <UnstyledButton className="group-heading" aria-expanded={!isFolded} onClick={() => setFolded(!isFolded)}>
            <Icon name="chevron" size={14} />
            {group.title}
            {group.summary ? <span className="group-summary">{group.summary}</span> : null}
          </UnstyledButton>
        </Table.Th>
      </Table.Tr>
      {isFolded ? null : children}
    </Fragment>
  );
}
