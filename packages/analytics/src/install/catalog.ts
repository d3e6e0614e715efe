import type postgres from 'postgres';

/** A relation in the schema of the models, as it exists. */
export interface ExistingRelation {
  readonly kind: 'view' | 'table' | 'other';
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Returns the relations of a schema, by name. */
export async function readRelations(
  sql: postgres.TransactionSql,
  schema: string,
): Promise<ReadonlyMap<string, ExistingRelation>> {
  const rows = await sql<{ name: string; kind: string; columns: { name: string; type: string }[] }[]>`
    select c.relname as name, c.relkind as kind,
      coalesce(
        jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
          filter (where a.attnum is not null),
        '[]'
      ) as columns
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where n.nspname = ${schema} and c.relkind in ('r', 'v', 'm', 'p', 'f')
    group by c.oid, c.relname, c.relkind`;
  return new Map(
    rows.map(({ name, kind, columns }) => [
      name,
      {
        kind: kind === 'v' ? 'view' : kind === 'r' ? 'table' : 'other',
        columns: columns.map((c) => ({ name: c.name, type: toDeclaredType(c.type) })),
      },
    ]),
  );
}

/** Converts a type of the catalog to the notation of the models. */
function toDeclaredType(type: string): string {
  return type.replace('timestamp with time zone', 'timestamptz');
}
