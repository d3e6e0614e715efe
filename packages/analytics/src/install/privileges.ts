import type postgres from 'postgres';

/**
 * Builds the GRANT statements that restore the privileges of a relation and of its columns after
 * the relation was dropped and created again.
 */
export async function readPrivilegeStatements(sql: postgres.TransactionSql, oid: number): Promise<string[]> {
  const rows = await sql<{ statement: string }[]>`
    with relation as (
      select c.oid, c.relacl, format('%I.%I', n.nspname, c.relname) as name, c.relowner
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = ${oid}
    ),
    grants as (
      select r.name, r.relowner, g.*, null::name as column_name
      from relation r cross join lateral aclexplode(r.relacl) g
      union all
      select r.name, r.relowner, g.*, a.attname
      from relation r
      join pg_attribute a on a.attrelid = r.oid and a.attacl is not null and not a.attisdropped
      cross join lateral aclexplode(a.attacl) g
    )
    select format(
      'grant %s%s on %s to %s%s', g.privilege_type,
      case when g.column_name is not null then format('(%I)', g.column_name) end,
      g.name, case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
      case when g.is_grantable then ' with grant option' end
    ) as statement
    from grants g
    where g.grantee <> g.relowner
    order by 1`;
  return rows.map(({ statement }) => statement);
}
