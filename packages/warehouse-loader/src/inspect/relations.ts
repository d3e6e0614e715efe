import type { SqlTransaction } from '../read-only.ts';
import { toColumnDescription } from '../schema/column-comments.ts';
import { quote } from '../sql/identifiers.ts';

/** The name of a table or a view. */
export interface RelationName {
  readonly schema: string;
  readonly name: string;
}

interface RelationColumn {
  readonly name: string;
  /** The SQL type, such as `timestamp with time zone`. */
  readonly type: string;
  readonly isNullable: boolean;
  /** The SQL comment of the column; null: none. */
  readonly description: string | null;
}

/** A table or a view, as the catalog of the warehouse describes it. */
export interface Relation extends RelationName {
  readonly isView: boolean;
  /** The SQL comment; null: none. */
  readonly description: string | null;
  /**
   * The number of rows that the statistics of PostgreSQL contain. Null: a view, or a table that has
   * no statistics yet.
   */
  readonly estimatedRows: number | null;
  /** The size with indexes and large values, in bytes; null: a view. */
  readonly bytes: number | null;
  /** The columns of the primary key or, if there is none, of a unique index. Empty: none. */
  readonly key: readonly string[];
  readonly columns: readonly RelationColumn[];
}

type RelationRow = Omit<Relation, 'columns'> & {
  readonly columns: readonly (Omit<RelationColumn, 'description'> & { readonly comment: string | null })[];
};

const RELATIONS_SQL = `
  select n.nspname as schema, c.relname as name, c.relkind in ('v', 'm') as "isView",
    obj_description(c.oid, 'pg_class') as description,
    case when c.relkind in ('r', 'm') and c.reltuples >= 0 then c.reltuples::float8 end as "estimatedRows",
    case when c.relkind in ('r', 'm') then pg_total_relation_size(c.oid)::float8 end as bytes,
    coalesce((
      select array_agg(a.attname::text order by k.position)
      from (
        select i.indkey, i.indnkeyatts from pg_index i
        join pg_class ic on ic.oid = i.indexrelid
        join pg_am m on m.oid = ic.relam and m.amname = 'btree'
        where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
        order by i.indisprimary desc, i.indexrelid
        limit 1
      ) u
      cross join lateral unnest(u.indkey) with ordinality as k (attnum, position)
      join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
      where k.position <= u.indnkeyatts
    ), '{}') as key,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'isNullable', not a.attnotnull,
        'comment', col_description(c.oid, a.attnum)
      ) order by a.attnum), '[]')
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ) as columns
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join unnest($1::text[], $2::text[]) as requested (schema, name)
    on requested.schema = n.nspname and requested.name = c.relname
  where c.relkind in ('r', 'v', 'm', 'p', 'f')`;

/**
 * Describes the tables and views that exist in the warehouse. Omits names that do not exist.
 */
export async function listRelations(transaction: SqlTransaction, names: readonly RelationName[]): Promise<Relation[]> {
  const rows = await transaction.unsafe<RelationRow[]>(RELATIONS_SQL, [
    names.map(({ schema }) => schema),
    names.map(({ name }) => name),
  ]);
  return rows.map((row) => ({
    ...row,
    columns: row.columns.map(({ comment, ...column }) => ({ ...column, description: toColumnDescription(comment) })),
  }));
}

/**
 * Returns the row counts of the loader, by table. Returns no counts if the
 * schema has no ledger tables.
 */
export async function readRowCounts(transaction: SqlTransaction, schema: string): Promise<ReadonlyMap<string, number>> {
  const objects = `${quote(schema)}._freshet_objects`;
  const [table] = await transaction<{ exists: boolean }[]>`select to_regclass(${objects}) is not null as exists`;
  if (table?.exists !== true) return new Map();
  const rows = await transaction.unsafe<{ table_name: string; row_count: number }[]>(
    `select table_name, row_count::float8 from ${objects}`,
  );
  return new Map(rows.map(({ table_name, row_count }) => [table_name, row_count]));
}
