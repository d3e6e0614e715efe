import { isRawNumber, type Json } from '@freshet/contracts';

/** One text for values that mean the same in an answer and in a column of the type. */
export function comparable(value: Json | undefined, type: string): string {
  if (value === null || value === undefined) return 'null';
  if (type === 'timestamptz') return String(Date.parse(value as string));
  if (type === 'text') return typeof value === 'string' ? value : JSON.stringify(value);
  return canonical(value);
}

function canonical(value: Json): string {
  if (isRawNumber(value)) return value.rawJSON;
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
      .join()}}`;
  }
  return JSON.stringify(value);
}
