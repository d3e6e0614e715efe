import type { Row } from './ticket-metrics.ts';

/** The maximum number of differences in a report. */
const DIFFERENCES_MAX = 20;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

export interface Comparison {
  readonly model: string;
  readonly key: readonly string[];
  readonly expected: readonly Row[];
  /** The rows of the model, as `to_jsonb` returns them. */
  readonly actual: readonly Readonly<Record<string, unknown>>[];
  /** The columns of the model that the calculation does not cover. */
  readonly ignored?: readonly string[];
}

/**
 * Compares the rows of a model with the expected rows. Every column of the model must be expected
 * or ignored.
 * @returns the first differences, one line for each; empty if there are none.
 */
export function compareRows({ model, key, expected, actual, ignored = [] }: Comparison): string[] {
  const toKey = (row: Readonly<Record<string, unknown>>) =>
    key.map((column) => `${column} ${normalize(row[column])}`).join(', ');
  const differences: string[] = [];
  const columns = new Set([...Object.keys(expected[0] ?? {}), ...Object.keys(actual[0] ?? {})]);
  const compared = [...columns].filter((column) => !ignored.includes(column));
  const actualByKey = new Map(actual.map((row) => [toKey(row), row]));
  if (actualByKey.size !== actual.length)
    differences.push(`${model}: ${actual.length - actualByKey.size} rows have the key of another row`);
  const expectedKeys = new Set<string>();
  for (const row of expected) {
    const id = toKey(row);
    expectedKeys.add(id);
    const found = actualByKey.get(id);
    if (found === undefined) differences.push(`${model}, ${id}: the row is missing; expected ${JSON.stringify(row)}`);
    else differences.push(...compareColumns(`${model}, ${id}`, compared, row, found));
  }
  for (const [id, row] of actualByKey)
    if (!expectedKeys.has(id)) differences.push(`${model}, ${id}: the row is not expected: ${JSON.stringify(row)}`);
  return differences.length <= DIFFERENCES_MAX
    ? differences
    : [
        ...differences.slice(0, DIFFERENCES_MAX),
        `${model}: ${differences.length} differences in total`,
        ...countByColumn(differences),
      ];
}

function compareColumns(
  row: string,
  columns: readonly string[],
  expected: Row,
  actual: Readonly<Record<string, unknown>>,
): string[] {
  return columns.flatMap((column) => {
    const wanted = normalize(expected[column]);
    const got = normalize(actual[column]);
    return wanted === got ? [] : [`${row}, ${column}: expected ${wanted}, got ${got}`];
  });
}

/** Counts the differences of each column, to show which columns differ in most rows. */
function countByColumn(differences: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const difference of differences) {
    const column = /, (\w+): expected/.exec(difference)?.[1] ?? 'rows';
    counts.set(column, (counts.get(column) ?? 0) + 1);
  }
  return [...counts].map(([column, count]) => `  ${column}: ${count} differences`);
}

/** Converts a value to text that is equal for equal values. Expected minutes are decimal text. */
function normalize(value: unknown): string {
  if (value === undefined) return 'no column';
  if (typeof value === 'string' && TIMESTAMP.test(value)) return new Date(value).toISOString();
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}
