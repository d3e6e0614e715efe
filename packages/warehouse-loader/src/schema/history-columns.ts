import { getColumnName } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { quote } from '../sql/identifiers.ts';
import { type TargetTable, tableExists } from '../sql/target.ts';

/** The columns that only a history table has. */
export const HISTORY_COLUMNS: ReadonlySet<string> = new Set(['valid_from', 'valid_to']);

/** Returns the history table of a table. The history table may not exist. */
export function toHistoryTable({ schema, name }: TargetTable): TargetTable {
  const historyName = `${name}_history`;
  return { schema, name: historyName, sql: `${quote(schema)}.${quote(historyName)}` };
}

/**
 * Returns the name of a table's column in the history table. The name differs from the name in the
 * table only for columns that are named `valid_from` or `valid_to`. Such a column was added by a
 * user, or by an earlier release that did not reserve these names.
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
 * Lists the columns that have the same type in a table and in its history. A user's column may
 * exist in only one of the two tables.
 */
export async function listSharedColumns(client: ClientBase, target: TargetTable): Promise<string[]> {
  const { table, history } = await readColumnTypes(client, target);
  return table.filter(({ name, oid }) => history.get(toHistoryColumn(name))?.oid === oid).map(({ name }) => name);
}

/**
 * Adds the columns that the history of a table lacks, and converts each column of the history whose
 * type differs from the type in the table. Does nothing if the table has no history.
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
