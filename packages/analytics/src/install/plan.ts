import type { ExistingRelation } from './catalog.ts';
import type { Definition } from './definitions.ts';

/**
 * The action of an installation for a model. `create`: the relation does not exist. `replace`: the
 * relation is dropped and created again, because its columns have changed. `redefine`: the
 * definition has changed, but the columns are unchanged, or a view has new columns at its end.
 * `keep`: nothing has changed.
 */
export type InstallAction = 'create' | 'replace' | 'redefine' | 'keep';

export interface InstallPlan {
  readonly actions: ReadonlyMap<string, InstallAction>;
  /** Relation name → columns that the relation loses or whose types change. */
  readonly removedColumns: ReadonlyMap<string, readonly string[]>;
  /** Relations of models that no longer exist. */
  readonly obsolete: readonly string[];
}

/**
 * Decides what an installation does with each model.
 * @param relations the relations in the schema of the models, by name.
 * @param installed the hashes of the installed definitions, by model.
 */
export function planInstallation(
  definitions: readonly Definition[],
  relations: ReadonlyMap<string, ExistingRelation>,
  installed: ReadonlyMap<string, string>,
  toRelationName: (model: string) => string,
): InstallPlan {
  const actions = new Map<string, InstallAction>();
  const removedColumns = new Map<string, readonly string[]>();
  for (const definition of definitions) {
    const { model, relationName } = definition;
    const existing = relations.get(relationName);
    const action = chooseAction(definition, existing, installed.get(model.name));
    // A view must be dropped before a relation that the view reads is dropped.
    const readsReplaced = model.references.some((name) => actions.get(name) === 'replace');
    const isDropped = action === 'replace' || (existing?.kind === 'view' && readsReplaced);
    actions.set(model.name, isDropped ? 'replace' : action);
    if (isDropped && existing !== undefined) removedColumns.set(relationName, listRemovedColumns(definition, existing));
  }
  const models = new Set(definitions.map(({ model }) => model.name));
  const obsolete = [...installed.keys()]
    .filter((name) => !models.has(name))
    .map(toRelationName)
    .filter((name) => relations.has(name));
  return { actions, removedColumns, obsolete };
}

function chooseAction(
  { model, columns, hash }: Definition,
  existing: ExistingRelation | undefined,
  installedHash: string | undefined,
): InstallAction {
  if (existing === undefined) return 'create';
  const isView = model.materialized === 'view';
  if (existing.kind !== (isView ? 'view' : 'table')) return 'replace';
  const hasSameStart = existing.columns.every(
    ({ name, type }, n) => columns[n]?.name === name && columns[n]?.type === type,
  );
  if (!hasSameStart || (!isView && existing.columns.length !== columns.length)) return 'replace';
  return installedHash === hash ? 'keep' : 'redefine';
}

function listRemovedColumns({ columns }: Definition, existing: ExistingRelation): string[] {
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  return existing.columns.filter(({ name }) => !types.has(name)).map(({ name }) => name);
}
