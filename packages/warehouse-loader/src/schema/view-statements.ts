import type { Query } from '../sql/query.ts';

/** The statements that create a view again after it was dropped. */
export interface ViewStatements {
  readonly statements: readonly string[];
  /** Properties of the view that no statement restores. */
  readonly unsupported: readonly string[];
}

/**
 * Reads the statements that create a view or a materialized view again: its definition, options,
 * owner, defaults, rules, triggers, indexes, comments and rows. The result does not contain the
 * privileges (`readPrivilegeStatements`).
 *
 * PostgreSQL executes the functions in indexes and in the query of a materialized view with the
 * privileges of the owner, except while it creates a materialized view with its rows. The view is
 * therefore created without rows, gets its owner, and is refreshed. Otherwise, the owner could
 * execute functions with the privileges of Freshet's role.
 */
export async function readViewStatements(query: Query, oid: string): Promise<ViewStatements> {
  const [row] = await query<{
    create: string;
    owner: string;
    details: string[];
    refresh: string | null;
    unsupported: string[];
  }>(
    `with view as (
       select c.*, n.nspname, format('%I.%I', n.nspname, c.relname) as relation,
         case c.relkind when 'm' then 'materialized view' else 'view' end as kind
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::oid
     )
     select
       ${CREATE} as create,
       format('alter %s %s owner to %I', v.kind, v.relation, pg_get_userbyid(v.relowner)) as owner,
       array(${DETAILS}) as details,
       case when v.relkind = 'm' and v.relispopulated then format('refresh materialized view %s', v.relation) end
         as refresh,
       array(${UNSUPPORTED}) as unsupported
     from view v`,
    [oid],
  );
  if (row === undefined) return { statements: [], unsupported: [] };
  const { create, owner, details, refresh, unsupported } = row;
  return { statements: [create, owner, ...details, ...(refresh === null ? [] : [refresh])], unsupported };
}

const CREATE = `concat(
  'create ', v.kind, ' ', v.relation,
  (select format(' using %I', m.amname) from pg_am m where m.oid = v.relam),
  ' with (' || array_to_string(v.reloptions, ', ') || ')',
  (select format(' tablespace %I', t.spcname) from pg_tablespace t where t.oid = v.reltablespace),
  ' as ', rtrim(pg_get_viewdef(v.oid), E'; \\n'),
  case v.relkind when 'm' then ' with no data' end
)`;

/** A comment refers to an object that an earlier statement creates. */
const DETAILS = `
  select d.statement from (
    select 1 as place, d.adnum::int as number,
      format('alter view %s alter column %I set default %s', v.relation, a.attname, pg_get_expr(d.adbin, d.adrelid))
        as statement
    from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = v.oid
    union all
    select 2, row_number() over (order by r.rulename)::int, pg_get_ruledef(r.oid)
    from pg_rewrite r where r.ev_class = v.oid and r.rulename <> '_RETURN'
    union all
    select 3, row_number() over (order by t.tgname)::int, pg_get_triggerdef(t.oid)
    from pg_trigger t where t.tgrelid = v.oid and not t.tgisinternal
    union all
    select 4, row_number() over (order by i.indexrelid)::int, pg_get_indexdef(i.indexrelid)
    from pg_index i where i.indrelid = v.oid
    union all
    select 5, 1, format('alter materialized view %s cluster on %I', v.relation, x.relname)
    from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = v.oid and i.indisclustered
    union all
    select 6, c.objsubid, case c.objsubid
        when 0 then format('comment on %s %s is %L', v.kind, v.relation, c.description)
        else format('comment on column %s.%I is %L', v.relation, a.attname, c.description) end
    from pg_description c
    left join pg_attribute a on a.attrelid = v.oid and a.attnum = c.objsubid
    where c.classoid = 'pg_class'::regclass and c.objoid = v.oid
    union all
    select 7, 1, format('comment on rule %I on %s is %L', r.rulename, v.relation, c.description)
    from pg_rewrite r join pg_description c on c.classoid = 'pg_rewrite'::regclass and c.objoid = r.oid
    where r.ev_class = v.oid and r.rulename <> '_RETURN'
    union all
    select 8, 1, format('comment on trigger %I on %s is %L', t.tgname, v.relation, c.description)
    from pg_trigger t join pg_description c on c.classoid = 'pg_trigger'::regclass and c.objoid = t.oid
    where t.tgrelid = v.oid
    union all
    select 9, 1, format('comment on index %I.%I is %L', v.nspname, x.relname, c.description)
    from pg_index i join pg_class x on x.oid = i.indexrelid
    join pg_description c on c.classoid = 'pg_class'::regclass and c.objoid = x.oid and c.objsubid = 0
    where i.indrelid = v.oid
  ) d order by d.place, d.number`;

const UNSUPPORTED = `
  select 'a disabled rule' from pg_rewrite r where r.ev_class = v.oid and r.ev_enabled <> 'O'
  union
  select 'a disabled trigger' from pg_trigger t
  where t.tgrelid = v.oid and not t.tgisinternal and t.tgenabled <> 'O'
  union
  select 'an index in a tablespace' from pg_index i join pg_class x on x.oid = i.indexrelid
  where i.indrelid = v.oid and x.reltablespace <> 0
  union
  select 'extended statistics' from pg_statistic_ext s where s.stxrelid = v.oid
  union
  select 'settings of a column' from pg_attribute a
  where a.attrelid = v.oid and a.attnum > 0 and (coalesce(a.attstattarget, -1) <> -1 or a.attoptions is not null)
  union
  select 'a security label' from pg_seclabel l where l.classoid = 'pg_class'::regclass and l.objoid = v.oid
  union
  select 'the membership of an extension' from pg_depend d
  where d.classid = 'pg_class'::regclass and d.objid = v.oid and d.deptype = 'e'`;

/**
 * Builds the GRANT statements that restore the privileges of a relation and of its columns after
 * the relation was dropped and created again.
 * @param relation the qualified, quoted name.
 */
export async function readPrivilegeStatements(query: Query, relation: string): Promise<string[]> {
  const rows = await query<{ statement: string }>(
    `with relation as (
       select c.oid, c.relacl, format('%I.%I', n.nspname, c.relname) as name, c.relowner
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1)
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
     order by 1`,
    [relation],
  );
  return rows.map(({ statement }) => statement);
}
