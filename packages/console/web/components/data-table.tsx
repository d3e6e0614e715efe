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
  /** Makes the table sortable by this column. Rows with null are last in both directions. */
  readonly sortValue?: (row: T) => number | string | null;
}

/** The column by which a table is sorted. */
interface Sort {
  readonly title: string;
  readonly isDescending: boolean;
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
  /** The sort before the user selects a column. Requires `sortValue`. */
  readonly initialSort?: Sort;
  /** The greatest number of rows that are shown after sorting. Default: all. */
  readonly limit?: number;
}

export function DataTable<T>(props: DataTableProps<T>) {
  const { label, columns, rows = [], groups, getKey, minWidth = 640, initialSort, limit } = props;
  const [sort, setSort] = useState<Sort | null>(initialSort ?? null);
  const sorted = sortRows(rows, columns, sort).slice(0, limit);
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
              <Table.Th
                key={column.title}
                scope="col"
                {...cellProps(column)}
                w={column.width}
                {...(column.sortValue ? { 'aria-sort': getAriaSort(column, sort) } : {})}
              >
                <ColumnTitle column={column} sort={sort} onSort={setSort} />
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
            : sorted.map(renderRow)}
        </Table.Tbody>
      </Table>
    </section>
  );
}

interface ColumnTitleProps<T> {
  readonly column: Column<T>;
  readonly sort: Sort | null;
  readonly onSort: (sort: Sort) => void;
}

/** The title of a column. A click sorts by the column, and a second click reverses the order. */
function ColumnTitle<T>({ column, sort, onSort }: ColumnTitleProps<T>) {
  const { title, sortValue, isNumber = false, isTitleHidden } = column;
  if (isTitleHidden) return <span className="sr-only">{title}</span>;
  if (sortValue === undefined) return title;
  const isCurrent = sort?.title === title;
  return (
    <UnstyledButton
      className="sort-button"
      data-order={isCurrent ? (sort.isDescending ? 'descending' : 'ascending') : undefined}
      onClick={() => onSort({ title, isDescending: isCurrent ? !sort.isDescending : isNumber })}
    >
      {title}
      <span className="sort-mark">
        <Icon name="chevron" size={13} />
      </span>
    </UnstyledButton>
  );
}

function getAriaSort<T>({ title }: Column<T>, sort: Sort | null): 'ascending' | 'descending' | 'none' {
  if (sort?.title !== title) return 'none';
  return sort.isDescending ? 'descending' : 'ascending';
}

/** Sorts rows by a column. Rows without a value are last in both directions. */
export function sortRows<T>(
  rows: readonly T[],
  columns: readonly Pick<Column<T>, 'title' | 'sortValue'>[],
  sort: Sort | null,
): readonly T[] {
  const getValue = columns.find(({ title }) => title === sort?.title)?.sortValue;
  if (getValue === undefined) return rows;
  const sign = sort?.isDescending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [getValue(a), getValue(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    if (typeof x === 'string' && typeof y === 'string') return sign * x.localeCompare(y);
    return sign * (Number(x) - Number(y));
  });
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
