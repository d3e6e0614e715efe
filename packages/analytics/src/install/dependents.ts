import { AppError } from '@freshet/contracts';
import type postgres from 'postgres';
import { type Names, quote } from '../sql.ts';
import { readPrivilegeStatements } from './privileges.ts';

/** A view or materialized view of a user that depends on a model, possibly through other views. */
export interface DependentView {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly isMaterialized: boolean;
  /** Statements that create the view again, with its owner, privileges, comments and indexes. */
  readonly statements: readonly string[];
}

interface ViewRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'v' | 'm';
  readonly definition: string;
  readonly options: string[] | null;
  readonly owner: string;
  readonly comment: string | null;
  readonly populated: boolean;
  readonly indexes: string[];
}

/**
 * Reads the views of users that depend on the relations. A view comes after the views on which it
 * depends. The result omits the views in `ownNames`, which belong to Freshet, but includes the
 * views that depend on them.
 * @param relations the names of relations in the schema of the models.
 */
export async function readDependentViews(
  sql: postgres.TransactionSql,
  names: Names,
  relations: readonly string[],
  ownNames: ReadonlySet<string>,
): Promise<DependentView[]> {
  const rows = await sql<ViewRow[]>`
    with recursive dependents (oid, depth) as (
      select c.oid, 0 from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${names.analyticsSchema} and c.relname in ${sql(relations)}
      union
      select r.ev_class, d.depth + 1
      from dependents d
      join pg_depend p on p.refclassid = 'pg_class'::regclass and p.refobjid = d.oid
        and p.classid = 'pg_rewrite'::regclass and p.deptype = 'n'
      join pg_rewrite r on r.oid = p.objid
      where r.ev_class <> d.oid and d.depth < 100
    ),
    ordered as (select oid, max(depth) as depth from dependents group by oid having max(depth) > 0)
    select c.oid::int8::text::numeric as oid, n.nspname as schema, c.relname as name, c.relkind as kind,
      pg_get_viewdef(c.oid) as definition, c.reloptions as options, pg_get_userbyid(c.relowner) as owner,
      obj_description(c.oid, 'pg_class') as comment, c.relispopulated as populated,
      array(select pg_get_indexdef(i.indexrelid) from pg_index i where i.indrelid = c.oid order by 1) as indexes
    from ordered o
    join pg_class c on c.oid = o.oid and c.relkind in ('v', 'm')
    join pg_namespace n on n.oid = c.relnamespace
    order by o.depth, c.oid`;
  const views = rows.filter(({ schema, name }) => schema !== names.analyticsSchema || !ownNames.has(name));
  const dependents: DependentView[] = [];
  for (const row of views)
    dependents.push({
      oid: Number(row.oid),
      schema: row.schema,
      name: row.name,
      isMaterialized: row.kind === 'm',
      statements: [...buildStatements(row), ...(await readPrivilegeStatements(sql, Number(row.oid)))],
    });
  return dependents;
}

function buildStatements(view: ViewRow): string[] {
  const relation = `${quote(view.schema)}.${quote(view.name)}`;
  const kind = view.kind === 'm' ? 'materialized view' : 'view';
  const options = view.options === null ? '' : ` with (${view.options.join(', ')})`;
  const definition = view.definition.trim().replace(/;$/, '');
  const withData = view.kind === 'm' && !view.populated ? ' with no data' : '';
  return [
    `create ${kind} ${relation}${options} as ${definition}${withData}`,
    ...view.indexes,
    `alter ${kind} ${relation} owner to ${quote(view.owner)}`,
    ...(view.comment === null ? [] : [`comment on ${kind} ${relation} is '${view.comment.replaceAll("'", "''")}'`]),
  ];
}

/** Drops views of users. Dependent views come last in `views`, and are dropped first. */
export async function dropDependentViews(sql: postgres.TransactionSql, views: readonly DependentView[]): Promise<void> {
  for (const { schema, name, isMaterialized } of views.toReversed())
    await sql.unsafe(`drop ${isMaterialized ? 'materialized view' : 'view'} ${quote(schema)}.${quote(name)}`);
}

/**
 * Creates dropped views of users again.
 * @throws AppError `conflict` if the changed models no longer support a view.
 */
export async function recreateDependentViews(
  sql: postgres.TransactionSql,
  views: readonly DependentView[],
): Promise<void> {
  for (const { schema, name, statements } of views) {
    try {
      for (const statement of statements) await sql.unsafe(statement);
    } catch (error) {
      const { code = '', message = '' } = error as { code?: string; message?: string };
      if (!code.startsWith('42')) throw error;
      throw new AppError(
        'conflict',
        `The view ${quote(schema)}.${quote(name)} does not work with the models of this release (${message}). ` +
          'Change or drop the view, and start a run.',
        { cause: error },
      );
    }
  }
}

/**
 * Checks that no view of a user reads columns that a model loses.
 * @param removed relation name → names of the removed columns.
 * @throws AppError `conflict` with the names of the view and of the column.
 */
export async function checkRemovedColumns(
  sql: postgres.TransactionSql,
  names: Names,
  removed: ReadonlyMap<string, readonly string[]>,
  ownNames: ReadonlySet<string>,
): Promise<void> {
  for (const [relation, columns] of removed) {
    if (columns.length === 0) continue;
    const rows = await sql<{ schema: string; name: string; column: string }[]>`
      select distinct vn.nspname as schema, v.relname as name, a.attname as column
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attname in ${sql(columns)}
      join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = a.attnum
        and d.classid = 'pg_rewrite'::regclass
      join pg_rewrite r on r.oid = d.objid
      join pg_class v on v.oid = r.ev_class and v.oid <> c.oid
      join pg_namespace vn on vn.oid = v.relnamespace
      where n.nspname = ${names.analyticsSchema} and c.relname = ${relation}
      order by 1, 2, 3`;
    const user = rows.find(({ schema, name }) => schema !== names.analyticsSchema || !ownNames.has(name));
    if (user !== undefined)
      throw new AppError(
        'conflict',
        `The view ${quote(user.schema)}.${quote(user.name)} uses the column ${quote(user.column)} of the model ` +
          `${quote(relation)}, which this release removes. Change or drop the view, and start a run.`,
      );
  }
}
