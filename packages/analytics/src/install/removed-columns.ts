import { AppError } from '@freshet/contracts';
import type postgres from 'postgres';
import { type Names, quote } from '../sql.ts';

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
