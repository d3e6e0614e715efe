import { getErrorCode } from '../errors.ts';
import { quote } from '../sql/identifiers.ts';
import type { Query } from '../sql/query.ts';
import { readPrivilegeStatements, readViewStatements } from './view-statements.ts';

/** A relation, or one of its columns, on which views may depend. */
export interface ViewSource {
  /** The qualified, quoted name. A relation that does not exist has no views. */
  readonly relation: string;
  /** The unquoted name of the column. Null: any column. */
  readonly column: string | null;
}

/**
 * A view or materialized view that depends on a relation, possibly through other views. Freshet
 * drops such views to change the relation, and creates them again in the same transaction.
 */
export interface DependentView {
  readonly schema: string;
  readonly name: string;
  /** The qualified, quoted name. */
  readonly relation: string;
  readonly isMaterialized: boolean;
  /** The size of a materialized view with its indexes. */
  readonly bytes: number;
  /** Statements that create the view again, with its owner, comments, indexes and triggers. */
  readonly statements: readonly string[];
  /** Statements that grant the privileges of the view. */
  readonly privileges: readonly string[];
}

/** A dependent view that cannot be dropped or cannot be created again. */
export class DependentViewError extends Error {
  override readonly name = 'DependentViewError';
  /** The qualified, quoted name of the view. */
  readonly view: string;

  /** @param message the cause. */
  constructor(view: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.view = view;
  }
}

interface ViewRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly isMaterialized: boolean;
  readonly bytes: string;
}

/**
 * Reads the views that depend on the sources, directly or through other views. A view comes after
 * the views on which it depends. Locks the views, except for materialized views, so that no other
 * session changes their definitions until the end of the transaction.
 * @param isIncluded whether a view belongs to the result. The result also contains the included
 *   views that depend on views that are not included.
 * @throws DependentViewError if a view cannot be created again with all of its properties.
 */
export async function readDependentViews(
  query: Query,
  sources: readonly ViewSource[],
  isIncluded: (view: { readonly schema: string; readonly name: string }) => boolean = () => true,
): Promise<DependentView[]> {
  const rows = (await findViews(query, sources)).filter(isIncluded);
  const toRelation = ({ schema, name }: ViewRow) => `${quote(schema)}.${quote(name)}`;
  // Readers lock a view before the views that it reads, so the same order prevents deadlocks.
  for (const row of rows.toReversed())
    if (!row.isMaterialized)
      await attempt(toRelation(row), () => query(`lock table ${toRelation(row)} in access share mode`));
  const views: DependentView[] = [];
  for (const row of rows) {
    const relation = toRelation(row);
    const { statements, unsupported } = await readViewStatements(query, row.oid);
    if (unsupported.length > 0)
      throw new DependentViewError(relation, `Freshet cannot create it again with: ${unsupported.join(', ')}`);
    const { schema, name, isMaterialized } = row;
    const privileges = await readPrivilegeStatements(query, relation);
    views.push({ schema, name, relation, isMaterialized, bytes: Number(row.bytes), statements, privileges });
  }
  return views;
}

function findViews(query: Query, sources: readonly ViewSource[]): Promise<readonly ViewRow[]> {
  return query<ViewRow>(
    `with recursive sources as (
       select c.oid, a.attnum
       from unnest($1::text[], $2::text[]) s (relation, column_name)
       join pg_class c on c.oid = to_regclass(s.relation)
       left join pg_attribute a on a.attrelid = c.oid and a.attname = s.column_name
       where s.column_name = '' or a.attnum is not null
     ),
     dependents (oid, attnum, depth) as (
       select s.oid, s.attnum, 0 from sources s
       union
       select r.ev_class, null, d.depth + 1
       from dependents d
       join pg_depend p on p.refclassid = 'pg_class'::regclass and p.refobjid = d.oid
         and (d.attnum is null or p.refobjsubid = d.attnum)
         and p.classid = 'pg_rewrite'::regclass and p.deptype = 'n'
       join pg_rewrite r on r.oid = p.objid
       where r.ev_class <> d.oid and d.depth < 100
     ),
     ordered as (select oid, max(depth) as depth from dependents group by oid having max(depth) > 0)
     select c.oid::text as oid, n.nspname::text as schema, c.relname::text as name,
       c.relkind = 'm' as "isMaterialized", pg_total_relation_size(c.oid)::text as bytes
     from ordered o
     join pg_class c on c.oid = o.oid and c.relkind in ('v', 'm')
     join pg_namespace n on n.oid = c.relnamespace
     order by o.depth, c.oid`,
    [sources.map(({ relation }) => relation), sources.map(({ column }) => column ?? '')],
  );
}

/**
 * Drops views in the reverse order of `readDependentViews`.
 * @throws DependentViewError if a view cannot be dropped, for example because the role does not own
 *   the view, or because a function uses the view.
 */
export async function dropDependentViews(query: Query, views: readonly DependentView[]): Promise<void> {
  for (const { relation, isMaterialized } of views.toReversed())
    await attempt(relation, () => query(`drop ${isMaterialized ? 'materialized view' : 'view'} ${relation}`));
}

/**
 * Creates dropped views again.
 * @throws DependentViewError if a view does not work with the changed relation.
 */
export async function recreateDependentViews(query: Query, views: readonly DependentView[]): Promise<void> {
  for (const { relation, statements, privileges } of views) {
    await attempt(relation, async () => {
      for (const statement of statements) await query(statement);
      await revokeDefaultPrivileges(query, relation);
      for (const statement of privileges) await query(statement);
    });
  }
}

/** Revokes the privileges that default privileges of the role have granted on a new view. */
async function revokeDefaultPrivileges(query: Query, relation: string): Promise<void> {
  const grantees = await query<{ grantee: string }>(
    `select distinct case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end as grantee
     from pg_class c cross join lateral aclexplode(c.relacl) g
     where c.oid = to_regclass($1) and g.grantee <> c.relowner`,
    [relation],
  );
  for (const { grantee } of grantees) await query(`revoke all on ${relation} from ${grantee}`);
}

/**
 * SQLSTATEs, or their classes, that state that a view does not work, or that the role may not
 * change it. Other errors concern the server, the connection or locks.
 */
const VIEW_ERRORS = /^(42|22|23|0A|54|2BP01|55000)/;

async function attempt(view: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!VIEW_ERRORS.test(getErrorCode(error))) throw error;
    // The messages of these classes can contain values of rows.
    const code = getErrorCode(error);
    const message = /^2[23]/.test(code) ? `a value of a row does not work, SQLSTATE ${code}` : (error as Error).message;
    throw new DependentViewError(view, message, { cause: error });
  }
}
