/** The views of a table. */
export const VIEWS = ['columns', 'preview', 'sql'] as const;
export type View = (typeof VIEWS)[number];

/** The search parameters of the page, so that each table and view has an address. */
export interface DataSearch {
  /** The qualified name of the selected table. */
  readonly table?: string;
  readonly view?: View;
}

export function parseDataSearch({ table, view }: Record<string, unknown>): DataSearch {
  const knownView = VIEWS.find((name) => name === view);
  return {
    ...(typeof table === 'string' ? { table } : {}),
    ...(knownView === undefined ? {} : { view: knownView }),
  };
}
