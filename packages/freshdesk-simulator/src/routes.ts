import { catalogue, type ObjectSpec } from '@freshet/freshdesk-extractor';

/** The endpoints of the API, derived from the catalogue. */

export interface Route {
  readonly object: ObjectSpec;
  readonly pattern: RegExp;
  /** Whether the endpoint returns only archived records, or only children of archived records. */
  readonly isArchive: boolean;
  /**
   * The plan feature that the endpoint requires in addition to the object's feature; null if none.
   */
  readonly feature: string | null;
  /** Whether the endpoint lists the children that are nested in a child. */
  readonly isNested: boolean;
}

export interface RouteMatch extends Route {
  /**
   * The key in the path: the parent's key if the endpoint is a list, otherwise the record's key.
   * Undefined if the path contains no key.
   */
  readonly key: number | undefined;
}

export interface Routes {
  /** Endpoints that return lists. */
  readonly lists: readonly Route[];
  /** Endpoints that return a single record. */
  readonly records: readonly Route[];
  readonly searches: readonly Route[];
}

export function buildRoutes(): Routes {
  return {
    lists: catalogue.flatMap(buildListRoutes),
    records: catalogue
      .filter(
        ({ strategy, parseRecords }) => !['children', 'daily-export'].includes(strategy.kind) && parseRecords === null,
      )
      .flatMap((object) => [
        buildRoute(object, `${object.path}/{id}`),
        ...listArchiveLookups(object).map(({ path, feature }) =>
          buildRoute(object, path, { isArchive: true, feature }),
        ),
      ]),
    searches: catalogue.flatMap((object) =>
      object.searchPath === null ? [] : [buildRoute(object, object.searchPath)],
    ),
  };
}

/** Finds the first route that matches a path. */
export function findRoute(routes: readonly Route[], path: string): RouteMatch | null {
  for (const route of routes) {
    const match = route.pattern.exec(path);
    if (match) return { ...route, key: match[1] === undefined ? undefined : Number(match[1]) };
  }
  return null;
}

function buildListRoutes(object: ObjectSpec): Route[] {
  const { strategy } = object;
  if (object.parseRecords !== null) {
    // Ignore the entries of later pages, which have the same path and a page token.
    const paths = Object.keys(object.list.responses ?? {}).filter((path) => !path.includes('#'));
    return paths.map((path) => buildRoute(object, path));
  }
  const routes = [buildRoute(object, object.path)];
  if (strategy.kind !== 'children') return routes;
  const { fallbackPath, nested } = strategy;
  if (fallbackPath !== null)
    routes.push(buildRoute(object, fallbackPath, { isArchive: true, feature: findArchiveFeature(fallbackPath) }));
  if (nested) routes.push(buildRoute(object, nested.path, { isNested: true }));
  return routes;
}

function buildRoute(
  object: ObjectSpec,
  path: string,
  { isArchive = false, feature = null, isNested = false }: Partial<Omit<Route, 'object' | 'pattern'>> = {},
): Route {
  const pattern = new RegExp(`^${path.replace('{id}', '(\\d+)')}$`);
  return { object, pattern, isArchive, feature, isNested };
}

function listArchiveLookups({ detail }: ObjectSpec) {
  return (detail?.fallbackLookups ?? []).filter((lookup) => lookup.deleteKind === null);
}

/** Finds the plan feature that is required to read archived records from a path of the archive. */
function findArchiveFeature(path: string): string | null {
  return catalogue.flatMap(listArchiveLookups).find((lookup) => path.startsWith(lookup.path))?.feature ?? null;
}
