import type { Freshet } from '@freshet/client';
import { deleteField, getField, setField } from './field-paths.ts';
import { RESOURCE_KINDS, type ResourceKind } from './manifest.ts';

/** A resource as the API returns it. */
export type DeployedResource = Readonly<Record<string, unknown>> & { readonly id: string; readonly name: string };
export type DeployedResources = Readonly<Record<ResourceKind, readonly DeployedResource[]>>;

/**
 * Maps each manifest field that contains the name of a referenced resource to the API field that
 * contains the id of this resource.
 */
export const REFERENCES: Readonly<
  Partial<Record<ResourceKind, Readonly<Record<string, { readonly field: string; readonly kind: ResourceKind }>>>>
> = {
  destinations: { credential: { field: 'credential_id', kind: 'credentials' } },
  pipelines: {
    destination: { field: 'destination_id', kind: 'destinations' },
    'source.credential': { field: 'source.credential_id', kind: 'credentials' },
  },
};

/** Fetches all resources of the kinds that a manifest can contain. */
export async function readDeployedResources(client: Freshet): Promise<DeployedResources> {
  const entries = await Promise.all(
    RESOURCE_KINDS.map(async (kind) => [kind, await collect(client.paginate(`/v1/${kind}`))]),
  );
  return Object.fromEntries(entries) as unknown as DeployedResources;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/**
 * Converts a deployed resource to the format of a manifest: replaces the ids of referenced
 * resources with their names.
 */
export function replaceIdsByNames(
  kind: ResourceKind,
  resource: DeployedResource,
  deployed: DeployedResources,
): Record<string, unknown> {
  const result = structuredClone(resource) as Record<string, unknown>;
  for (const [path, { field, kind: targetKind }] of Object.entries(REFERENCES[kind] ?? {})) {
    const id = getField(resource, field);
    setField(result, path, deployed[targetKind].find((target) => target.id === id)?.name ?? null);
    deleteField(result, field);
  }
  return result;
}
