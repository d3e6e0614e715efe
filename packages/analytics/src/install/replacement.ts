import { AppError } from '@freshet/contracts';
import type postgres from 'postgres';
import { type Names, quote } from '../sql.ts';
import type { ExistingRelation } from './catalog.ts';
import type { Definition } from './definitions.ts';
import {
  checkRemovedColumns,
  type DependentView,
  dropDependentViews,
  readDependentViews,
  recreateDependentViews,
} from './dependents.ts';
import type { InstallPlan } from './plan.ts';
import { readPrivilegeStatements } from './privileges.ts';

/** The relations that an installation has dropped, so that it can restore what depended on them. */
export class Replacement {
  readonly #views: readonly DependentView[];
  readonly #privileges: readonly string[];

  private constructor(views: readonly DependentView[], privileges: readonly string[]) {
    this.#views = views;
    this.#privileges = privileges;
  }

  /**
   * Drops the relations of models whose columns have changed, and of models that no longer exist,
   * with the views of users that depend on them.
   * @throws AppError `conflict` if a view of a user reads a removed column or a removed model.
   */
  static async drop(
    sql: postgres.TransactionSql,
    names: Names,
    definitions: readonly Definition[],
    plan: InstallPlan,
    relations: ReadonlyMap<string, ExistingRelation>,
  ): Promise<Replacement> {
    const replaced = definitions
      .filter(({ model, relationName }) => plan.actions.get(model.name) === 'replace' && relations.has(relationName))
      .map(({ relationName }) => relationName);
    const ownNames = new Set([...definitions.map(({ relationName }) => relationName), ...plan.obsolete]);
    await refuseViewsOfObsoleteModels(sql, names, plan.obsolete, ownNames);
    await checkRemovedColumns(sql, names, plan.removedColumns, ownNames);
    const views = replaced.length === 0 ? [] : await readDependentViews(sql, names, replaced, ownNames);
    const privileges: string[] = [];
    for (const relation of replaced) privileges.push(...(await readPrivileges(sql, names, relation)));
    await dropDependentViews(sql, views);
    const dropped = [...replaced, ...plan.obsolete];
    const isView = (name: string) => relations.get(name)?.kind === 'view';
    // Views are dropped before the tables that they read, in the reverse order of their references.
    for (const name of dropped.filter(isView).toReversed()) await dropRelation(sql, names, 'view', name);
    for (const name of dropped.filter((candidate) => !isView(candidate))) await dropRelation(sql, names, 'table', name);
    return new Replacement(views, privileges);
  }

  /** Creates the views of users again, and restores privileges. */
  async restore(sql: postgres.TransactionSql): Promise<void> {
    for (const statement of this.#privileges) await sql.unsafe(statement);
    await recreateDependentViews(sql, this.#views);
  }
}

async function refuseViewsOfObsoleteModels(
  sql: postgres.TransactionSql,
  names: Names,
  obsolete: readonly string[],
  ownNames: ReadonlySet<string>,
): Promise<void> {
  if (obsolete.length === 0) return;
  const [view] = await readDependentViews(sql, names, obsolete, ownNames);
  if (view !== undefined)
    throw new AppError(
      'conflict',
      `The view ${quote(view.schema)}.${quote(view.name)} uses a model that this release removes ` +
        `(one of ${obsolete.join(', ')}). Change or drop the view, and start a run.`,
    );
}

async function readPrivileges(sql: postgres.TransactionSql, names: Names, relation: string): Promise<string[]> {
  const name = `${names.schema}.${quote(relation)}`;
  const [row] = await sql<{ oid: number }[]>`select to_regclass(${name})::oid::int8::float8 as oid`;
  return row === undefined ? [] : await readPrivilegeStatements(sql, row.oid);
}

async function dropRelation(
  sql: postgres.TransactionSql,
  names: Names,
  kind: 'view' | 'table',
  name: string,
): Promise<void> {
  await sql.unsafe(`drop ${kind} ${names.schema}.${quote(name)}`);
}
