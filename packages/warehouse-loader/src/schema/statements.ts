import type { Column, Table } from '@freshet/contracts';
import { METADATA_COLUMNS, quote, quoteLiteral } from '../sql/identifiers.ts';
import type { TargetTable } from '../sql/target.ts';
import { buildColumnComment } from './column-comments.ts';
import { ColumnNames, type ExistingColumn } from './column-names.ts';
import { toHistoryColumn, toHistoryTable } from './history-columns.ts';

/**
 * Builds the SQL that creates the ledger tables of a schema, or adds missing columns to existing
 * ledger tables.
 */
export function buildLedgerStatements(schema: string): string {
  const s = quote(schema);
  return `
    create table if not exists ${s}._freshet_batches (
      batch_id uuid primary key,
      table_name text not null,
      epoch bigint not null,
      extracted_at timestamptz not null,
      loaded_at timestamptz not null default now(),
      records bigint not null,
      inserted bigint not null default 0,
      updated bigint not null default 0,
      unchanged bigint not null default 0,
      rejected bigint not null default 0,
      deleted bigint not null default 0,
      missing bigint not null default 0,
      stale bigint not null default 0
    );
    alter table ${s}._freshet_batches add column if not exists missing bigint not null default 0,
      add column if not exists stale bigint not null default 0;
    create table if not exists ${s}._freshet_objects (
      table_name text primary key,
      epoch bigint not null default 0,
      complete_as_of timestamptz,
      complete_back_to timestamptz,
      last_run_id uuid,
      last_loaded_at timestamptz,
      last_audit_at timestamptz,
      row_count bigint not null default 0,
      history boolean not null default false
    );
    alter table ${s}._freshet_objects add column if not exists history boolean not null default false,
      add column if not exists completing_since timestamptz, add column if not exists rewrite_before timestamptz,
      add column if not exists written_columns jsonb,
      add column if not exists reread_needed boolean not null default false,
      add column if not exists restarted_at timestamptz;
    comment on column ${s}._freshet_objects.completing_since is
      'Rows that were last written before this time may lack values of a new column. Freshet rewrites these rows. Null: no rows lack values.';
    comment on table ${s}._freshet_batches is 'The ledger: one row for each applied batch.';
    comment on table ${s}._freshet_objects is
      'The coverage of each table: the table contains all changes from complete_back_to to complete_as_of.';`;
}

/** Builds the SQL that creates a table with its declared columns. */
export function buildTableStatements(target: TargetTable, table: Table): string[] {
  const declared = new ColumnNames(table, null).missingColumns;
  const definitions = [
    ...declared.map((c) => `${quote(c.name)} ${c.type}${table.primaryKey.includes(c.name) ? ' not null' : ''}`),
    ...Object.entries(METADATA_COLUMNS).map(([name, type]) => `${name} ${type}`),
    `primary key (${table.primaryKey.map(quote).join(', ')})`,
  ];
  const isNamedAsField = ({ name, path = [name] }: Column) => path.length === 1 && path[0] === name;
  return [
    // Free space in each page allows HOT updates, which do not touch the indexes.
    `create table ${target.sql} (${definitions.join(', ')}) with (fillfactor = 85);`,
    `comment on table ${target.sql} is ${quoteLiteral(table.description)};`,
    ...declared.map((c) =>
      buildCommentStatement(
        target,
        c.name,
        isNamedAsField(c) ? c.description : buildColumnComment(c.path ?? [c.name], c.description),
      ),
    ),
    ...table.lookupColumns.map((column) => `create index on ${target.sql} (${quote(column)});`),
  ];
}

/** Builds the SQL that adds the declared columns that a table lacks. */
export function buildMissingColumnStatements(
  target: TargetTable,
  table: Table,
  existing: ReadonlyMap<string, ExistingColumn>,
): string[] {
  return new ColumnNames(table, existing).missingColumns.map((column) => buildColumnStatements(target, column));
}

/** Builds the SQL that adds a column to a table, and to its history table if the table has one. */
export function buildColumnStatements(target: TargetTable, { name, type, path = [name], description }: Column): string {
  const addTo = (table: string, column: string) =>
    `alter table ${table} add column if not exists ${quote(column)} ${type};`;
  return [
    addTo(target.sql, name),
    addTo(`if exists ${toHistoryTable(target).sql}`, toHistoryColumn(name)),
    buildCommentStatement(target, name, buildColumnComment(path, description)),
  ].join('');
}

export function buildCommentStatement(target: TargetTable, column: string, comment: string): string {
  return `comment on column ${target.sql}.${quote(column)} is ${quoteLiteral(comment)};`;
}
