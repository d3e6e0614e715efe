import { quote } from '../sql/identifiers.ts';

/**
 * The range of times in the version column for which a table is complete. Null: the range is
 * unbounded on that side.
 */
export interface CoveredRange {
  readonly completeAsOf: Date | null;
  readonly completeBackTo: Date | null;
}

/**
 * Whether the range contains the version of a record.
 * @param version the time in the version column, in milliseconds since 1970.
 */
export function isCovered(version: number, { completeAsOf, completeBackTo }: CoveredRange): boolean {
  return (
    (completeAsOf === null || version < completeAsOf.getTime()) &&
    (completeBackTo === null || version >= completeBackTo.getTime())
  );
}

/**
 * Builds the condition of `isCovered` in SQL.
 * @param objects the alias of `_freshet_objects`.
 * @param staged the alias of the table with the version column.
 * @param version the unquoted name of the version column; null: the table has no version column, so
 *   the condition is `true`.
 */
export function buildCoveredCondition(objects: string, staged: string, version: string | null): string {
  if (version === null) return 'true';
  const column = `${staged}.${quote(version)}`;
  return `(${objects}.complete_as_of is null or ${column} < ${objects}.complete_as_of)
    and (${objects}.complete_back_to is null or ${column} >= ${objects}.complete_back_to)`;
}
