import type { ClientBase } from 'pg';
import { fenced } from './load/load.ts';
import { pathIn } from './schema/columns.ts';
import { historyOf } from './schema/history.ts';
import { quote } from './schema/identifiers.ts';
import { type Target, targetOf } from './schema/tables.ts';

/** Rows that are told by what stands in some of their columns. */
export interface RowsOf {
  readonly schema: string;
  readonly tablePrefix: string;
  /** The object's name. */
  readonly table: string;
  /** The column of their keys. */
  readonly key: string;
  /** Rows that have one of the values in one of the columns, or in the column that the field of that name fills, compared as texts. A column that the table lacks has none. */
  readonly among: readonly { readonly column: string; readonly values: readonly string[] }[];
}

export interface RowCounts {
  readonly rows: number;
  /** Rows of the table's history. */
  readonly versions: number;
}

export interface ErasedRows extends RowCounts {
  /** The keys of the rows, as texts. */
  readonly keys: readonly string[];
}

const NONE: ErasedRows = { rows: 0, versions: 0, keys: [] };

/**
 * Deletes rows and all their versions, and every version of others that has one of the values, in one transaction. Whoever loads the
 * table with a lower epoch can load nothing more.
 * @throws AppError `fenced` when somebody with a greater epoch has the table.
 */
export async function eraseRows(client: ClientBase, of: RowsOf, epoch: number): Promise<ErasedRows> {
  const target = targetOf(of.schema, of.tablePrefix, of.table);
  const where = await condition(client, target, target, of);
  if (where === null) return NONE;
  await client.query('begin');
  try {
    await client.query(
      `set local search_path = pg_catalog, pg_temp; set local lock_timeout = '10s'; set local statement_timeout = '30min'`,
    );
    const fence = await client.query(
      `update ${quote(of.schema)}._freshet_objects set epoch = greatest(epoch, $2) where table_name = $1 returning epoch`,
      [target.name, epoch],
    );
    const held = Number(fence.rows[0]?.epoch ?? epoch);
    if (held > epoch) throw fenced(target, held);
    const deleted = await client.query<{ key: string }>(
      `delete from ${target.sql} t where ${where.sql} returning t.${quote(of.key)}::text as key`,
      where.values,
    );
    const keys = deleted.rows.map((r) => r.key);
    const history = historyOf(target);
    let versions = 0;
    const past = await condition(client, target, history, of);
    if (past !== null) {
      const old = await client.query(
        `delete from ${history.sql} t where ${past.sql} or t.${quote(of.key)}::text = any($${past.values.length + 1}::text[])`,
        [...past.values, keys],
      );
      versions = old.rowCount ?? 0;
    }
    await client.query(
      `update ${quote(of.schema)}._freshet_objects set row_count = greatest(0, row_count - $2) where table_name = $1`,
      [target.name, keys.length],
    );
    await client.query('commit');
    return { rows: keys.length, versions, keys };
  } catch (error) {
    await client.query('rollback').catch(() => {
      // The connection is gone, and the transaction with it; the first error says why.
    });
    throw error;
  }
}

/** How many there are. */
export async function countRows(client: ClientBase, of: RowsOf): Promise<RowCounts> {
  const target = targetOf(of.schema, of.tablePrefix, of.table);
  const count = async (counted: Target): Promise<number> => {
    const where = await condition(client, target, counted, of);
    if (where === null) return 0;
    const { rows } = await client.query<{ n: string }>(
      `select count(*) as n from ${counted.sql} t where ${where.sql}`,
      where.values,
    );
    return Number(rows[0]?.n);
  };
  return { rows: await count(target), versions: await count(historyOf(target)) };
}

/**
 * Null when there is no such table, or it has none of the columns.
 * @param target the table, or its history, whose columns have the table's names.
 */
async function condition(
  client: ClientBase,
  table: Target,
  target: Target,
  { among }: RowsOf,
): Promise<{ readonly sql: string; readonly values: string[][] } | null> {
  const { rows } = await client.query<{ name: string; comment: string | null; there: boolean }>(
    `select attname as name, pg_catalog.col_description(attrelid, attnum) as comment,
       exists (select from pg_catalog.pg_attribute o where o.attrelid = to_regclass($2) and o.attname = a.attname and not o.attisdropped) as there
     from pg_catalog.pg_attribute a where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
    [table.sql, target.sql],
  );
  // A field may fill a column of another name, which then has its path in the comment.
  const fills = (row: { readonly name: string; readonly comment: string | null }, field: string) =>
    row.name === field || (pathIn(row.comment)?.length === 1 && pathIn(row.comment)?.[0] === field);
  const there = among.flatMap(({ column, values }) =>
    rows.filter((r) => r.there && fills(r, column)).map((r) => ({ column: r.name, values })),
  );
  if (there.length === 0) return null;
  // As texts: a column may have been widened to hold more than its object's keys.
  return {
    sql: `(${there.map(({ column }, i) => `t.${quote(column)}::text = any($${i + 1}::text[])`).join(' or ')})`,
    values: there.map((a) => [...a.values]),
  };
}
