import { type ColumnType, isJsonObject, isRawNumber, type Json, type RawObject } from '@freshet/contracts';
import { MISFIT, toBigint, toSqlText, toTimestamp } from './values.ts';

/**
 * Infers the column type of an undeclared field from one of its values; null: the value is null,
 * which fits every type.
 */
export function inferType(value: Json | undefined): ColumnType | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number' || isRawNumber(value)) return toBigint(value) === MISFIT ? 'numeric' : 'bigint';
  if (typeof value === 'string') return /T/.test(value) && toTimestamp(value) !== MISFIT ? 'timestamptz' : 'text';
  return 'jsonb';
}

/** Returns a type that can store all values of both types. */
export function getCommonType(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a;
  if (a === 'jsonb' || b === 'jsonb') return 'jsonb';
  const numbers = new Set<ColumnType>(['bigint', 'numeric']);
  return numbers.has(a) && numbers.has(b) ? 'numeric' : 'text';
}

/**
 * The widening order: type → the next wider type. `text` and `jsonb` can store every value, so they
 * have no wider type.
 */
const WIDER: Readonly<Partial<Record<ColumnType, ColumnType>>> = {
  bigint: 'numeric',
  numeric: 'text',
  boolean: 'text',
  date: 'timestamptz',
  timestamptz: 'text',
};

/** Lists the types to which a column of a type can be widened, from the narrowest to the widest. */
export function listWiderTypes(type: ColumnType): ColumnType[] {
  const wider = WIDER[type];
  return wider === undefined ? [] : [wider, ...listWiderTypes(wider)];
}

/**
 * Counts the values of a field that fit a type, and the values that do not fit. Null values are not
 * counted.
 */
export function countFits(
  records: readonly { readonly raw: RawObject }[],
  path: readonly string[],
  type: ColumnType,
): { readonly fits: number; readonly misfits: number } {
  const counts = { fits: 0, misfits: 0 };
  const [field, inner] = path as [string, string?];
  for (const { raw } of records) {
    const outer = raw.get(field);
    const value =
      inner === undefined ? outer : isJsonObject(outer) && Object.hasOwn(outer, inner) ? outer[inner] : null;
    const text = toSqlText(value, type);
    if (text === MISFIT) counts.misfits++;
    else if (text !== null) counts.fits++;
  }
  return counts;
}
