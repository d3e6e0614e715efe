/** The selection of objects in the wizard: presets, parents, and the settings that are sent. */
import type { Schemas } from '../../api/client.ts';

type CatalogObject = Pick<Schemas['CatalogObject'], 'name' | 'parent' | 'included_by_default'>;

export type Preset = 'recommended' | 'everything' | 'tickets' | 'custom';

const TICKET_OBJECTS = [
  'tickets',
  'conversations',
  'ticket_fields',
  'ticket_statuses',
  'ticket_priorities',
  'ticket_sources',
];

/** @param isReadable whether the API key may read an object. */
export function getPresetObjects(
  preset: Exclude<Preset, 'custom'>,
  catalog: readonly CatalogObject[],
  isReadable: (name: string) => boolean,
): string[] {
  return catalog
    .filter((object) =>
      preset === 'everything'
        ? true
        : preset === 'tickets'
          ? TICKET_OBJECTS.includes(object.name)
          : object.included_by_default,
    )
    .map(({ name }) => name)
    .filter(isReadable);
}

/** Returns the preset that has exactly the selected objects. */
export function findPreset(
  selected: readonly string[],
  catalog: readonly CatalogObject[],
  isReadable: (name: string) => boolean,
): Preset {
  for (const preset of ['recommended', 'everything', 'tickets'] as const) {
    const names = getPresetObjects(preset, catalog, isReadable);
    if (names.length === selected.length && names.every((name) => selected.includes(name))) return preset;
  }
  return 'custom';
}

/**
 * Includes or excludes an object. Child objects are found through their parent: including a child
 * also includes its parents, and excluding a parent also excludes its children.
 */
export function toggleObject(selected: readonly string[], name: string, catalog: readonly CatalogObject[]): string[] {
  const parents = new Map(catalog.map((object) => [object.name, object.parent]));
  const next = new Set(selected);
  if (!next.has(name)) {
    for (let current: string | null | undefined = name; current; current = parents.get(current)) next.add(current);
    return [...next];
  }
  const exclude = (parent: string) => {
    next.delete(parent);
    for (const child of catalog) if (child.parent === parent) exclude(child.name);
  };
  exclude(name);
  return [...next];
}

/** Builds the settings of all objects whose settings differ from the defaults. */
export function buildObjectSettings(
  selected: readonly string[],
  catalog: readonly CatalogObject[],
  options: { readonly detail: readonly string[]; readonly history: readonly string[] },
): Record<string, Schemas['ObjectSettings']> {
  const settings: Record<string, Schemas['ObjectSettings']> = {};
  for (const { name, included_by_default } of catalog) {
    const included = selected.includes(name);
    const detail = included && options.detail.includes(name);
    const history = included && options.history.includes(name);
    if (included === included_by_default && !detail && !history) continue;
    settings[name] = { included, ...(detail ? { detail } : {}), ...(history ? { history } : {}) };
  }
  return settings;
}
