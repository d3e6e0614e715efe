import { AppError } from '@freshet/contracts';
import {
  type DependentView,
  DependentViewError,
  dropDependentViews,
  type Query,
  readDependentViews,
  readPrivilegeStatements,
  recreateDependentViews,
} from '@freshet/warehouse-loader';
import type postgres from 'postgres';
import { type Names, quote } from '../sql.ts';
import type { ExistingRelation } from './catalog.ts';
import type { Definition } from './definitions.ts';
import type { InstallPlan } from './plan.ts';
import { checkRemovedColumns } from './removed-columns.ts';

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
    const views = await withConflicts(() => readUserViews(sql, names, replaced, ownNames));
    const privileges: string[] = [];
    for (const relation of replaced)
      privileges.push(...(await readPrivilegeStatements(toQuery(sql), `${names.schema}.${quote(relation)}`)));
    await withConflicts(() => dropDependentViews(toQuery(sql), views));
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
    await withConflicts(() => recreateDependentViews(toQuery(sql), this.#views));
  }
}

async function refuseViewsOfObsoleteModels(
  sql: postgres.TransactionSql,
  names: Names,
  obsolete: readonly string[],
  ownNames: ReadonlySet<string>,
): Promise<void> {
  if (obsolete.length === 0) return;
  const [view] = await readUserViews(sql, names, obsolete, ownNames);
  if (view !== undefined)
    throw new AppError(
      'conflict',
      `The view ${view.relation} uses a model that this release removes ` +
        `(one of ${obsolete.join(', ')}). Change or drop the view, and start a run.`,
    );
}

/**
 * Reads the views of users that depend on models. Omits the views in `ownNames`, which belong to
 * Freshet.
 */
async function readUserViews(
  sql: postgres.TransactionSql,
  names: Names,
  relations: readonly string[],
  ownNames: ReadonlySet<string>,
): Promise<DependentView[]> {
  return await readDependentViews(
    toQuery(sql),
    relations.map((relation) => ({ relation: `${names.schema}.${quote(relation)}`, column: null })),
    ({ schema, name }) => schema !== names.analyticsSchema || !ownNames.has(name),
  );
}

function toQuery(sql: postgres.TransactionSql): Query {
  return async <Row extends object>(statement: string, parameters: readonly unknown[] = []) => [
    ...(await sql.unsafe<Row[]>(statement, [...parameters] as never)),
  ];
}

/** @throws AppError `conflict` if a view of a user prevents the installation. */
async function withConflicts<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DependentViewError)) throw error;
    throw new AppError(
      'conflict',
      `The view ${error.view} does not work with the models of this release (${error.message}). ` +
        'Change or drop the view, and start a run.',
      { cause: error },
    );
  }
}

async function dropRelation(
  sql: postgres.TransactionSql,
  names: Names,
  kind: 'view' | 'table',
  name: string,
): Promise<void> {
  await sql.unsafe(`drop ${kind} ${names.schema}.${quote(name)}`);
}
