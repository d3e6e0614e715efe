import { isRawNumber, type Json } from '@freshet/contracts';

/**
 * Converts a value to text for comparison. A value in a response and the equal value in a column of
 * `type` convert to the same text.
 */
export function toComparable(value: Json | undefined, type: string): string {
  if (value === null || value === undefined) return 'null';
  if (type === 'timestamptz') return String(Date.parse(value as string));
  if (type === 'text') return typeof value === 'string' ? value : JSON.stringify(value);
  return toCanonicalJson(value);
}

function toCanonicalJson(value: Json): string {
  if (isRawNumber(value)) return value.rawJSON;
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join()}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${toCanonicalJson(item)}`)
      .join()}}`;
  }
  return JSON.stringify(value);
}
