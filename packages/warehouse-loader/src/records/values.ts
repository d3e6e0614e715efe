import { assertNever, type ColumnType, formatNumber, isCalendarDay, isRawNumber, type Json } from '@freshet/contracts';

/**
 * Converts JSON values to PostgreSQL's text form for the type of a column. Checks whether a value
 * fits the type, so that PostgreSQL neither rejects a batch because of a value nor changes the
 * meaning of a value.
 */

/** The result of a conversion if the value does not fit the column's type. */
export const MISFIT = Symbol('misfit');

const INT64_MAX = 9_223_372_036_854_775_807n;
const INT64_MIN = -9_223_372_036_854_775_808n;

/**
 * @param value a value whose strings contain neither NUL nor lone surrogates.
 * @returns the text, null for SQL NULL, or {@link MISFIT}.
 */
export function toSqlText(value: Json | undefined, type: ColumnType): string | null | typeof MISFIT {
  if (value === null || value === undefined) return null;
  switch (type) {
    case 'text':
      return typeof value === 'string' ? value : JSON.stringify(value);
    case 'jsonb':
      return JSON.stringify(value);
    case 'boolean':
      return typeof value === 'boolean'
        ? value
          ? 't'
          : 'f'
        : value === 'true'
          ? 't'
          : value === 'false'
            ? 'f'
            : MISFIT;
    case 'bigint':
      return toBigint(value);
    case 'numeric':
      return toNumeric(value);
    case 'timestamptz':
      return typeof value === 'string' ? toTimestamp(value) : MISFIT;
    case 'date':
      return typeof value === 'string' ? toDate(value) : MISFIT;
    default:
      return assertNever(type);
  }
}

/**
 * Checks the digits of a number and not its value as a double, so that every 64-bit integer fits. A
 * number like `12.0` counts as an integer.
 */
export function toBigint(value: Json): string | typeof MISFIT {
  const text = typeof value === 'number' || isRawNumber(value) ? formatNumber(value) : value;
  if (typeof text !== 'string' || !/^-?(0|[1-9]\d{0,18})$/.test(text) || text === '-0') return MISFIT;
  const integer = BigInt(text);
  return integer <= INT64_MAX && integer >= INT64_MIN ? text : MISFIT;
}

/**
 * The maximum absolute exponent of a number in a `numeric` column. PostgreSQL expands the exponent
 * to digits, so 1e100000 would need 100,001 digits.
 */
export const EXPONENT_MAX = 1000;

function toNumeric(value: Json): string | typeof MISFIT {
  const text = typeof value === 'number' ? String(value) : isRawNumber(value) ? value.rawJSON : value;
  if (typeof text !== 'string' || !/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) || text.length > 10_000)
    return MISFIT;
  return getExponent(text) > EXPONENT_MAX ? MISFIT : text;
}

/** Returns the absolute exponent of a number in JSON notation; 0 if it has none. */
export function getExponent(number: string): number {
  return Math.abs(Number(/[eE]([+-]?\d+)$/.exec(number)?.[1] ?? '0'));
}

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?\s?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * Converts a time to PostgreSQL's text form. A time without a time zone is in UTC, as Freshdesk
 * documents.
 */
export function toTimestamp(text: string): string | typeof MISFIT {
  const match = TIMESTAMP.exec(text);
  if (!match) return MISFIT;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '00', fraction = '', zone = 'Z'] = match;
  if (
    !isCalendarDay(Number(year), Number(month), Number(day)) ||
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    Number(second) > 59
  )
    return MISFIT;
  if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 15 || Number(zone.slice(-2)) > 59)) return MISFIT;
  const offset = zone === 'Z' ? '+00:00' : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  return `${year}-${month}-${day} ${hour}:${minute}:${second}${fraction}${offset}`;
}

function toDate(text: string): string | typeof MISFIT {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T00:00:00(?:\.0+)?Z)?$/.exec(text);
  if (!match) return MISFIT;
  return isCalendarDay(Number(match[1]), Number(match[2]), Number(match[3])) ? text.slice(0, 10) : MISFIT;
}
