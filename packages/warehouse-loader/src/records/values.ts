import {
  type ColumnType,
  isJsonObject,
  isRawNumber,
  type Json,
  numberText,
  type RawObject,
  unreachable,
} from '@freshet/contracts';

/**
 * JSON values as PostgreSQL's text form of a column type. Everything is checked here, so that PostgreSQL never
 * has a reason to refuse a batch, and never one to read a value otherwise than it was meant.
 */

/** The value does not fit the column's type. */
export const MISFIT = Symbol('misfit');

const INT64_MAX = 9_223_372_036_854_775_807n;
const INT64_MIN = -9_223_372_036_854_775_808n;

/** @returns the text, null for SQL's null, or {@link MISFIT}. Strings must be free of NUL and lone surrogates. */
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
      return unreachable(type);
  }
}

/** The narrowest type that a value fits, for fields that nobody has declared; null: any (the value is null). */
export function typeOfValue(value: Json | undefined): ColumnType | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number' || isRawNumber(value)) return toBigint(value) === MISFIT ? 'numeric' : 'bigint';
  if (typeof value === 'string') return /T/.test(value) && toTimestamp(value) !== MISFIT ? 'timestamptz' : 'text';
  return 'jsonb';
}

/** The type that holds all values of both. */
export function commonType(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a;
  if (a === 'jsonb' || b === 'jsonb') return 'jsonb';
  const numbers = new Set<ColumnType>(['bigint', 'numeric']);
  return numbers.has(a) && numbers.has(b) ? 'numeric' : 'text';
}

/**
 * The widening order: what a column becomes when a value does not fit it. `text` and `jsonb` take every value,
 * so every chain ends there.
 */
const WIDER: Readonly<Partial<Record<ColumnType, ColumnType>>> = {
  bigint: 'numeric',
  numeric: 'text',
  boolean: 'text',
  date: 'timestamptz',
  timestamptz: 'text',
};

/** The types that a column of a type can be widened to, the narrowest first. */
export function widerTypes(type: ColumnType): ColumnType[] {
  const wider = WIDER[type];
  return wider === undefined ? [] : [wider, ...widerTypes(wider)];
}

/** How many values of a field fit a type, and how many do not; null is no value. */
export function countFits(
  records: readonly { readonly raw: RawObject }[],
  path: readonly string[],
  type: ColumnType,
): { readonly fits: number; readonly misfits: number } {
  const counts = { fits: 0, misfits: 0 };
  const [field, inner] = path as [string, string?];
  for (const { raw } of records) {
    const whole = raw.get(field);
    const value =
      inner === undefined ? whole : isJsonObject(whole) && Object.hasOwn(whole, inner) ? whole[inner] : null;
    const text = toSqlText(value, type);
    if (text === MISFIT) counts.misfits++;
    else if (text !== null) counts.fits++;
  }
  return counts;
}

/** Decides on digits: every 64-bit integer fits, and a number such as `12.0` is the integer that it equals. */
function toBigint(value: Json): string | typeof MISFIT {
  const text = typeof value === 'number' || isRawNumber(value) ? numberText(value) : value;
  if (typeof text !== 'string' || !/^-?(0|[1-9]\d{0,18})$/.test(text) || text === '-0') return MISFIT;
  const whole = BigInt(text);
  return whole <= INT64_MAX && whole >= INT64_MIN ? text : MISFIT;
}

/** Exponents beyond this are somebody's joke, and `numeric` would write them out digit by digit. */
const EXPONENT_MAX = 1000;

function toNumeric(value: Json): string | typeof MISFIT {
  const text = typeof value === 'number' ? String(value) : isRawNumber(value) ? value.rawJSON : value;
  if (typeof text !== 'string' || !/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) || text.length > 10_000)
    return MISFIT;
  return exponentOf(text) > EXPONENT_MAX ? MISFIT : text;
}

export function exponentOf(number: string): number {
  return Math.abs(Number(/[eE]([+-]?\d+)$/.exec(number)?.[1] ?? '0'));
}

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?\s?(Z|[+-]\d{2}:?\d{2})?$/;

/** Without a zone it is UTC, as the API says of its own. */
function toTimestamp(text: string): string | typeof MISFIT {
  const match = TIMESTAMP.exec(text);
  if (!match) return MISFIT;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '00', fraction = '', zone = 'Z'] = match;
  if (
    !isDay(Number(year), Number(month), Number(day)) ||
    Number(hour) > 23 ||
    Number(minute) > 59 ||
    Number(second) > 59
  )
    return MISFIT;
  if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 15 || Number(zone.slice(-2)) > 59)) return MISFIT;
  return `${year}-${month}-${day} ${hour}:${minute}:${second}${fraction}${zone === 'Z' ? '+00:00' : `${zone.slice(0, 3)}:${zone.slice(-2)}`}`;
}

function toDate(text: string): string | typeof MISFIT {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T00:00:00(?:\.0+)?Z)?$/.exec(text);
  if (!match) return MISFIT;
  return isDay(Number(match[1]), Number(match[2]), Number(match[3])) ? text.slice(0, 10) : MISFIT;
}

/** Whether bytes are `2026-01-02T03:04:05Z` and that moment exists: PostgreSQL reads them as they stand. */
export function isPlainTimestamp(bytes: Buffer, start: number, end: number): boolean {
  if (
    end - start !== 20 ||
    bytes[start + 10] !== 84 ||
    bytes[start + 13] !== 58 ||
    bytes[start + 16] !== 58 ||
    bytes[start + 19] !== 90
  )
    return false;
  const [hour, minute, second] = [two(bytes, start + 11), two(bytes, start + 14), two(bytes, start + 17)];
  return (
    isPlainDate(bytes, start, start + 10) &&
    hour >= 0 &&
    hour < 24 &&
    minute >= 0 &&
    minute < 60 &&
    second >= 0 &&
    second < 60
  );
}

/** Whether bytes are `2026-01-02` and that day exists. */
export function isPlainDate(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== 10 || bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return false;
  const [century, year] = [two(bytes, start), two(bytes, start + 2)];
  return century >= 0 && year >= 0 && isDay(century * 100 + year, two(bytes, start + 5), two(bytes, start + 8));
}

/** The number of two digits; less than 0 where they are none. */
function two(bytes: Buffer, at: number): number {
  const [tens, ones] = [(bytes[at] as number) - 48, (bytes[at + 1] as number) - 48];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1000;
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= ([31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] as number);
}
