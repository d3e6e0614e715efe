import { TextInput, UnstyledButton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { Icon } from '../../components/icon.tsx';
import { Empty } from '../../components/states.tsx';
import { formatCount } from '../../format/numbers.ts';
import {
  describeRowCount,
  formatRowCount,
  getQualifiedName,
  groupTables,
  searchTables,
  type Table,
  type TableGroup,
} from './tables.ts';

interface TableListProps {
  readonly pipelineId: string;
  readonly tables: readonly Table[];
  /** The qualified name of the selected table; null: none. */
  readonly selected: string | null;
}

/** The tables in groups, with a search over tables and columns. */
export function TableList({ pipelineId, tables, selected }: TableListProps) {
  const [search, setSearch] = useState('');
  const matches = searchTables(tables, search);
  const columns = new Map(matches.map((match) => [match.table, match.columns]));
  const isSearch = search.trim() !== '';
  return (
    <nav className="data-list" aria-label="Tables">
      <TextInput
        aria-label="Search tables and columns"
        placeholder="Search tables and columns"
        leftSection={<Icon name="search" size={16} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <p className="sr-only" role="status">
        {isSearch ? `${formatCount(matches.length, 'table')} found` : ''}
      </p>
      {matches.length === 0 ? <Empty title="No table or column matches" icon="search" /> : null}
      {groupTables(matches.map(({ table }) => table)).map((group) => {
        const hasSelected = group.tables.some((table) => getQualifiedName(table) === selected);
        return (
          <Group
            key={`${group.title} ${isSearch}`}
            group={group}
            isInitiallyFolded={group.isFolded && !isSearch && !hasSelected}
            renderTable={(table) => (
              <TableLink
                pipelineId={pipelineId}
                table={table}
                columns={columns.get(table) ?? []}
                isSelected={getQualifiedName(table) === selected}
              />
            )}
          />
        );
      })}
    </nav>
  );
}

interface GroupProps {
  readonly group: TableGroup;
  readonly isInitiallyFolded: boolean;
  readonly renderTable: (table: Table) => React.ReactNode;
}

function Group({ group: { title, tables }, isInitiallyFolded, renderTable }: GroupProps) {
  const [isFolded, setFolded] = useState(isInitiallyFolded);
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 className="data-group">
        <UnstyledButton
          id={id}
          className="group-heading"
          aria-expanded={!isFolded}
          onClick={() => setFolded(!isFolded)}
        >
          <Icon name="chevron" size={14} />
          {title} <span className="group-summary">{tables.length}</span>
        </UnstyledButton>
      </h2>
      {isFolded ? null : (
        <ul>
          {tables.map((table) => (
            <li key={getQualifiedName(table)}>{renderTable(table)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

const COLUMNS_SHOWN = 3;

interface TableLinkProps {
  readonly pipelineId: string;
  readonly table: Table;
  /** The columns that match the search. */
  readonly columns: readonly string[];
  readonly isSelected: boolean;
}

function TableLink({ pipelineId, table, columns, isSelected }: TableLinkProps) {
  const more = columns.length - COLUMNS_SHOWN;
  return (
    <Link
      to="/pipelines/$id/data"
      params={{ id: pipelineId }}
      search={(previous) => ({ ...previous, table: getQualifiedName(table) })}
      className="data-link"
      data-active={isSelected || undefined}
      // The router marks a link as current only if all search parameters are equal.
      aria-current={isSelected ? 'true' : undefined}
      activeProps={{}}
    >
      <span className="data-name">{table.name}</span>
      <span className="data-count" title={describeRowCount(table)}>
        {formatRowCount(table)}
      </span>
      {columns.length === 0 ? null : (
        <span className="data-columns">
          {columns.slice(0, COLUMNS_SHOWN).join(', ')}
          {more > 0 ? `, ${more} more` : ''}
        </span>
      )}
    </Link>
  );
}
