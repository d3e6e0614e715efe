import type { Freshet } from '@freshet/client';
import { invalid, type KindName } from './manifest.ts';
import { at, type Deployed, drop, put, REFERENCES, type Step } from './plan.ts';

type AnyCall = (path: string, init: object) => Promise<unknown>;

export interface ApplyOptions {
  readonly deployed: Deployed;
  /** Pipelines that are made go on from what their tables say of themselves. */
  readonly adopt: boolean;
}

/** Does the steps, one after the other, in their order. What was done before one that fails stays done: the next plan has the rest. */
export async function applySteps(
  freshet: Freshet,
  steps: readonly Step[],
  { deployed, adopt }: ApplyOptions,
  done: (step: Step) => void,
): Promise<void> {
  const ids = new Map<string, string>(
    Object.entries(deployed).flatMap(([kind, some]) =>
      some.map(({ id, name }): [string, string] => [`${kind}/${name}`, id]),
    ),
  );
  const [post, patch, remove] = [freshet.post, freshet.patch, freshet.delete] as unknown as readonly [
    AnyCall,
    AnyCall,
    AnyCall,
  ];
  for (const step of steps) {
    const { action, kind, name } = step;
    const key = `${kind}/${name}`;
    const params = { path: { id: ids.get(key) } };
    if (action === 'create') {
      const body = { ...withIds(kind, step.fields, ids), ...(adopt && kind === 'pipelines' ? { adopt } : {}) };
      const made = (await post(`/v1/${kind}`, { body })) as { readonly id: string };
      ids.set(key, made.id);
    } else if (action === 'change') await patch(`/v1/${kind}/{id}`, { params, body: withIds(kind, step.fields, ids) });
    else if (action === 'delete') await remove(`/v1/${kind}/{id}`, { params });
    else await post(`/v1/${kind}/{id}/${action}`, { params });
    done(step);
  }
}

/** Ids for names. */
function withIds(
  kind: KindName,
  fields: Readonly<Record<string, unknown>>,
  ids: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const body = structuredClone(fields) as Record<string, unknown>;
  for (const [path, { field, kind: of }] of Object.entries(REFERENCES[kind] ?? {})) {
    const name = at(fields, path);
    if (name === undefined) continue;
    const id = ids.get(`${of}/${String(name)}`);
    if (id === undefined) throw invalid(`${kind}: there is no "${String(name)}" among the ${of}.`);
    drop(body, path);
    put(body, field, id);
  }
  return body;
}
