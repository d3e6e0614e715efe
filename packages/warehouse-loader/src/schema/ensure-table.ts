import { AppError, type Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { getErrorCode, SQL_STATES } from '../errors.ts';
import { quote } from '../sql/identifiers.ts';
import type { TargetTable } from '../sql/target.ts';
import { ColumnNames } from './column-names.ts';
import { recordInitialColumns, trackColumns } from './completion.ts';
import { alignHistoryColumns } from './history-columns.ts';
import {
  buildCommentStatement,
  buildLedgerStatements,
  buildMissingColumnStatements,
  buildTableStatements,
} from './statements.ts';
import { getTypes, readColumnNames, readColumns, type TableState, toTableState } from './table-state.ts';
import { runSchemaChange } from './transaction.ts';

/**
 * Creates the schema, the ledger tables, the table and its declared columns if they are missing.
 * Never drops anything.
 * @returns the table's state, and the types of its columns before the call (null: the table did not
 *   exist).
 * @throws AppError `warehouse_data` if a key column, the parent column or the version column has an
 *   unsupported type.
 */
export async function ensureTable(
  client: ClientBase,
  target: TargetTable,
  table: Table,
): Promise<{ readonly state: TableState; readonly typesBefore: TableState['types'] | null }> {
  const { columns: columnsBefore, hasLedger } = await readColumns(client, target);
  const namesBefore = new ColumnNames(table, columnsBefore);
  const isComplete = columnsBefore !== null && hasLedger && namesBefore.missingColumns.length === 0;
  if (!isComplete) await runSchemaChange(client, target, () => createMissing(client, target, table));
  const names = isComplete ? namesBefore : await readColumnNames(client, target, table);
  await addMissingComments(client, target, names);
  const state = toTableState(names);
  checkRequiredColumns(target, table, state);
  const changedColumns = await trackColumns(client, target, names);
  if (changedColumns.length > 0) {
    // If a column of the history cannot be converted to its new type, for example because the
    // values of old versions do not fit, the history table is not changed at all. New versions then
    // have no values in the columns that differ.
    await runSchemaChange(client, target, () => alignHistoryColumns(client, target)).catch(ignoreConversionErrors);
  }
  return { state, typesBefore: columnsBefore === null ? null : getTypes(columnsBefore) };
}

async function createMissing(client: ClientBase, target: TargetTable, table: Table): Promise<void> {
  await createSchema(client, target.schema);
  // Read the columns again under the lock. If another loader has created the ledger tables in the
  // meantime, they are in use and must not be altered.
  const { columns, hasLedger } = await readColumns(client, target);
  if (!hasLedger) await client.query(buildLedgerStatements(target.schema));
  // Store the current columns before new columns are added, because existing rows have no values
  // for the new columns.
  if (columns !== null) await recordInitialColumns(client, target, new ColumnNames(table, columns));
  // Send all statements together. With one round trip for each statement, the first load of a table
  // would take much longer.
  const statements =
    columns === null ? buildTableStatements(target, table) : buildMissingColumnStatements(target, table, columns);
  if (statements.length > 0) await client.query(statements.join('\n'));
}

async function createSchema(client: ClientBase, schema: string): Promise<void> {
  // `create schema if not exists` requires the CREATE privilege even if the schema exists.
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema]);
  if (rowCount === 0) await client.query(`create schema if not exists ${quote(schema)}`);
}

/**
 * Adds the comments that link columns to fields if an earlier release did not write these comments.
 */
async function addMissingComments(
  client: ClientBase,
  target: TargetTable,
  { missingComments }: ColumnNames,
): Promise<void> {
  if (missingComments.length === 0) return;
  const statements = missingComments.map(({ name, comment }) => buildCommentStatement(target, name, comment));
  try {
    await runSchemaChange(client, target, () => client.query(statements.join('\n')));
  } catch (error) {
    // Another session has locked the table, or a different role owns the table. The comments are
    // not required, because the names of the columns also identify the fields.
    const code = getErrorCode(error);
    if (code !== SQL_STATES.lockNotAvailable && code !== SQL_STATES.insufficientPrivilege) throw error;
  }
}

function checkRequiredColumns(target: TargetTable, table: Table, { columns, types }: TableState): void {
  for (const name of [
    ...table.primaryKey,
    ...table.lookupColumns,
    ...(table.versionColumn === null ? [] : [table.versionColumn]),
  ]) {
    if (columns.some((c) => c.name === name)) continue;
    throw new AppError(
      'warehouse_data',
      `Column ${target.name}.${name} has the type ${types.get(name)}, which Freshet cannot write. Change the column back to its documented type.`,
    );
  }
}

function ignoreConversionErrors(error: unknown): void {
  const code = getErrorCode(error);
  const { featureNotSupported, cannotCoerce } = SQL_STATES;
  if (!code.startsWith('22') && code !== featureNotSupported && code !== cannotCoerce) throw error;
}
