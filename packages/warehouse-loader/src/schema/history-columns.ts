import { getColumnName } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { quote } from '../sql/identifiers.ts';
import { type TargetTable, tableExists } from '../sql/target.ts';

/** The columns that only a history table has. */
export const HISTORY_COLUMNS: ReadonlySet<string> = new Set(['valid_from', 'valid_to']);

/** Returns the history table of a table. It need not exist. */
export function toHistoryTable({ schema, name }: TargetTable): TargetTable {
  const historyName = `${name}_history`;
  return { schema, name: historyName, sql: `${quote(schema)}.${quote(historyName)}` };
}

/**
 * Returns the name of a table's column in the history table. It differs if the table has a column
 * named like one of the history's own columns: a column of a user, or one that a release created
 * before these names were reserved.
 */
export function toHistoryColumn(name: string): string {
  return HISTORY_COLUMNS.has(name) ? getColumnName(name) : name;
}

interface ColumnTypeRow {
  readonly name: string;
  readonly oid: number;
  readonly type: string;
}

async function readColumnTypes(
  client: ClientBase,
  target: TargetTable,
): Promise<{ readonly table: readonly ColumnTypeRow[]; readonly history: ReadonlyMap<string, ColumnTypeRow> }> {
  const { rows } = await client.query<ColumnTypeRow & { history: boolean }>(
    `select attname as name, atttypid as oid, format_type(atttypid, atttypmod) as type,
       attrelid = $2::regclass as history
     from pg_attribute
     where attrelid in ($1::regclass, $2::regclass) and attnum > 0 and not attisdropped order by attnum`,
    [target.sql, toHistoryTable(target).sql],
  );
  return {
    table: rows.filter((r) => !r.history),
    history: new Map(rows.filter((r) => r.history).map((r) => [r.name, r])),
  };
}

/**
 * Lists the columns that a table and its history share with the same type. A user's columns may
 * exist in one of them only.
 */
export async function listSharedColumns(client: ClientBase, target: TargetTable): Promise<string[]> {
  const { table, history } = await readColumnTypes(client, target);
  return table.filter(({ name, oid }) => history.get(toHistoryColumn(name))?.oid === oid).map(({ name }) => name);
}

/**
 * Adds the columns that the history of a table lacks, and changes the types of those that differ.
 * Does nothing without a history.
 */
export async function alignHistoryColumns(client: ClientBase, target: TargetTable): Promise<void> {
  const historyTable = toHistoryTable(target).sql;
  if (!(await tableExists(client, historyTable))) return;
  const { table, history } = await readColumnTypes(client, target);
  for (const { name, oid, type } of table) {
    const column = quote(toHistoryColumn(name));
    const historyColumn = history.get(toHistoryColumn(name));
    if (historyColumn?.oid === oid) continue;
    const change = historyColumn
      ? `alter column ${column} type ${type} using ${column}::text::${type}`
      : `add column ${column} ${type}`;
    await client.query(`alter table ${historyTable} ${change}`);
  }
}
