/** Groups, searches and describes the tables of a pipeline. */
import type { Schemas } from '../../api/client.ts';
import { formatNumber } from '../../format/numbers.ts';
import { groupObjects, MAIN_GROUPS } from '../objects/groups.ts';

export type Table = Schemas['Table'];

export interface TableGroup {
  readonly title: string;
  readonly tables: readonly Table[];
  /** Whether the group is folded until the user unfolds it. */
  readonly isFolded: boolean;
}

const MODELS_GROUP = 'Analytics models';
const OTHER_GROUPS = [
  { title: 'Settings of the models', isIncluded: ({ kind }: Table) => kind === 'settings' },
  { title: 'Internal models', isIncluded: ({ kind, internal }: Table) => kind === 'model' && internal },
  { title: 'Coverage and ledger', isIncluded: ({ kind }: Table) => kind === 'ledger' },
];

/** Returns the name by which pages and the API identify a table. */
export function getQualifiedName({ schema, name }: Pick<Table, 'schema' | 'name'>): string {
  return `${schema}.${name}`;
}

/**
 * Groups tables by what users look for. A history follows the table of its object. Empty groups are
 * left out.
 */
export function groupTables(tables: readonly Table[]): TableGroup[] {
  const byObject = Map.groupBy(
    tables.filter(({ object }) => object !== null),
    ({ object }) => object ?? '',
  );
  const objectGroups = groupObjects([...byObject], ([object]) => object).map(({ title, rows }) => ({
    title,
    tables: rows.flatMap(([, ofObject]) => ofObject),
    isFolded: !MAIN_GROUPS.includes(title),
  }));
  const models = tables
    .filter(({ kind, internal }) => kind === 'model' && !internal)
    .toSorted((a, b) => a.name.localeCompare(b.name));
  return [
    ...objectGroups.filter(({ isFolded }) => !isFolded),
    { title: MODELS_GROUP, tables: models, isFolded: false },
    ...objectGroups.filter(({ isFolded }) => isFolded),
    ...OTHER_GROUPS.map(({ title, isIncluded }) => ({ title, tables: tables.filter(isIncluded), isFolded: true })),
  ].filter((group) => group.tables.length > 0);
}

export interface TableMatch {
  readonly table: Table;
  /** The columns that match the search. Empty: the search is empty, or only the table matches. */
  readonly columns: readonly string[];
}

/**
 * Finds the tables whose name, description or columns contain all words of the search. Words may
 * match different columns.
 */
export function searchTables(tables: readonly Table[], search: string): TableMatch[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return tables.map((table) => ({ table, columns: [] }));
  return tables.flatMap((table) => {
    const tableText = `${getQualifiedName(table)} ${table.description ?? ''}`.toLowerCase();
    const columnWords = words.filter((word) => !tableText.includes(word));
    const texts = table.columns.map(({ name, description }) => ({
      name,
      text: `${name} ${description ?? ''}`.toLowerCase(),
    }));
    if (!columnWords.every((word) => texts.some(({ text }) => text.includes(word)))) return [];
    const columns = texts.filter(({ text }) => columnWords.some((word) => text.includes(word))).map(({ name }) => name);
    return [{ table, columns }];
  });
}

/** Formats the number of rows. An estimate begins with "≈". */
export function formatRowCount({ row_count: count, row_count_exact: isExact, view }: Table): string {
  if (count === null) return view ? 'view' : '—';
  return isExact ? formatNumber(count) : `≈ ${formatNumber(count)}`;
}

/** States where the number of rows comes from. */
export function describeRowCount({ row_count: count, row_count_exact: isExact, view }: Table): string {
  if (count === null) return view ? 'Views are computed when they are read' : 'PostgreSQL has no statistics yet';
  return isExact ? 'Counted by Freshet' : 'Estimated by PostgreSQL';
}

const SHORT_TYPES: Readonly<Record<string, string>> = {
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
};

/** Returns the short name of an SQL type. */
export function formatType(type: string): string {
  return SHORT_TYPES[type] ?? type;
}

/** Whether values of an SQL type are aligned to the right. */
export function isNumericType(type: string): boolean {
  return /^(bigint|integer|smallint|numeric|real|double precision)/.test(type);
}

/** Returns the page of the documentation site that describes a table; null: there is none. */
export function getHelpPath({ kind, object, internal, name }: Table, tablePrefix: string): string | null {
  if (object !== null) return `objects/${object}`;
  return kind === 'model' && !internal ? `analytics/models/${name.slice(tablePrefix.length)}` : null;
}

/** Whether Freshet has added the column to every table. */
export function isMetadataColumn(name: string): boolean {
  return name.startsWith('_freshet_');
}
