import type { Freshet } from '@freshet/client';
import { createInvalidInputError } from '../cli/errors.ts';
import { type DeployedResources, REFERENCES } from './deployed-resources.ts';
import { deleteField, getField, setField } from './field-paths.ts';
import { type ResourceKind, toSingular } from './manifest.ts';
import type { PlanStep } from './plan.ts';

type UntypedRequest = (path: string, init: object) => Promise<unknown>;

export interface ApplyOptions {
  readonly deployed: DeployedResources;
  /**
   * Whether new pipelines adopt their existing tables and continue from the coverage of these
   * tables.
   */
  readonly adopt: boolean;
  /** Called after each step. */
  readonly onStep: (step: PlanStep) => void;
}

/**
 * Executes the steps in order. If a step fails, the previous steps stay applied, and the next plan
 * contains the remaining steps.
 */
export async function applyPlan(client: Freshet, steps: readonly PlanStep[], options: ApplyOptions): Promise<void> {
  const { deployed, adopt, onStep } = options;
  const ids = new Map<string, string>(
    Object.entries(deployed).flatMap(([kind, resources]) =>
      resources.map(({ id, name }): [string, string] => [`${kind}/${name}`, id]),
    ),
  );
  // The types of the client cannot express a path that depends on the kind of the resource.
  const post = client.post as unknown as UntypedRequest;
  const patch = client.patch as unknown as UntypedRequest;
  const remove = client.delete as unknown as UntypedRequest;
  for (const step of steps) {
    const { action, kind, name, fields } = step;
    const params = { path: { id: ids.get(`${kind}/${name}`) } };
    if (action === 'create') {
      const adoption = adopt && kind === 'pipelines' ? { adopt } : {};
      const body = { ...replaceNamesByIds(kind, fields, ids), ...adoption };
      const created = (await post(`/v1/${kind}`, { body })) as { readonly id: string };
      ids.set(`${kind}/${name}`, created.id);
    } else if (action === 'update')
      await patch(`/v1/${kind}/{id}`, { params, body: replaceNamesByIds(kind, fields, ids) });
    else if (action === 'delete') await remove(`/v1/${kind}/{id}`, { params });
    else await post(`/v1/${kind}/{id}/${action}`, { params });
    onStep(step);
  }
}

/**
 * Converts the fields of a manifest to the fields of the API: replaces the names of referenced
 * resources with their ids.
 */
function replaceNamesByIds(
  kind: ResourceKind,
  fields: Readonly<Record<string, unknown>>,
  ids: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const body = structuredClone(fields) as Record<string, unknown>;
  for (const [path, { field, kind: targetKind }] of Object.entries(REFERENCES[kind] ?? {})) {
    const name = getField(fields, path);
    if (name === undefined) continue;
    const id = ids.get(`${targetKind}/${String(name)}`);
    if (id === undefined)
      throw createInvalidInputError(
        `${toSingular(kind)}: ${path}: ${toSingular(targetKind)} "${String(name)}" does not exist.`,
      );
    deleteField(body, path);
    setField(body, field, id);
  }
  return body;
}
