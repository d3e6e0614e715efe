import type { ColumnType } from '@freshet/contracts';

/** A column that Freshet fills. */
export interface WritableColumn {
  readonly name: string;
  /** The type in the warehouse, which may differ from the declared type. */
  readonly type: ColumnType;
  /** The path of the column's field in a record. */
  readonly path: readonly string[];
}

/**
 * Converts the path of a field to a map key. Records never contain NUL, so different paths have
 * different keys.
 */
export function toPathKey(path: readonly string[]): string {
  return path.length === 1 ? (path[0] as string) : path.join('\0');
}
