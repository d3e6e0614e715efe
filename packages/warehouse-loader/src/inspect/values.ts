import { toExactNumber } from '@freshet/contracts';

export type JsonValue = string | number | boolean | null;

const NUMERIC_TYPES = /^(bigint|integer|smallint|numeric|real|double precision)/;

/**
 * Converts a value in PostgreSQL's text format to JSON. Numbers that JavaScript cannot represent
 * exactly stay text. Times have the format of RFC 3339. All other values, including `jsonb`, stay
 * text.
 * @param type the SQL type, as `format_type` returns it.
 */
export function toJsonValue(type: string, text: string | null): JsonValue {
  if (text === null) return null;
  if (type === 'boolean') return text === 'true';
  if (type === 'timestamp with time zone') return text.replace(' ', 'T').replace(/\+00$/, 'Z');
  return NUMERIC_TYPES.test(type) ? toExactNumber(text) : text;
}
