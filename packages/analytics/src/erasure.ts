import type postgres from 'postgres';
import type { AnalyticsTarget } from './interface.ts';
import { listModels } from './models/list-models.ts';
import { Names } from './sql.ts';

/** Selects the rows of models that belong to erased records. */
export interface ModelRowFilter {
  /** The name of a column of the models, such as `ticket_id`. */
  readonly column: string;
  /** The keys of the erased records, as text. */
  readonly values: readonly string[];
}

/**
 * Deletes the rows in which at least one of the columns contains one of the listed values, from all
 * tables of models. A refresh deletes the same rows. This function also deletes them after the
 * models were switched off, and if the refresh fails.
 * @returns the number of deleted rows.
 */
export async function eraseModelRows(
  sql: postgres.Sql,
  target: AnalyticsTarget,
  filters: readonly ModelRowFilter[],
): Promise<number> {
  return await sql.begin(async (tx) => {
    await tx`set local search_path = pg_catalog, pg_temp`;
    let deleted = 0;
    for (const { table, column, values } of await findColumns(tx, target, filters)) {
      const { count } = await tx`
        delete from ${tx.unsafe(table)} where ${tx.unsafe(column)}::text = any(${[...values]}::text[])`;
      deleted += count;
    }
    return deleted;
  });
}

/**
 * Counts the rows that {@link eraseModelRows} deletes. Counts a row once for each matching column.
 */
export async function countModelRows(
  sql: postgres.Sql,
  target: AnalyticsTarget,
  filters: readonly ModelRowFilter[],
): Promise<number> {
  let rows = 0;
  for (const { table, column, values } of await findColumns(sql, target, filters)) {
    const [row] = await sql<{ n: number }[]>`
      select count(*)::float8 as n from ${sql.unsafe(table)}
      where ${sql.unsafe(column)}::text = any(${[...values]}::text[])`;
    rows += row?.n ?? 0;
  }
  return rows;
}

interface FilteredColumn extends ModelRowFilter {
  /** The qualified, quoted name. */
  readonly table: string;
  /** The quoted name. */
  readonly column: string;
}

/**
 * Finds the columns of the models' tables to which the filters apply. Views store no rows, and
 * other tables of the schema belong to the user.
 */
async function findColumns(
  sql: postgres.Sql | postgres.TransactionSql,
  target: AnalyticsTarget,
  filters: readonly ModelRowFilter[],
): Promise<FilteredColumn[]> {
  const names = new Names(target);
  const models = listModels().map(({ name }) => names.relationName(name));
  const columns = await sql<{ table: string; column: string; name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as table, format('%I', a.attname) as column, a.attname as name
    from pg_catalog.pg_namespace n join pg_catalog.pg_class c on c.relnamespace = n.oid
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where n.nspname = ${names.analyticsSchema} and c.relkind = 'r' and c.relname = any(${models}::name[])
      and a.attname = any(${filters.map(({ column }) => column)}::name[])
    order by 1, 2`;
  return columns.flatMap(({ table, column, name }) =>
    filters.filter((filter) => filter.column === name).map(({ values }) => ({ table, column, values })),
  );
}
