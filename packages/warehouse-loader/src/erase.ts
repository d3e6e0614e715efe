import type { ClientBase } from 'pg';
import { createFencedError } from './errors.ts';
import { rollBack } from './load/transaction.ts';
import { parseColumnComment } from './schema/column-comments.ts';
import { toHistoryTable } from './schema/history-columns.ts';
import { quote } from './sql/identifiers.ts';
import { type TargetTable, toTargetTable } from './sql/target.ts';

/** Selects the rows of a table in which certain columns have certain values. */
export interface RowFilter {
  readonly schema: string;
  readonly tablePrefix: string;
  /** The object's name. */
  readonly table: string;
  /** The primary key column. */
  readonly keyColumn: string;
  /**
   * A row is selected if at least one of these columns contains one of the `values` that are listed
   * for the column. Values are compared as text. `column` is the name of a column or of a field.
   * The column of a field may have a different name than the field. A column that does not exist
   * selects no rows.
   */
  readonly anyOf: readonly { readonly column: string; readonly values: readonly string[] }[];
}

export interface RowCounts {
  readonly rows: number;
  /** Rows of the history table. */
  readonly versions: number;
}

export interface ErasedRows extends RowCounts {
  /** The primary keys of the deleted rows, as text. */
  readonly keys: readonly string[];
}

const NO_ROWS: ErasedRows = { rows: 0, versions: 0, keys: [] };

/**
 * Deletes the rows that match the filter and all their versions in one transaction. Also deletes
 * versions of other rows if these versions match the filter. Increases the table's epoch, so that
 * workers with a lower epoch cannot load batches that contain the deleted rows.
 * @throws AppError `fenced` if the table's epoch is greater than `epoch`.
 */
export async function eraseRows(client: ClientBase, filter: RowFilter, epoch: number): Promise<ErasedRows> {
  const target = toTargetTable(filter.schema, filter.tablePrefix, filter.table);
  const objects = `${quote(filter.schema)}._freshet_objects`;
  const where = await buildCondition(client, target, target, filter);
  if (where === null) return NO_ROWS;
  await client.query('begin');
  try {
    await client.query(
      `set local search_path = pg_catalog, pg_temp; set local lock_timeout = '10s'; set local statement_timeout = '30min'`,
    );
    const lockedRows = await client.query<{ epoch: string }>(
      `update ${objects} set epoch = greatest(epoch, $2) where table_name = $1 returning epoch`,
      [target.name, epoch],
    );
    const tableEpoch = Number(lockedRows.rows[0]?.epoch ?? epoch);
    if (tableEpoch > epoch) throw createFencedError(target.name, tableEpoch);
    const deletedRows = await client.query<{ key: string }>(
      `delete from ${target.sql} t where ${where.sql} returning t.${quote(filter.keyColumn)}::text as key`,
      where.values,
    );
    const keys = deletedRows.rows.map((r) => r.key);
    const versions = await eraseVersions(client, target, filter, keys);
    await client.query(`update ${objects} set row_count = greatest(0, row_count - $2) where table_name = $1`, [
      target.name,
      keys.length,
    ]);
    await client.query('commit');
    return { rows: keys.length, versions, keys };
  } catch (error) {
    await rollBack(client);
    throw error;
  }
}

/**
 * Deletes the row versions that match the filter, and all versions of the rows whose primary keys
 * are in `keys`.
 * @returns the number of deleted versions.
 */
async function eraseVersions(
  client: ClientBase,
  target: TargetTable,
  filter: RowFilter,
  keys: readonly string[],
): Promise<number> {
  const history = toHistoryTable(target);
  const where = await buildCondition(client, target, history, filter);
  if (where === null) return 0;
  const { rowCount } = await client.query(
    `delete from ${history.sql} t
     where ${where.sql} or t.${quote(filter.keyColumn)}::text = any($${where.values.length + 1}::text[])`,
    [...where.values, keys],
  );
  return rowCount ?? 0;
}

/** Counts the rows and the row versions that match the filter. */
export async function countRows(client: ClientBase, filter: RowFilter): Promise<RowCounts> {
  const target = toTargetTable(filter.schema, filter.tablePrefix, filter.table);
  const count = async (table: TargetTable): Promise<number> => {
    const where = await buildCondition(client, target, table, filter);
    if (where === null) return 0;
    const { rows } = await client.query<{ n: string }>(
      `select count(*) as n from ${table.sql} t where ${where.sql}`,
      where.values,
    );
    return Number(rows[0]?.n);
  };
  return { rows: await count(target), versions: await count(toHistoryTable(target)) };
}

/**
 * Builds the SQL condition of a filter; null: the table does not exist or has none of the columns.
 * @param target the table. The comments of its columns contain the paths of the fields.
 * @param filtered the table to which the condition applies: `target` or its history. The
 *   condition contains only columns that have the same name in both tables.
 */
async function buildCondition(
  client: ClientBase,
  target: TargetTable,
  filtered: TargetTable,
  { anyOf }: RowFilter,
): Promise<{ readonly sql: string; readonly values: string[][] } | null> {
  const { rows } = await client.query<{ name: string; comment: string | null; is_shared: boolean }>(
    `select attname as name, pg_catalog.col_description(attrelid, attnum) as comment,
       exists (
         select from pg_catalog.pg_attribute o
         where o.attrelid = to_regclass($2) and o.attname = a.attname and not o.attisdropped
       ) as is_shared
     from pg_catalog.pg_attribute a where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
    [target.sql, filtered.sql],
  );
  const matches = ({ name, comment }: (typeof rows)[number], field: string) => {
    const path = parseColumnComment(comment);
    return name === field || (path?.length === 1 && path[0] === field);
  };
  const conditions = anyOf.flatMap(({ column, values }) =>
    rows.filter((row) => row.is_shared && matches(row, column)).map((row) => ({ column: row.name, values })),
  );
  if (conditions.length === 0) return null;
  // Compare as text, because the column may have been widened to a type that differs from the type
  // of the values.
  return {
    sql: `(${conditions.map(({ column }, i) => `t.${quote(column)}::text = any($${i + 1}::text[])`).join(' or ')})`,
    values: conditions.map((condition) => [...condition.values]),
  };
}
